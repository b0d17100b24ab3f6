//! Metrics of a request: round trips to Redis and requests to Blob, counted by their clients.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

tokio::task_local! {
    static METRICS: Arc<RequestMetrics>;
}

/// The calls of one request so far.
#[derive(Debug, Default)]
pub struct RequestMetrics {
    /// Round trips to Redis. Concurrent round trips to the nodes of a cluster count as one.
    pub redis: CallStats,
    /// Requests to Blob. Concurrent requests count separately.
    pub blob: CallStats,
}

/// The number and the total duration of calls.
#[derive(Debug, Default)]
pub struct CallStats {
    times: AtomicU32,
    nanoseconds: AtomicU64,
}

impl RequestMetrics {
    /// Runs a request and counts its calls.
    pub async fn measure<F: Future>(self: Arc<Self>, request: F) -> F::Output {
        METRICS.scope(self, request).await
    }
}

impl CallStats {
    /// Returns the number of calls.
    pub fn times(&self) -> u32 {
        self.times.load(Ordering::Relaxed)
    }

    /// Returns the total duration.
    pub fn elapsed(&self) -> Duration {
        Duration::from_nanos(self.nanoseconds.load(Ordering::Relaxed))
    }

    fn add(&self, elapsed: Duration) {
        let nanoseconds = u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX);
        self.times.fetch_add(1, Ordering::Relaxed);
        self.nanoseconds.fetch_add(nanoseconds, Ordering::Relaxed);
    }
}

/// Counts a round trip to Redis for the running request.
pub(crate) fn count_round_trip(elapsed: Duration) {
    // Calls outside of a request, such as those of the doctor, are not counted.
    let _ = METRICS.try_with(|metrics| metrics.redis.add(elapsed));
}

/// Runs concurrent commands to the nodes of a cluster, and counts them as one round trip.
pub(crate) async fn count_as_one<F: Future>(commands: F) -> F::Output {
    let started = Instant::now();
    let metrics = Arc::<RequestMetrics>::default();
    let output = metrics.clone().measure(commands).await;
    if metrics.redis.times() > 0 {
        count_round_trip(started.elapsed());
    }
    output
}

/// Counts a request to Blob.
pub(crate) fn count_blob_request(elapsed: Duration) {
    let _ = METRICS.try_with(|metrics| metrics.blob.add(elapsed));
}
