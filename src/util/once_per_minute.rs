//! Warnings whose cause may repeat with each request, at most once a minute.

use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};

use chrono::Utc;

/// The interval at which one [`OncePerMinute`] lets a line pass, in seconds.
const LIMIT_SECONDS: i64 = 60;

/// Logs a warning whose cause may repeat with each request, such as a storage that is down: at most once a minute and
/// process. `log.suppressed` counts the lines in between. A macro, because each place needs a limiter of its own.
macro_rules! warn_once_a_minute {
    ($($event:tt)+) => {{
        static LIMIT: $crate::util::once_per_minute::OncePerMinute = $crate::util::once_per_minute::OncePerMinute::new();
        if let Some(suppressed) = LIMIT.pass() {
            tracing::warn!(log.suppressed = suppressed, $($event)+);
        }
    }};
}

pub(crate) use warn_once_a_minute;

/// The limiter of [`warn_once_a_minute`].
#[derive(Debug)]
pub(crate) struct OncePerMinute {
    last: AtomicI64,
    suppressed: AtomicU32,
}

impl OncePerMinute {
    pub(crate) const fn new() -> Self {
        Self {
            last: AtomicI64::new(0),
            suppressed: AtomicU32::new(0),
        }
    }

    /// Returns the number of lines suppressed since the last one if the line is to be written, and counts it as
    /// suppressed otherwise.
    pub(crate) fn pass(&self) -> Option<u32> {
        self.pass_at(Utc::now().timestamp())
    }

    fn pass_at(&self, now: i64) -> Option<u32> {
        let last = self.last.load(Ordering::Relaxed);
        // A clock that was set back must not silence the line.
        let is_due = now >= last + LIMIT_SECONDS || now < last;
        let is_first = || {
            let exchanged =
                self.last
                    .compare_exchange(last, now, Ordering::Relaxed, Ordering::Relaxed);
            exchanged.is_ok()
        };
        if is_due && is_first() {
            return Some(self.suppressed.swap(0, Ordering::Relaxed));
        }
        self.suppressed.fetch_add(1, Ordering::Relaxed);
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeated_line_passes_once_a_minute_and_counts_the_suppressed_ones() {
        let limit = OncePerMinute::new();
        let passed = [1000, 1001, 1059, 1060, 1061, 5, 6, 70].map(|now| limit.pass_at(now));
        let expected = [Some(0), None, None, Some(2), None, Some(1), None, Some(1)];
        assert_eq!(passed, expected);
    }
}
