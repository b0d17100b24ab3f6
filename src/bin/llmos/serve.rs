//! `llmos serve`: the local server. It serves the API and `public/` on one port, and starts a private Redis and a
//! Blob store if none is configured.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::process::{Command, ExitCode};
use std::time::Duration;

use anyhow::{Context, anyhow};
use axum::Router;
use axum::extract::Request;
use axum::http::HeaderMap;
use axum::response::Response;
use axum::serve::ListenerExt;
use llmos::app::App;
use llmos::blob::BlobConfig;
use llmos::config::{Config, LocalConfig, load_dotenv};
use llmos::http;
use llmos::http::layers::AppService;
use llmos::http::layers::service as api_service;
use llmos::local::blob_store::{self, BlobStore, LOCAL_TOKEN};
use llmos::local::listeners::listen;
use llmos::local::page_headers::page_headers;
use llmos::local::redis_server::{self, RedisServer};
use llmos::local::startup_banner::{print_address, print_startup_banner};
use llmos::util::background::Background;
use llmos::util::log;
use llmos::util::secret::Secret;
use ring::rand::{SecureRandom, SystemRandom};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tower::ServiceExt;

use crate::WATCHER_COMMAND;
use crate::pages::Pages;

/// Time limit of running requests after the signal to stop.
const DRAIN_LIMIT: Duration = Duration::from_secs(5);

/// Runs the command until a signal stops it, and returns its exit code.
#[expect(clippy::print_stderr, reason = "the error of the command")]
pub(crate) async fn run() -> ExitCode {
    match serve().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("llmos cannot start: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn serve() -> anyhow::Result<()> {
    let sources = load_dotenv()?;
    log::install();
    let mut config = Config::from_local_env(&sources)?;
    let local = LocalConfig::from_env(&sources)?;
    let page_headers = page_headers()?;
    // The port is bound before any data is opened, so that a second server on it does not touch the data.
    let listeners = listen(&local).await?;
    let addresses = listeners.iter().map(TcpListener::local_addr);
    let addresses: Vec<SocketAddr> = addresses.collect::<Result<_, _>>()?;
    let is_loopback = |address: &SocketAddr| address.ip().to_canonical().is_loopback();
    config.access.is_network_reachable |= !addresses.iter().all(is_loopback);
    let redis = if config.redis_url.is_none() {
        start_redis(&local).await?
    } else {
        None
    };
    if let Some(redis) = &redis {
        config.redis_url = Some(Secret::new(redis.url()));
    }
    let address = addresses[0];
    let blobs = if config.blob.read_write_token.is_none() && config.blob.store_id.is_none() {
        Some(open_blob_store(&local, address, &mut config.blob)?)
    } else {
        None
    };
    // A model server that is started later is found by the first message.
    let _ = config.model.find(None, None).await;
    print_address(&addresses, &sources, local.is_host_ignored);
    print_startup_banner(address, &config, redis.as_ref(), blobs.as_ref());

    // With access control, `ALLOWED_HOSTS` has no effect: a name that leads to this machine from the internet must not open
    // the store, whose token is public.
    let allowed_hosts = match config.access.auth.is_configured() {
        true => Vec::new(),
        false => config.access.allowed_hosts.clone(),
    };
    let background = Background::default();
    let services = Services {
        api: api_service(
            http::router(),
            App::with_background(config, background.clone()),
        ),
        blobs: blobs.map(|store| blob_store::router_with_hosts(store, allowed_hosts)),
        pages: Pages::find(),
        page_headers,
    };
    serve_until_signal(listeners, services, background).await?;
    if let Some(redis) = redis {
        redis.stop().await;
    }
    Ok(())
}

/// Serves requests on all listeners. After a signal, running requests have [`DRAIN_LIMIT`] to end.
async fn serve_until_signal(
    listeners: Vec<TcpListener>,
    services: Services,
    background: Background,
) -> anyhow::Result<()> {
    let router = Router::new().fallback(move |request: Request| respond(request, services.clone()));
    let (stop, stopped) = watch::channel(());
    let mut servers = JoinSet::new();
    for listener in listeners {
        // Head and body are two writes. With Nagle's algorithm, the second would wait for the client's acknowledgement.
        let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
        let router = router
            .clone()
            .into_make_service_with_connect_info::<SocketAddr>();
        let mut stopped = stopped.clone();
        let server = axum::serve(listener, router).with_graceful_shutdown(async move {
            // An error means that the sender was dropped, which also stops the server.
            let _ = stopped.changed().await;
        });
        servers.spawn(server.into_future());
    }
    wait_for_signal().await?;
    let _ = stop.send(());
    background.end(DRAIN_LIMIT).await;
    let _ = tokio::time::timeout(DRAIN_LIMIT, servers.join_all()).await;
    Ok(())
}

/// The services behind the port.
#[derive(Clone)]
struct Services {
    api: AppService,
    blobs: Option<Router>,
    pages: Pages,
    page_headers: HeaderMap,
}

/// Routes a request: `/_blob` to the Blob store, `/api` to the API, every other path to a file of `public/`. The API
/// also responds to paths without a file, so that the error is JSON.
async fn respond(request: Request, services: Services) -> Response {
    if let Some(blobs) = services.blobs
        && format!("{}/", request.uri().path()).starts_with("/_blob/")
    {
        let Ok(response) = blobs.oneshot(request).await;
        return response;
    }
    let (parts, body) = request.into_parts();
    if !parts.uri.path().starts_with("/api/")
        && let Some(mut page) = services.pages.get(&parts).await
    {
        page.headers_mut().extend(services.page_headers);
        return page;
    }
    let Ok(response) = services.api.oneshot(Request::from_parts(parts, body)).await;
    response
}

/// Starts the private Redis; returns `None` if no Redis program is installed, which the startup banner reports.
async fn start_redis(local: &LocalConfig) -> anyhow::Result<Option<RedisServer>> {
    let mut watcher = Command::new(std::env::current_exe().context("cannot find this program")?);
    watcher.arg(WATCHER_COMMAND);
    match RedisServer::start(&local.directory.join("redis"), watcher).await {
        Ok(server) => Ok(Some(server)),
        Err(redis_server::Error::NotInstalled) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Returns a random signing key. Links signed with it are valid until the process ends.
fn random_key() -> anyhow::Result<Secret> {
    let mut key = [0; 32];
    SystemRandom::new()
        .fill(&mut key)
        .map_err(|_| anyhow!("the system's random number generator failed"))?;
    Ok(Secret::new(hex::encode(key)))
}

/// Opens the Blob store on disk and configures the service as its client, over HTTP like any other program.
fn open_blob_store(
    local: &LocalConfig,
    address: SocketAddr,
    config: &mut BlobConfig,
) -> anyhow::Result<BlobStore> {
    let store = BlobStore::open(&local.directory.join("blob"), LOCAL_TOKEN)?;
    // The unspecified address is valid for listening only. Clients connect to the loopback address.
    let ip = match address.ip() {
        ip if !ip.is_unspecified() => ip,
        IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
    };
    let api_url = format!("http://{}/_blob", SocketAddr::new(ip, address.port()));
    config.read_write_token = Some(Secret::new(LOCAL_TOKEN.to_owned()));
    config.link_secret = Some(random_key()?);
    config.content_url = Some(format!("{api_url}/content"));
    config.api_url = Some(api_url);
    config.browser_api_url = Some("/_blob".to_owned());
    Ok(store)
}

/// Waits for Ctrl-C, `kill`, or a closed terminal.
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
