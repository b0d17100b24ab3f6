//! What each route costs: the release `sessions` function on a private Redis, one caller, over HTTP.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    dead_code,
    missing_docs,
    unreachable_pub,
    unused_imports
)]

#[path = "../tests/it/support/mod.rs"]
mod support;

use std::time::{Duration, Instant};

use axum::http::Method;
use serde_json::json;
use support::{Client, Process, Redis};

const FUNCTION: &str = env!("CARGO_BIN_EXE_sessions");
const REQUESTS: usize = 2_000;
const COLD_STARTS: usize = 20;
/// How many sessions the volume holds that pages are read from, and messages the session.
const SESSIONS: usize = 1_000;
const MESSAGES: usize = 1_000;

#[tokio::main]
async fn main() {
    let redis = Redis::start().await;
    let url = redis.url();
    let environment = [("REDIS_URL", url.as_str()), ("REQUEST_LOG", "off")];
    let (_process, api) = Process::function(FUNCTION, &environment).await;
    let id = fill(&api).await;

    println!(
        "{REQUESTS} requests each, one at a time; volume of {SESSIONS} sessions, session of {MESSAGES} messages\n"
    );
    println!("| route | median | 99th | of it Redis | round trips |");
    println!("|---|---:|---:|---:|---:|");
    let message = json!({"role": "user", "content": "x".repeat(200)}).to_string();
    let session = json!({"name": "x", "volume": "user", "initial_message": "y"}).to_string();
    for (title, method, path, body) in [
        (
            "create a session",
            Method::POST,
            "/api/sessions".to_owned(),
            session,
        ),
        (
            "append a message",
            Method::POST,
            format!("/api/sessions/{id}/messages"),
            message,
        ),
        (
            "session with 20 messages",
            Method::GET,
            format!("/api/sessions/{id}?messages=20"),
            String::new(),
        ),
        (
            "latest 20 messages",
            Method::GET,
            format!("/api/sessions/{id}/messages?limit=20"),
            String::new(),
        ),
        (
            "page of 20 sessions",
            Method::GET,
            "/api/sessions?volume=user&limit=20".to_owned(),
            String::new(),
        ),
        (
            "change the status",
            Method::PUT,
            format!("/api/sessions/{id}?status=paused"),
            String::new(),
        ),
    ] {
        measure(&api, title, method, &path, &body).await;
    }
    cold_start(&environment, &id).await;
    let bytes = std::fs::metadata(FUNCTION).unwrap().len();
    println!(
        "\nsize of the function: {:.1} MB",
        f64::from(u32::try_from(bytes).unwrap()) / 1e6
    );
}

/// Makes the sessions and messages that are read; the id of the session with the messages.
async fn fill(api: &Client) -> String {
    for _ in 0..SESSIONS {
        api.create_session("filler").await;
    }
    let id = api.create_session("measured").await;
    let batch: Vec<_> = (0..100)
        .map(|_| json!({"role": "user", "content": "x".repeat(200)}))
        .collect();
    for _ in 0..MESSAGES / batch.len() {
        let path = format!("/api/sessions/{id}/messages");
        let _ = api
            .post(&path, &json!({"messages": batch}))
            .await
            .assert_status(200);
    }
    id
}

async fn measure(api: &Client, title: &str, method: Method, path: &str, body: &str) {
    let (mut total, mut redis, mut round_trips) = (Vec::new(), Vec::new(), 0);
    for _ in 0..REQUESTS {
        let response = api.send_json(method.clone(), path, body).await;
        assert!(response.status.is_success(), "{title}: {}", response.status);
        round_trips = round_trips.max(response.round_trips());
        redis.push(redis_time(response.header("server-timing").unwrap()));
        total.push(response.elapsed);
    }
    let (median, worst) = (percentile(&mut total, 50), percentile(&mut total, 99));
    let redis = percentile(&mut redis, 50);
    println!(
        "| {title} | {} | {} | {} | {round_trips} |",
        micros(median),
        micros(worst),
        micros(redis)
    );
}

/// From the start of a process to its first answer that read Redis.
async fn cold_start(environment: &[(&str, &str)], id: &str) {
    let mut times = Vec::new();
    for _ in 0..COLD_STARTS {
        let started = Instant::now();
        let (_process, api) = Process::function(FUNCTION, environment).await;
        let _ = api
            .get(&format!("/api/sessions/{id}"))
            .await
            .assert_status(200);
        times.push(started.elapsed());
    }
    println!(
        "\ncold start: {} median of {COLD_STARTS}",
        micros(percentile(&mut times, 50))
    );
}

fn redis_time(server_timing: &str) -> Duration {
    let (_, rest) = server_timing.split_once("dur=").unwrap();
    let milliseconds: f64 = rest.split(',').next().unwrap().parse().unwrap();
    Duration::from_secs_f64(milliseconds / 1e3)
}

fn percentile(times: &mut [Duration], percent: usize) -> Duration {
    times.sort_unstable();
    times[(times.len() - 1) * percent / 100]
}

fn micros(time: Duration) -> String {
    format!("{} µs", time.as_micros())
}
