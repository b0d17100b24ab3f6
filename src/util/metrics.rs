//! Counts what a request costs Redis and Blob, where commands and requests are sent.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

tokio::task_local! {
    static METER: Arc<RequestMetrics>;
}

/// What one request has spent so far.
#[derive(Debug, Default)]
pub struct RequestMetrics {
    /// Round trips to Redis; on a cluster those at the same time count as one.
    pub redis: Count,
    /// Requests to Blob. Those that ran at the same time count each for itself.
    pub blob: Count,
}

/// How often, and how long in all, something was waited for.
#[derive(Debug, Default)]
pub struct Count {
    times: AtomicU32,
    nanoseconds: AtomicU64,
}

impl RequestMetrics {
    /// Runs a request and counts on this meter all that it asks of storage.
    pub async fn measure<F: Future>(self: Arc<Self>, request: F) -> F::Output {
        METER.scope(self, request).await
    }
}

impl Count {
    /// How often.
    pub fn times(&self) -> u32 {
        self.times.load(Ordering::Relaxed)
    }

    /// How long in all.
    pub fn elapsed(&self) -> Duration {
        Duration::from_nanos(self.nanoseconds.load(Ordering::Relaxed))
    }

    fn add(&self, elapsed: Duration) {
        let nanoseconds = u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX);
        self.times.fetch_add(1, Ordering::Relaxed);
        self.nanoseconds.fetch_add(nanoseconds, Ordering::Relaxed);
    }
}

/// Notes one round trip to Redis on the meter of the request that is running, if there is one.
pub(crate) fn count_round_trip(elapsed: Duration) {
    // Outside a request (the doctor, start-up) nobody counts.
    let _ = METER.try_with(|meter| meter.redis.add(elapsed));
}

/// Runs what sends several commands at the same time to the nodes of a cluster: together they are one round trip.
pub(crate) async fn count_as_one<F: Future>(commands: F) -> F::Output {
    let started = Instant::now();
    let meter = Arc::<RequestMetrics>::default();
    let output = meter.clone().measure(commands).await;
    if meter.redis.times() > 0 {
        count_round_trip(started.elapsed());
    }
    output
}

/// Notes one request to Blob.
pub(crate) fn count_blob_request(elapsed: Duration) {
    let _ = METER.try_with(|meter| meter.blob.add(elapsed));
}
