//! The log line about requests that Redis could not charge. Rate limiting fails open.

use super::error::Error;
use crate::util::log::OncePerMinute;

/// Logs that a request was not charged to its rate limit: at most once a minute, since an outage affects every request.
pub(super) fn warn_of_uncharged_request(error: &Error) {
    static LIMIT: OncePerMinute = OncePerMinute::new();
    if let Some(suppressed) = LIMIT.pass() {
        tracing::warn!(
            redis.error = %error,
            log.suppressed = suppressed,
            "the rate limit cannot be checked; the request is allowed"
        );
    }
}
