//! When a call is repeated: with pauses that grow and vary, a few times, and within the request's time.

use std::time::{Duration, Instant};

use ring::rand::{SecureRandom, SystemRandom};

/// How often one call is repeated at most.
pub const MAX_RETRIES: u32 = 3;
/// How long one request of ours may wait for Blob in all, repetitions and pauses included.
pub const TIME_LIMIT: Duration = Duration::from_secs(8);

/// The pause before the first repetition; each further one is three times as long.
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// Counts the attempts of one call.
#[derive(Debug)]
pub(super) struct Attempts {
    /// How many were made before the present one.
    pub(super) made: u32,
    deadline: Instant,
}

impl Attempts {
    pub(super) fn until(deadline: Instant) -> Self {
        Self { made: 0, deadline }
    }

    /// How long is left.
    pub(super) fn time_left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }

    /// Pauses before the next attempt, at least as long as the service asked for; whether there is one.
    pub(super) async fn again(&mut self, asked_for: Option<Duration>) -> bool {
        let pause = asked_for
            .unwrap_or_default()
            .max(jittered(FIRST_PAUSE * 3u32.pow(self.made)));
        if self.made >= MAX_RETRIES || pause >= self.time_left() {
            return false;
        }
        tokio::time::sleep(pause).await;
        self.made += 1;
        true
    }
}

/// From half of a pause to all of it, so that those who failed together do not come back together.
pub(crate) fn jittered(pause: Duration) -> Duration {
    let mut byte = [u8::MAX];
    // Without randomness the pause is whole.
    let _ = SystemRandom::new().fill(&mut byte);
    pause / 2 + pause / 2 * u32::from(byte[0]) / u32::from(u8::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_varies_within_its_half() {
        let pause = Duration::from_millis(100);
        let pauses: Vec<Duration> = (0..200).map(|_| jittered(pause)).collect();
        assert!(
            pauses.iter().all(|it| (pause / 2..=pause).contains(it)),
            "{pauses:?}"
        );
        assert!(pauses.iter().any(|it| *it != pauses[0]));
    }

    #[tokio::test(start_paused = true)]
    async fn attempts_end_by_their_number_and_by_the_time() {
        let mut attempts = Attempts::until(Instant::now() + TIME_LIMIT);
        for _ in 0..MAX_RETRIES {
            assert!(attempts.again(None).await);
        }
        assert!(!attempts.again(None).await);

        let mut attempts = Attempts::until(Instant::now() + TIME_LIMIT);
        assert!(!attempts.again(Some(TIME_LIMIT)).await);
    }
}
