//! Size limits of the store, as of Vercel Blob.

/// Maximum size of a blob that is written in one request, and of a part.
pub const MAX_PUT_BYTES: u64 = 500 * 1024 * 1024;
/// Minimum size of every part except the last.
pub const MIN_PART_BYTES: u64 = 5 * 1024 * 1024;
/// Maximum number of parts in a multipart upload.
pub const MAX_PARTS: u64 = 10_000;
/// Maximum size of a JSON body.
pub(super) const MAX_JSON_BYTES: usize = 1024 * 1024;
