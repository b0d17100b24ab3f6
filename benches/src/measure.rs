//! One measurement, and the medians of several.

use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::Result;

use crate::load::Wrk;
use crate::operations::Request;
use crate::redis_server::RedisServer;
use crate::server::Server;
use crate::usage::processor_time;

/// How long a server may go on with what was sent to it when the load ends.
const SETTLE_LIMIT: Duration = Duration::from_secs(2);

/// What a second of load cost, or the median of several.
#[derive(Clone, Copy, Debug, Default)]
pub struct Figures {
    /// Processor time of the server for each request, in microseconds.
    pub server_micros: f64,
    /// The same of Redis.
    pub redis_micros: f64,
    pub per_second: f64,
    pub p50_micros: f64,
    pub p99_micros: f64,
    /// How often Redis was sent something for each request: round trips, with one connection.
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
    let server_after = settled(server.pid())?;
    let redis_after = processor_time(redis.pid())?;
    let reads = redis.reads()? - reads - 1;
    // The requests that were on their way at the end are answered, and paid for, too.
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

/// A server's processor time when it has come to rest.
fn settled(pid: u32) -> Result<Duration> {
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

/// The median of each figure.
pub fn medians(rounds: &[Figures]) -> Figures {
    let of = |figure: fn(&Figures) -> f64| median(rounds.iter().map(figure));
    Figures {
        server_micros: of(|it| it.server_micros),
        redis_micros: of(|it| it.redis_micros),
        per_second: of(|it| it.per_second),
        p50_micros: of(|it| it.p50_micros),
        p99_micros: of(|it| it.p99_micros),
        round_trips: of(|it| it.round_trips),
    }
}

/// The one in the middle; of an even number the upper of the two.
pub fn median(figures: impl Iterator<Item = f64>) -> f64 {
    let mut figures: Vec<f64> = figures.collect();
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}
