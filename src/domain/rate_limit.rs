//! How many requests a caller may make, and what is left of them. No I/O: Redis counts.

use std::sync::OnceLock;
use std::time::Duration;

/// The span of time that limits are counted in.
pub const WINDOW: Duration = Duration::from_secs(60);

/// What one caller may use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RateLimit {
    /// Who is counted, such as `user alice`: never two callers under one name.
    pub caller: String,
    /// How many requests in each [`WINDOW`]; all of them may come at once.
    pub requests: u32,
}

impl RateLimit {
    /// How long one request counts.
    pub fn interval(&self) -> Duration {
        WINDOW / self.requests
    }
}

/// What is left to a caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// How many requests may follow at once.
    pub remaining: u64,
    /// When all of them may again.
    pub reset: Duration,
}

/// The limit that one request counts against: with its first call to Redis, and only with that.
#[derive(Debug, Default)]
pub struct Quota {
    limit: OnceLock<RateLimit>,
    is_spent: OnceLock<()>,
    allowance: OnceLock<Allowance>,
}

impl Quota {
    /// Says whose request it is. Without that it is not limited.
    pub fn begin(&self, limit: RateLimit) {
        let _ = self.limit.set(limit);
    }

    /// The limit, if there is one.
    pub fn limit(&self) -> Option<&RateLimit> {
        self.limit.get()
    }

    /// The limit for the call that is to count, the first one; `None` for all others.
    pub fn spend(&self) -> Option<&RateLimit> {
        let limit = self.limit.get()?;
        self.is_spent.set(()).ok().map(|()| limit)
    }

    /// Notes what is left.
    pub fn note(&self, allowance: Allowance) {
        let _ = self.allowance.set(allowance);
    }

    /// What is left, if Redis was asked and could tell.
    pub fn allowance(&self) -> Option<Allowance> {
        self.allowance.get().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_counts_once() {
        let quota = Quota::default();
        assert!(quota.spend().is_none());
        let limit = RateLimit {
            caller: "user alice".to_owned(),
            requests: 600,
        };
        quota.begin(limit.clone());
        assert_eq!(quota.spend(), Some(&limit));
        assert_eq!(quota.spend(), None);
        assert_eq!(limit.interval(), Duration::from_millis(100));
    }
}
