//! Rate limits of callers, and the state of the limit during one request. No I/O: Redis counts the requests.

use std::sync::OnceLock;
use std::time::Duration;

/// The window in which requests are counted.
pub const WINDOW: Duration = Duration::from_secs(60);

/// The rate limit of one caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RateLimit {
    /// The name under which requests are counted, such as `user alice`; unique per caller.
    pub caller: String,
    /// The number of requests per [`WINDOW`]; bursts up to the full number are allowed.
    pub requests: u32,
}

impl RateLimit {
    /// Returns the time after which one more request is allowed.
    pub fn interval(&self) -> Duration {
        WINDOW / self.requests
    }
}

/// The result of charging a request to its rate limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimitStatus {
    /// The number of requests that are still allowed at once.
    pub remaining: u64,
    /// The time until the full limit is available again.
    pub reset: Duration,
}

/// The rate limit of one request: charged by its first call to Redis, and only by that one.
#[derive(Debug, Default)]
pub struct RateLimitState {
    limit: OnceLock<RateLimit>,
    is_taken: OnceLock<()>,
    status: OnceLock<RateLimitStatus>,
}

impl RateLimitState {
    /// Sets the limit of the request. Without this call the request is not limited.
    pub fn set_limit(&self, limit: RateLimit) {
        // The first limit wins: one request has one caller.
        let _ = self.limit.set(limit);
    }

    /// Returns the limit, if there is one.
    pub fn limit(&self) -> Option<&RateLimit> {
        self.limit.get()
    }

    /// Returns the limit for the call that charges it, which is the first one; `None` for all later calls.
    pub fn take(&self) -> Option<&RateLimit> {
        let limit = self.limit.get()?;
        self.is_taken.set(()).ok().map(|()| limit)
    }

    /// Records the result of the charge.
    pub fn record(&self, status: RateLimitStatus) {
        // A request is charged once, so there is nothing to replace.
        let _ = self.status.set(status);
    }

    /// Returns the result of the charge; `None` if the request was not charged.
    pub fn status(&self) -> Option<RateLimitStatus> {
        self.status.get().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn request_is_charged_once() {
        let state = RateLimitState::default();
        assert!(state.take().is_none());
        let limit = RateLimit {
            caller: "user alice".to_owned(),
            requests: 600,
        };
        state.set_limit(limit.clone());
        assert_eq!(state.take(), Some(&limit));
        assert_eq!(state.take(), None);
        assert_eq!(limit.interval(), Duration::from_millis(100));
    }
}
