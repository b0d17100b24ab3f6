//! Log lines for failures that do not fail the request.
//!
//! A storage that is down affects every request, so each line is written once a minute and process at most;
//! `log.suppressed` counts the lines in between. No line names a volume, a skill or a file.

use crate::util::once_per_minute::warn_once_a_minute;
use crate::{blob, store};

/// Logs that Redis cannot read or write what it caches of skills.
pub(super) fn warn_of_skill_cache(operation: &'static str, error: &store::Error) {
    // Without Redis there is no cache, and nothing failed.
    if matches!(error, store::Error::NotConfigured) {
        return;
    }
    warn_once_a_minute!(skills.cache.operation = operation, redis.error = %error, "the cache of skills failed");
}

/// Logs that the size and time of a blob that was just written cannot be read.
pub(super) fn warn_of_head_after_put(error: &blob::Error) {
    warn_once_a_minute!(blob.error = %error, "the metadata of a written blob cannot be read");
}

/// Logs that the document of a listed skill cannot be read.
pub(super) fn warn_of_unread_document(error: &blob::Error) {
    warn_once_a_minute!(blob.error = %error, "the document of a listed skill cannot be read");
}
