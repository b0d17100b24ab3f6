//! Results of writes that a client may repeat.

/// The result of a write that an `Idempotency-Key` may repeat.
#[derive(Debug)]
pub struct Written<T> {
    /// The stored value.
    pub value: T,
    /// Whether an earlier request with the same key stored it.
    pub is_replayed: bool,
}

impl<T> Written<T> {
    pub(super) fn now(value: T) -> Self {
        Self {
            value,
            is_replayed: false,
        }
    }

    pub(super) fn replayed(value: T) -> Self {
        Self {
            value,
            is_replayed: true,
        }
    }
}
