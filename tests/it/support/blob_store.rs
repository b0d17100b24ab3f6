//! The local Blob store on a port of its own, which remembers its requests and misbehaves on command.

use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::request::Parts;
use axum::http::{Request, Response};
use futures_util::{StreamExt, stream};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use llmos::blob::BlobConfig;
use llmos::config::Config;
use llmos::local::blob_store::{self, BlobStore, LOCAL_TOKEN};
use llmos::util::secret::Secret;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, JoinSet};
use tower::ServiceExt;

use super::http_client;

/// What happens to a request.
#[derive(Clone, Debug)]
pub enum Fault {
    /// The store answers it.
    Pass,
    /// The store does not see it; this is the answer.
    Answer {
        status: u16,
        headers: Vec<(&'static str, String)>,
        body: String,
    },
    /// The store answers it after a while.
    Delay(Duration),
    /// It is never answered.
    Hang,
    /// The store answers it, and the connection breaks after so many bytes of the answer's body.
    BreakBody(usize),
    /// The store answers it, and the connection breaks in place of the answer.
    LoseAnswer,
    /// The connection breaks, and the store does not see it.
    Close,
}

impl Fault {
    /// An error of the service, in its form.
    pub fn error(status: u16, code: &str) -> Self {
        let body = serde_json::json!({"error": {"code": code, "message": "injected"}});
        Self::Answer {
            status,
            headers: vec![("content-type", "application/json".to_owned())],
            body: body.to_string(),
        }
    }
}

type Decide = dyn Fn(&Parts) -> Fault + Send + Sync;

/// A running store.
pub struct BlobServer {
    port: u16,
    shared: Shared,
    task: JoinHandle<()>,
    directory: TempDir,
}

#[derive(Clone)]
struct Shared {
    router: Router,
    requests: Arc<Mutex<Vec<String>>>,
    decide: Arc<Mutex<Arc<Decide>>>,
}

impl BlobServer {
    pub const TOKEN: &str = LOCAL_TOKEN;

    /// Starts an empty store.
    pub async fn start() -> Self {
        let directory = TempDir::new().unwrap();
        let store = BlobStore::open(&directory.path().join("blob"), Self::TOKEN).unwrap();
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Shared {
            router: blob_store::router(store),
            requests: Arc::default(),
            decide: Arc::new(Mutex::new(Arc::new(|_: &Parts| Fault::Pass))),
        };
        let task = tokio::spawn(serve(listener, shared.clone()));
        Self {
            port,
            shared,
            task,
            directory,
        }
    }

    /// `http://host:port`.
    pub fn base(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// What `VERCEL_BLOB_API_URL` is to be.
    pub fn api_url(&self) -> String {
        format!("{}/_blob", self.base())
    }

    /// What `BLOB_CONTENT_URL` is to be.
    pub fn content_url(&self) -> String {
        format!("{}/_blob/content", self.base())
    }

    /// The configuration of a production deployment that keeps its files here, without a Redis.
    pub fn config(&self) -> Config {
        Config {
            blob: BlobConfig {
                read_write_token: Some(Secret::new(Self::TOKEN.to_owned())),
                api_url: Some(self.api_url()),
                ..BlobConfig::default()
            },
            vercel_env: Some("production".to_owned()),
            ..Config::default()
        }
    }

    /// The pathnames of all that is stored, asked of the store itself.
    pub async fn pathnames(&self) -> Vec<String> {
        let list = http_client().build().unwrap().get(self.api_url());
        let list = list.bearer_auth(Self::TOKEN).send().await.unwrap();
        let list: serde_json::Value = serde_json::from_str(&list.text().await.unwrap()).unwrap();
        assert_eq!(list["hasMore"], false, "{list}");
        let blobs = list["blobs"].as_array().unwrap().iter();
        blobs
            .map(|blob| blob["pathname"].as_str().unwrap().to_owned())
            .collect()
    }

    /// Where the store keeps its data.
    pub fn directory(&self) -> PathBuf {
        self.directory.path().join("blob")
    }

    /// `METHOD path?query` of each request so far, in order.
    pub fn requests(&self) -> Vec<String> {
        self.shared.requests.lock().unwrap().clone()
    }

    /// Forgets the requests so far.
    pub fn clear(&self) {
        self.shared.requests.lock().unwrap().clear();
    }

    /// From now on, `decide` says what happens to each request.
    pub fn fail_with(&self, decide: impl Fn(&Parts) -> Fault + Send + Sync + 'static) {
        *self.shared.decide.lock().unwrap() = Arc::new(decide);
    }

    /// From now on, all requests pass.
    pub fn heal(&self) {
        self.fail_with(|_| Fault::Pass);
    }
}

impl Drop for BlobServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Answers connections until it is aborted, which breaks those that are open.
async fn serve(listener: TcpListener, shared: Shared) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        stream.set_nodelay(true).unwrap();
        let shared = shared.clone();
        let service = service_fn(move |request| answer(shared.clone(), request));
        // An error is a fault that was wanted, or a client that is gone.
        connections.spawn(async move {
            let _ = http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
        while connections.try_join_next().is_some() {}
    }
}

/// The answer of a server that does not do what it was asked.
pub(super) fn response(
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: String,
) -> Response<Body> {
    let mut response = Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(name, value);
    }
    response.body(Body::from(body)).unwrap()
}

async fn answer(shared: Shared, request: Request<Incoming>) -> io::Result<Response<Body>> {
    let (parts, body) = request.into_parts();
    let line = format!("{} {}", parts.method, parts.uri);
    shared.requests.lock().unwrap().push(line);
    let decide = shared.decide.lock().unwrap().clone();
    let fault = decide(&parts);
    let pass = async {
        let request = Request::from_parts(parts, Body::new(body));
        let Ok(response) = shared.router.oneshot(request).await;
        response
    };
    match fault {
        Fault::Pass => Ok(pass.await),
        Fault::Answer {
            status,
            headers,
            body,
        } => Ok(response(status, headers, body)),
        Fault::Delay(duration) => {
            tokio::time::sleep(duration).await;
            Ok(pass.await)
        }
        Fault::Hang => std::future::pending().await,
        Fault::BreakBody(length) => Ok(break_body(pass.await, length).await),
        Fault::LoseAnswer => {
            pass.await;
            Err(io::Error::other("the answer is lost"))
        }
        Fault::Close => Err(io::Error::other("the connection is closed")),
    }
}

/// The same answer, which ends too early for what its head says.
async fn break_body(response: Response<Body>, length: usize) -> Response<Body> {
    let (parts, body) = response.into_parts();
    let whole = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    let begun = whole.slice(..length.min(whole.len()));
    let broken = stream::once(async {
        // Until what came before has left.
        tokio::time::sleep(Duration::from_millis(20)).await;
        Err(io::Error::other("the body breaks off"))
    });
    let frames = stream::iter([Ok::<Bytes, io::Error>(begun)]).chain(broken);
    Response::from_parts(parts, Body::from_stream(frames))
}
