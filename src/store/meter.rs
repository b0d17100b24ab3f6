//! Counts what a request costs Redis, where commands are sent.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

tokio::task_local! {
    static METER: Arc<Meter>;
}

/// What one request has spent on Redis so far.
#[derive(Debug, Default)]
pub struct Meter {
    round_trips: AtomicU32,
    nanoseconds: AtomicU64,
}

impl Meter {
    /// Runs a request and counts on this meter all that it sends to Redis.
    pub async fn measure<F: Future>(self: Arc<Self>, request: F) -> F::Output {
        METER.scope(self, request).await
    }

    /// How often the request waited for Redis.
    pub fn round_trips(&self) -> u32 {
        self.round_trips.load(Ordering::Relaxed)
    }

    /// How long it waited in all.
    pub fn elapsed(&self) -> Duration {
        Duration::from_nanos(self.nanoseconds.load(Ordering::Relaxed))
    }
}

/// Notes one round trip on the meter of the request that is running, if there is one.
pub(super) fn count_round_trip(elapsed: Duration) {
    // Outside a request (the doctor, start-up) nobody counts.
    let _ = METER.try_with(|meter| {
        let nanoseconds = u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX);
        meter.round_trips.fetch_add(1, Ordering::Relaxed);
        meter.nanoseconds.fetch_add(nanoseconds, Ordering::Relaxed);
    });
}
