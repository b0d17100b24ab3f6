//! Idempotency keys of callers.

/// Time that the reply to an `Idempotency-Key` is stored: 24 hours, in seconds.
pub(super) const REPLY_SECONDS: u64 = 24 * 60 * 60;

/// An `Idempotency-Key` and the fingerprint of its request.
#[derive(Clone, Debug)]
pub struct Idempotency {
    /// The caller's key.
    pub key: String,
    /// Hash of everything in the request that the response depends on.
    pub fingerprint: String,
}
