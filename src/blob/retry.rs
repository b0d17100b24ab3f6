//! Retries of a call: with growing, jittered pauses, at most [`MAX_RETRIES`] times, and within the request's time.

use std::time::{Duration, Instant};

use super::error::{Error, Failure, Result};
use crate::util::once_per_minute::warn_once_a_minute;

/// The maximum number of retries of one call.
pub const MAX_RETRIES: u32 = 3;
/// The time that one request may wait for Blob in total, retries and pauses included.
pub const TIME_LIMIT: Duration = Duration::from_secs(8);

/// The pause before the first retry. Each further pause is three times as long.
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// One attempt of a call.
#[derive(Clone, Copy, Debug)]
pub(super) struct Attempt {
    /// The number of attempts before this one.
    pub(super) number: u32,
    deadline: Instant,
}

impl Attempt {
    /// Returns the time that is left for the call.
    pub(super) fn time_left(self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }
}

/// Whether a failed attempt before the last one may have taken effect, because only its response was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct MayHaveRun(pub(super) bool);

/// Runs `attempt` until it succeeds, fails permanently, or the retries or the time are used up.
pub(super) async fn retry<T, F>(deadline: Instant, attempt: impl FnMut(Attempt) -> F) -> Result<T>
where
    F: Future<Output = Result<T, Failure>>,
{
    retry_tracked(deadline, attempt).await.0
}

/// Retries as [`retry`] does, and returns whether an earlier attempt may have taken effect.
pub(super) async fn retry_tracked<T, F>(
    deadline: Instant,
    mut attempt: impl FnMut(Attempt) -> F,
) -> (Result<T>, MayHaveRun)
where
    F: Future<Output = Result<T, Failure>>,
{
    let mut budget = RetryBudget::until(deadline);
    let mut may_have_run = MayHaveRun(false);
    loop {
        let failure = match attempt(budget.attempt()).await {
            Ok(output) => return (Ok(output), may_have_run),
            Err(failure) => failure,
        };
        if !failure.error.is_transient() || !budget.retry(failure.retry_after).await {
            return (Err(failure.error), may_have_run);
        }
        warn_of_retry(&failure.error);
        may_have_run.0 |= !failure.error.had_no_effect();
    }
}

/// Logs a failed attempt that is retried: at most once a minute, since an outage affects every call.
fn warn_of_retry(error: &Error) {
    warn_once_a_minute!(blob.error = %error, "a call to Blob failed and is retried");
}

/// The retries and the time that are left for one call.
#[derive(Debug)]
struct RetryBudget {
    count: u32,
    deadline: Instant,
}

impl RetryBudget {
    fn until(deadline: Instant) -> Self {
        Self { count: 0, deadline }
    }

    fn attempt(&self) -> Attempt {
        Attempt {
            number: self.count,
            deadline: self.deadline,
        }
    }

    /// Waits before the next attempt, at least for `retry_after`. Returns false if the budget is used up.
    async fn retry(&mut self, retry_after: Option<Duration>) -> bool {
        let pause = retry_after
            .unwrap_or_default()
            .max(jittered(FIRST_PAUSE * 3u32.pow(self.count)));
        if self.count >= MAX_RETRIES || pause >= self.attempt().time_left() {
            return false;
        }
        tokio::time::sleep(pause).await;
        self.count += 1;
        true
    }
}

/// Returns a random duration between half of `pause` and `pause`, so that callers that failed together do not retry
/// together.
pub(crate) fn jittered(pause: Duration) -> Duration {
    pause / 2 + (pause / 2).mul_f64(fastrand::f64())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::blob::Error;

    #[test]
    fn jittered_pause_is_between_half_and_all_of_it() {
        let pause = Duration::from_millis(100);
        let pauses: Vec<Duration> = (0..200).map(|_| jittered(pause)).collect();
        assert!(
            pauses
                .iter()
                .all(|jittered| (pause / 2..=pause).contains(jittered)),
            "{pauses:?}"
        );
        assert!(pauses.iter().any(|jittered| *jittered != pauses[0]));
    }

    #[tokio::test(start_paused = true)]
    async fn retries_end_by_their_number_and_by_the_deadline() {
        let mut budget = RetryBudget::until(Instant::now() + TIME_LIMIT);
        for _ in 0..MAX_RETRIES {
            assert!(budget.retry(None).await);
        }
        assert!(!budget.retry(None).await);

        let mut budget = RetryBudget::until(Instant::now() + TIME_LIMIT);
        assert!(!budget.retry(Some(TIME_LIMIT)).await);
    }

    #[tokio::test(start_paused = true)]
    async fn transient_failures_are_retried_and_tracked() {
        let deadline = Instant::now() + TIME_LIMIT;
        let (result, may_have_run) = retry_tracked(deadline, |attempt| async move {
            match attempt.number {
                0 => Err(Failure::from(Error::Timeout)),
                number => Ok(number),
            }
        })
        .await;
        assert_eq!((result.unwrap(), may_have_run), (1, MayHaveRun(true)));

        let (result, may_have_run) = retry_tracked(deadline, |attempt| async move {
            assert_eq!(attempt.number, 0);
            Err::<(), _>(Failure::from(Error::NotConfigured))
        })
        .await;
        assert!(matches!(result, Err(Error::NotConfigured)));
        assert_eq!(may_have_run, MayHaveRun(false));
    }
}
