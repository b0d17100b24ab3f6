//! The local server: every route and `public/` on one port, with a Redis of its own if none is set.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use llmos::app::App;
use llmos::config::{Config, LocalConfig, Secret, load_dotenv};
use llmos::http;
use llmos::local::redis_server::{self, RedisServer};
use llmos::serve::{self, AppService};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tower::ServiceExt;
use tower_http::services::ServeDir;

/// How long requests that are running may go on after the signal to stop.
const DRAIN_LIMIT: Duration = Duration::from_secs(5);

#[tokio::main]
#[expect(
    clippy::print_stderr,
    reason = "why a start failed is for the person at the terminal"
)]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("llmos cannot start: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> anyhow::Result<()> {
    load_dotenv().context("cannot read .env")?;
    let mut config = Config::from_env()?;
    let local = LocalConfig::from_env()?;
    // Bound first: a second server on the port must not come to touching data.
    let address = SocketAddr::new(local.host, local.port);
    let listener = TcpListener::bind(address).await.with_context(|| {
        format!("cannot listen on {address}: stop what runs there, or set PORT to another port")
    })?;
    let redis = if config.redis_url.is_none() {
        start_redis(&local).await?
    } else {
        None
    };
    if let Some(redis) = &redis {
        config.redis_url = Some(Secret::new(redis.url()));
    }
    introduce(listener.local_addr()?, &config, redis.as_ref());

    let api = serve::service(http::router(), App::new(config));
    let router = Router::new().fallback(move |request: Request| file_or_api(request, api.clone()));
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let server = axum::serve(listener, router).with_graceful_shutdown(async {
        // An error is a signal, too: the sender is gone.
        let _ = stopped.await;
    });
    let server = tokio::spawn(server.into_future());
    wait_for_signal().await?;
    let _ = stop.send(());
    let _ = tokio::time::timeout(DRAIN_LIMIT, server).await;
    if let Some(redis) = redis {
        redis.stop().await;
    }
    Ok(())
}

/// Answers a file of `public/`, or, where there is none, what the API says: also of unknown paths, as JSON.
async fn file_or_api(request: Request, api: AppService) -> Response {
    let (parts, body) = request.into_parts();
    if !parts.uri.path().starts_with("/api/") {
        let wanted = Request::from_parts(parts.clone(), Body::empty());
        let Ok(file) = ServeDir::new("public").oneshot(wanted).await;
        // A name that no file can have is a failure to the file system, and to us a name of nothing.
        let is_none = file.status().is_server_error()
            || [StatusCode::NOT_FOUND, StatusCode::METHOD_NOT_ALLOWED].contains(&file.status());
        if !is_none {
            return file.into_response();
        }
    }
    let Ok(response) = api.oneshot(Request::from_parts(parts, body)).await;
    response
}

/// Starts the private Redis; nothing where the program is missing, which is said in one line.
async fn start_redis(local: &LocalConfig) -> anyhow::Result<Option<RedisServer>> {
    match RedisServer::start(&local.directory.join("redis")).await {
        Ok(server) => Ok(Some(server)),
        Err(redis_server::Error::NotInstalled) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// The first lines on the terminal: where, on what storage, and what is missing.
#[expect(
    clippy::print_stdout,
    reason = "these lines are for the person at the terminal"
)]
fn introduce(address: SocketAddr, config: &Config, redis: Option<&RedisServer>) {
    println!("llmos      http://{address}");
    match (redis, &config.redis_url) {
        (Some(redis), _) => {
            println!(
                "sessions   private Redis, data in {}",
                redis.directory().display()
            );
        }
        (None, Some(_)) => println!("sessions   Redis at REDIS_URL"),
        (None, None) => println!(
            "sessions   samples only, nothing is stored: install redis-server (apt install redis-server, \
             brew install redis) or set REDIS_URL"
        ),
    }
    let missing: Vec<&str> = [
        (
            "BLOB_READ_WRITE_TOKEN",
            config.blob.read_write_token.is_none(),
        ),
        ("ANTHROPIC_API_KEY", config.anthropic_api_key.is_none()),
    ]
    .into_iter()
    .filter_map(|(name, is_missing)| is_missing.then_some(name))
    .collect();
    if !missing.is_empty() {
        println!("not set    {}", missing.join(", "));
    }
    if !address.ip().is_loopback() {
        println!("careful    every machine that reaches {address} may read and write everything");
    }
}

/// Ctrl-C, `kill`, or a terminal that is closed.
async fn wait_for_signal() -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hang_up = signal(SignalKind::hangup())?;
    tokio::select! {
        result = tokio::signal::ctrl_c() => result?,
        _ = terminate.recv() => {}
        _ = hang_up.recv() => {}
    }
    Ok(())
}
