//! Samples in place of data that cannot be read, and when reads return them.

use super::error::{Error, Result};

/// When reads return samples instead of failing.
#[derive(Clone, Copy, Debug)]
pub struct SamplePolicy {
    /// While no storage is configured.
    pub without_storage: bool,
    /// While the configured storage is unavailable.
    pub while_unavailable: bool,
}

/// A value that was read, or a sample in its place.
#[derive(Debug)]
pub struct MaybeSample<T> {
    /// The value.
    pub value: T,
    /// Whether the value is a sample.
    pub is_sample: bool,
}

impl<T> MaybeSample<T> {
    /// Returns a value that was read from storage.
    pub(super) fn stored(value: T) -> Self {
        Self {
            value,
            is_sample: false,
        }
    }

    /// Converts the value.
    pub(crate) fn map<U>(self, convert: impl FnOnce(T) -> U) -> MaybeSample<U> {
        MaybeSample {
            value: convert(self.value),
            is_sample: self.is_sample,
        }
    }
}

impl SamplePolicy {
    /// Returns the result of a read that failed with `error`: the sample, where samples are allowed.
    ///
    /// # Errors
    /// - `missing`, if no storage is configured and there is no such sample.
    /// - `error` in all other cases. While storage is unavailable, data that is not a sample may well exist, so
    ///   `missing` would be wrong.
    pub(super) fn sample_or<T>(
        self,
        error: Error,
        sample: Option<T>,
        missing: Error,
    ) -> Result<MaybeSample<T>> {
        let sample = match sample {
            sample if error.is_not_configured() && self.without_storage => sample.ok_or(missing)?,
            Some(sample) if error.is_unavailable() && self.while_unavailable => sample,
            _ => return Err(error),
        };
        Ok(MaybeSample {
            value: sample,
            is_sample: true,
        })
    }
}
