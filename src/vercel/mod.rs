//! Runs a router as a Vercel function.

mod adapter;

use std::io;
use std::time::Duration;

use axum::Router;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::MissedTickBehavior;

use self::adapter::VercelService;
use crate::app::App;
use crate::config::{Config, ConfigError, has_log_channel};
use crate::http::layers::{AppService, misconfigured_service, service};
use crate::util::background::Background;
use crate::util::log;

/// The period of the timer of [`keep_earliest_timer`]: shorter than every timeout of a request.
const EARLIEST_TIMER: Duration = Duration::from_millis(500);
/// The time limit of running requests after the last one was accepted. A stream is cut off then; a route
/// that streams for longer needs a drain limit of its own.
const DRAIN_LIMIT: Duration = Duration::from_secs(5);
/// The pause before accepting again after a connection could not be accepted.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Runs `router` as a Vercel function, with the environment as its configuration. If a variable has an invalid value,
/// the function still starts: `/api/health` names the variable, and every other route fails.
///
/// The runtime returns at `SIGTERM`, and at the first connection that it cannot accept, for example when no file
/// descriptor is left. Running requests are completed in both cases. Off Vercel the runtime is then started again. On
/// Vercel it is not: a process reports its start only once, and Vercel replaces a process that ends.
///
/// # Errors
/// If the runtime cannot start, or cannot accept connections any more.
pub async fn serve(router: Router<App>) -> Result<(), vercel_runtime::Error> {
    log::install();
    let has_log_channel = has_log_channel();
    let background = Background::default();
    let service = service_of(router, Config::from_env(), &background);
    let service = VercelService::new(service, has_log_channel);
    tokio::spawn(keep_earliest_timer());
    tokio::spawn(end_at_signal(background.clone()));
    loop {
        match vercel_runtime::run(service.clone()).await {
            Err(error) if !has_log_channel && is_accept_error(error.as_ref()) => {
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
            ended => {
                background.end(DRAIN_LIMIT).await;
                service.drain(DRAIN_LIMIT).await;
                return ended;
            }
        }
    }
}

fn service_of(
    router: Router<App>,
    config: Result<Config, ConfigError>,
    background: &Background,
) -> AppService {
    match config {
        Ok(config) => service(router, App::with_background(config, background.clone())),
        Err(error) => {
            tracing::error!(error = %error, "the configuration is invalid");
            misconfigured_service(error)
        }
    }
}

/// Ends the background work at `SIGTERM`: the runtime waits for it before it returns.
async fn end_at_signal(background: Background) {
    if let Ok(mut terminate) = signal(SignalKind::terminate()) {
        terminate.recv().await;
        background.end(DRAIN_LIMIT).await;
    }
}

/// Keeps a timer that is due before all others. When a timer is registered that is due before all others, tokio unparks
/// its I/O driver (`runtime/time/mod.rs`, `reregister`): a write to the eventfd that wakes `epoll_wait`, and a read of it.
/// Without this task, each request would cost that twice: for its time limit and for the response timeout of Redis.
async fn keep_earliest_timer() {
    let mut interval = tokio::time::interval(EARLIEST_TIMER);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        interval.tick().await;
    }
}

/// Returns whether an error concerns one connection only, so that the next one may be accepted: the process or the system has
/// no file descriptor left, or the client closed the connection before it was accepted.
fn is_accept_error(error: &(dyn std::error::Error + 'static)) -> bool {
    // The names are of POSIX (accept, "Errors"), the numbers of Linux (include/uapi/asm-generic/errno-base.h); macOS
    // has the same numbers.
    const ENFILE: i32 = 23;
    const EMFILE: i32 = 24;
    error.downcast_ref::<io::Error>().is_some_and(|error| {
        matches!(error.raw_os_error(), Some(ENFILE | EMFILE))
            || error.kind() == io::ErrorKind::ConnectionAborted
    })
}
