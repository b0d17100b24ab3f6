//! The benchmark of `make bench`: the `sessions` function, the same API on two other frameworks, and two ceilings, on
//! one private Redis, loaded in turn.
//!
//! Then the `chat` function, and the same in Node. With the argument `chat` or `requests` only one of the two is measured.
//!
//! Prints the figures, and writes them to `benches/RESULTS.md` and `docs/performance.md`. The run stops at the first
//! response that is missing or differs from that of our function.

mod answers;
mod chat;
mod goals;
mod load;
mod machine;
mod measure;
mod operations;
mod redis_server;
mod report;
mod request;
mod server;
mod token;
mod usage;

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::load::Wrk;
use crate::measure::{Figures, measure, medians};
use crate::operations::{CEILINGS, Operations};
use crate::redis_server::RedisServer;
use crate::report::{Report, Row, function_sizes};
use crate::request::Request;
use crate::server::{Kind, Server};

/// The number of rounds; figures are medians of the rounds.
const ROUNDS: usize = 5;
/// The numbers of concurrent connections; each sends one request at a time.
pub const CONNECTIONS: [u32; 2] = [1, 32];
/// The number of starts of each server.
pub const COLD_STARTS: usize = 20;
/// The size of the small value of the ceiling, which measures a request almost without transfer.
const SMALL_BYTES: usize = 100;

/// A request to a server, to be measured.
struct Subject<'a> {
    server: &'a Server,
    operation: String,
    request: Request,
}

fn main() -> Result<()> {
    let started = Instant::now();
    let only = std::env::args().nth(1);
    match only.as_deref() {
        None => {
            requests(started)?;
            chat::run(started)?.publish()
        }
        Some("chat") => chat::run(started)?.publish(),
        Some("requests") => requests(started),
        Some(other) => bail!("{other} is not `chat` or `requests`"),
    }
}

/// Measures sessions and messages.
fn requests(started: Instant) -> Result<()> {
    let mut redis = RedisServer::start()?;
    let apis = Kind::APIS
        .iter()
        .map(|kind| {
            let server = Server::start(*kind, &redis)?;
            let operations = Operations::prepare(&server)?;
            Ok((server, operations))
        })
        .collect::<Result<Vec<_>>>()?;
    answers::compare(&apis)?;
    progress(started, "all servers return the same responses");

    let (ours, our_operations) = &apis[0];
    let ceiling_get = Server::start(Kind::CeilingGet, &redis)?;
    let ceiling_constant = Server::start(Kind::CeilingConstant, &redis)?;
    let mut subjects = Vec::new();
    for index in 0..our_operations.all().len() {
        for (server, operations) in &apis {
            let (name, request) = operations.all()[index];
            subjects.push(Subject {
                server,
                operation: name.to_owned(),
                request: request.clone(),
            });
        }
    }
    let sizes = [
        SMALL_BYTES,
        our_operations.find.send(&ours.base)?.len(),
        our_operations.messages.send(&ours.base)?.len(),
    ];
    for (index, bytes) in sizes.into_iter().enumerate() {
        let key = format!("bytes-{index}");
        redis.fill(&key, bytes)?;
        subjects.push(Subject {
            server: &ceiling_get,
            operation: CEILINGS[index].to_owned(),
            request: Request::get(format!("/{key}")),
        });
    }
    subjects.push(Subject {
        server: &ceiling_constant,
        operation: "11 bytes".to_owned(),
        request: Request::get("/"),
    });

    let rows = run(&mut redis, &subjects, started)?;
    let cold_starts = cold_starts(&redis, &apis, &ceiling_get)?;
    let servers = apis.iter().map(|(server, _)| server);
    let servers = servers.chain([&ceiling_get, &ceiling_constant]);
    let peak_memory = servers
        .map(|server| Ok((server.kind, usage::peak_memory(server.pid())?)))
        .collect::<Result<Vec<_>>>()?;
    progress(started, "done");

    let report = Report {
        rows,
        peak_memory,
        cold_starts,
        functions: function_sizes()?,
        redis_version: redis.version()?,
    };
    report.publish(&goals::goals(&report)?)
}

/// Measures each subject in turn, `ROUNDS` times, so that other load of the machine affects all alike.
fn run(redis: &mut RedisServer, subjects: &[Subject<'_>], started: Instant) -> Result<Vec<Row>> {
    let wrk = Wrk::new()?;
    for subject in subjects {
        measure(
            &wrk,
            subject.server,
            redis,
            &subject.request,
            CONNECTIONS[1],
        )?;
    }
    progress(started, "all servers are warm");
    let mut figures = vec![[const { Vec::<Figures>::new() }; CONNECTIONS.len()]; subjects.len()];
    for round in 1..=ROUNDS {
        for (index, connections) in CONNECTIONS.into_iter().enumerate() {
            for (subject, figures) in subjects.iter().zip(&mut figures) {
                let found = measure(&wrk, subject.server, redis, &subject.request, connections)?;
                figures[index].push(found);
            }
        }
        progress(started, &format!("round {round} of {ROUNDS}"));
    }
    let rows = subjects.iter().zip(&figures).map(|(subject, figures)| Row {
        kind: subject.server.kind,
        operation: subject.operation.clone(),
        figures: [medians(&figures[0]), medians(&figures[1])],
    });
    Ok(rows.collect())
}

/// Returns the median time from process start to the first response with data from Redis, per kind of server.
fn cold_starts(
    redis: &RedisServer,
    apis: &[(Server, Operations)],
    ceiling: &Server,
) -> Result<Vec<(Kind, Duration)>> {
    let mut subjects: Vec<(Kind, Request, Vec<Duration>)> = apis
        .iter()
        .map(|(server, operations)| (server.kind, operations.find.clone(), Vec::new()))
        .collect();
    subjects.push((ceiling.kind, Request::get("/bytes-0"), Vec::new()));
    for _ in 0..COLD_STARTS {
        for (kind, request, times) in &mut subjects {
            times.push(Server::time_first_answer(*kind, redis, request)?);
        }
    }
    subjects
        .into_iter()
        .map(|(kind, _, mut times)| {
            times.sort_unstable();
            let median = times.get(times.len() / 2).copied();
            Ok((kind, median.context("no cold start was measured")?))
        })
        .collect()
}

/// Prints what was done.
pub fn progress(started: Instant, what: &str) {
    eprintln!("{:4} s  {what}", started.elapsed().as_secs());
}
