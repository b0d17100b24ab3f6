//! The rule that rate limiting fails open.

use super::error::{Error, Result};
use crate::util::once_per_minute::warn_once_a_minute;

/// Allows a request that Redis could not charge to its rate limit, with a warning.
///
/// # Errors
/// [`Error::RateLimited`].
pub(super) fn fail_open(charged: Result<()>) -> Result<()> {
    match charged {
        Err(error) if !matches!(error, Error::RateLimited(_)) => {
            warn_once_a_minute!(
                redis.error = %error,
                "the rate limit cannot be checked; the request is allowed"
            );
            Ok(())
        }
        charged => charged,
    }
}
