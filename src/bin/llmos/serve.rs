//! The local server: every route and `public/` on one port, with a Redis and a Blob store of its own if none
//! is set.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, anyhow};
use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::serve::ListenerExt;
use llmos::app::App;
use llmos::blob::BlobConfig;
use llmos::config::{Config, LocalConfig, load_dotenv};
use llmos::http;
use llmos::http::service::AppService;
use llmos::http::service::service as api_service;
use llmos::local::blob_store::{self, BlobStore, LOCAL_TOKEN};
use llmos::local::page_headers::page_headers;
use llmos::local::redis_server::{self, RedisServer};
use llmos::local::startup_banner::introduce;
use llmos::util::hash::hex;
use llmos::util::log;
use llmos::util::secret::Secret;
use ring::rand::{SecureRandom, SystemRandom};
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
    log::install();
    let mut config = Config::from_env()?;
    let local = LocalConfig::from_env()?;
    let page_headers = page_headers()?;
    config.access.is_public |= !local.host.is_loopback();
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
    let address = listener.local_addr()?;
    // A head and the body after it are two writes: without this the second waits for the caller's system.
    let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
    let blobs = if config.blob.read_write_token.is_none() && config.blob.store_id.is_none() {
        Some(open_blob_store(&local, address, &mut config.blob)?)
    } else {
        None
    };
    introduce(address, &config, redis.as_ref(), blobs.as_ref());

    let services = Services {
        api: api_service(http::router(), App::new(config)),
        blobs: blobs.map(blob_store::router),
        page_headers,
    };
    let router = Router::new().fallback(move |request: Request| answer(request, services.clone()));
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let router = router.into_make_service_with_connect_info::<SocketAddr>();
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

/// What there is on the port, besides files.
#[derive(Clone)]
struct Services {
    api: AppService,
    blobs: Option<Router>,
    page_headers: HeaderMap,
}

/// Answers from the Blob store below `/_blob`, else a file of `public/`, or, where there is none, what the API
/// says: also of unknown paths, as JSON.
async fn answer(request: Request, services: Services) -> Response {
    if let Some(blobs) = services.blobs
        && format!("{}/", request.uri().path()).starts_with("/_blob/")
    {
        let Ok(response) = blobs.oneshot(request).await;
        return response;
    }
    let (parts, body) = request.into_parts();
    if !parts.uri.path().starts_with("/api/") {
        let wanted = Request::from_parts(parts.clone(), Body::empty());
        let Ok(file) = ServeDir::new("public").oneshot(wanted).await;
        // A name that no file can have is a failure to the file system, and to us a name of nothing.
        let is_none = file.status().is_server_error()
            || [StatusCode::NOT_FOUND, StatusCode::METHOD_NOT_ALLOWED].contains(&file.status());
        if !is_none {
            let mut file = file.into_response();
            file.headers_mut().extend(services.page_headers);
            return file;
        }
    }
    let Ok(response) = services.api.oneshot(Request::from_parts(parts, body)).await;
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

/// What signs until the end of this process.
fn random_key() -> anyhow::Result<Secret> {
    let mut key = [0; 32];
    SystemRandom::new()
        .fill(&mut key)
        .map_err(|_| anyhow!("the system gives no random bytes"))?;
    Ok(Secret::new(hex(&key)))
}

/// Opens the Blob store on disk, and lets our own service use it as any other program would: over HTTP.
fn open_blob_store(
    local: &LocalConfig,
    address: SocketAddr,
    config: &mut BlobConfig,
) -> anyhow::Result<BlobStore> {
    let store = BlobStore::open(&local.directory.join("blob"), LOCAL_TOKEN)?;
    // Nobody can connect to "every address of this machine"; this machine's own will do.
    let ip = match address.ip() {
        ip if !ip.is_unspecified() => ip,
        IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
    };
    let api_url = format!("http://{}/_blob", SocketAddr::new(ip, address.port()));
    config.read_write_token = Some(Secret::new(LOCAL_TOKEN.to_owned()));
    config.link_key = Some(random_key()?);
    config.content_url = Some(format!("{api_url}/content"));
    config.api_url = Some(api_url);
    config.browser_api_url = Some("/_blob".to_owned());
    Ok(store)
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
