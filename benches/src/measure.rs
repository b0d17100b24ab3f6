//! One measurement, and the medians of several.

use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::Result;

use crate::load::Wrk;
use crate::redis_server::RedisServer;
use crate::request::Request;
use crate::server::Server;
use crate::usage::processor_time;

/// The maximum time that a server needs for pending requests after the load ends.
const SETTLE_LIMIT: Duration = Duration::from_secs(2);

/// The figures of one second of load, or their medians.
#[derive(Clone, Copy, Debug, Default)]
pub struct Figures {
    /// Processor time of the server per request, in microseconds.
    pub server_micros: f64,
    /// Processor time of Redis per request, in microseconds.
    pub redis_micros: f64,
    pub per_second: f64,
    pub p50_micros: f64,
    pub p99_micros: f64,
    /// Reads by Redis per request; with one connection this is the number of round trips.
    pub round_trips: f64,
}

/// Loads a server for a second.
pub fn measure(
    wrk: &Wrk,
    server: &Server,
    redis: &mut RedisServer,
    request: &Request,
    connections: u32,
) -> Result<Figures> {
    let reads = redis.reads()?;
    let (server_before, redis_before) =
        (processor_time(server.pid())?, processor_time(redis.pid())?);
    let load = wrk.run(&server.base, request, connections)?;
    let server_after = settled_processor_time(server.pid())?;
    let redis_after = processor_time(redis.pid())?;
    let reads = redis.reads()? - reads - 1;
    // Requests in flight at the end are processed, but wrk does not count them.
    let requests = (load.requests + u64::from(connections)) as f64;
    let micros =
        |from: Duration, to: Duration| to.saturating_sub(from).as_secs_f64() * 1e6 / requests;
    Ok(Figures {
        server_micros: micros(server_before, server_after),
        redis_micros: micros(redis_before, redis_after),
        per_second: load.per_second,
        p50_micros: load.p50_micros as f64,
        p99_micros: load.p99_micros as f64,
        round_trips: reads as f64 / requests,
    })
}

/// Waits until a server is idle and returns its processor time.
pub fn settled_processor_time(pid: u32) -> Result<Duration> {
    let started = Instant::now();
    let mut last = processor_time(pid)?;
    while started.elapsed() < SETTLE_LIMIT {
        sleep(Duration::from_millis(5));
        let now = processor_time(pid)?;
        if now.saturating_sub(last) < Duration::from_micros(500) {
            return Ok(now);
        }
        last = now;
    }
    Ok(last)
}

/// Returns the median of each figure.
pub fn medians(rounds: &[Figures]) -> Figures {
    let median_of = |figure: fn(&Figures) -> f64| median(rounds.iter().map(figure));
    Figures {
        server_micros: median_of(|figures| figures.server_micros),
        redis_micros: median_of(|figures| figures.redis_micros),
        per_second: median_of(|figures| figures.per_second),
        p50_micros: median_of(|figures| figures.p50_micros),
        p99_micros: median_of(|figures| figures.p99_micros),
        round_trips: median_of(|figures| figures.round_trips),
    }
}

/// Returns the median; the upper one of two middle values.
pub fn median(figures: impl Iterator<Item = f64>) -> f64 {
    let mut figures: Vec<f64> = figures.collect();
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}
