//! What `make bench` runs: our `sessions` function, the same API as others would build it, and two ceilings, on one
//! private Redis, loaded in turn.
//!
//! Prints what it finds, and writes it into `benches/RESULTS.md` and `docs/performance.md`. It stops at the first answer
//! that is missing, or not what our function answers.

mod answers;
mod goals;
mod load;
mod machine;
mod measure;
mod operations;
mod redis_server;
mod report;
mod server;
mod usage;

use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::load::Wrk;
use crate::measure::{Figures, measure, medians};
use crate::operations::{Operations, Request};
use crate::redis_server::RedisServer;
use crate::report::{Report, Row, function_sizes};
use crate::server::{Kind, Server};

/// How often each server has its turn; figures are the medians.
const ROUNDS: usize = 5;
/// How many connections send requests, each one after another.
pub const CONNECTIONS: [u32; 2] = [1, 32];
const COLD_STARTS: usize = 20;
/// The size of the value that the ceiling answers as what a request costs without its bytes.
const SMALL_BYTES: usize = 100;

/// What the ceiling with Redis answers: a small value, and values of the size of two answers.
pub const CEILINGS: [&str; 3] = ["100 bytes", "bytes of get", "bytes of messages"];

/// Something that is measured.
struct Subject<'a> {
    server: &'a Server,
    operation: String,
    request: Request,
}

fn main() -> Result<()> {
    let started = Instant::now();
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
    progress(started, "all servers answer the same");

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
    report.publish()
}

/// Each subject in its turn, `ROUNDS` times, so that whatever else the machine does hits all alike.
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
        for (place, connections) in CONNECTIONS.into_iter().enumerate() {
            for (subject, figures) in subjects.iter().zip(&mut figures) {
                let found = measure(&wrk, subject.server, redis, &subject.request, connections)?;
                figures[place].push(found);
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

/// How long processes take from their start to their first answer that read Redis, each kind in its turn.
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
            Ok((kind, median.context("no cold start")?))
        })
        .collect()
}

fn progress(started: Instant, what: &str) {
    eprintln!("{:4} s  {what}", started.elapsed().as_secs());
}
