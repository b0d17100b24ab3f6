//! The local Blob store with a record of its requests and injected faults.

use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock};
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
use llmos::blob::{BlobClient, BlobConfig, Blobs};
use llmos::config::Config;
use llmos::local::blob_store::{self, BlobStore, LOCAL_TOKEN};
use llmos::util::secret::Secret;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, JoinSet};
use tower::ServiceExt;

use super::{blob_config, http_client};

/// The handling of a request.
#[derive(Clone, Debug)]
pub enum Fault {
    /// The store answers.
    Pass,
    /// This response is sent, and the store does not receive the request.
    Answer {
        status: u16,
        headers: Vec<(&'static str, String)>,
        body: String,
    },
    /// The store answers after a delay.
    Delay(Duration),
    /// There is no response.
    Hang,
    /// The store answers, and the connection closes after this many bytes of the body.
    BreakBody(usize),
    /// The store executes the request, and the connection closes without a response.
    LoseAnswer,
    /// The connection closes, and the store does not receive the request.
    Close,
}

impl Fault {
    /// Returns an error in the format of Vercel Blob.
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
    http: reqwest::Client,
    client: OnceLock<BlobClient>,
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
            http: http_client().build().unwrap(),
            client: OnceLock::new(),
        }
    }

    /// Returns a client of the store for the test itself. Building one is slow without optimizations, because it
    /// reads all root certificates.
    pub fn blobs(&self) -> Blobs {
        let client = self
            .client
            .get_or_init(|| BlobClient::new(blob_config(self)));
        client.blobs(None)
    }

    /// Returns the first page of the list of all blobs, as the store sends it.
    pub async fn list(&self) -> serde_json::Value {
        let list = self.http.get(self.api_url()).bearer_auth(Self::TOKEN);
        let list = list.send().await.unwrap().text().await.unwrap();
        serde_json::from_str(&list).unwrap()
    }

    /// `http://host:port`.
    pub fn base(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Returns the value for `VERCEL_BLOB_API_URL`.
    pub fn api_url(&self) -> String {
        format!("{}/_blob", self.base())
    }

    /// Returns the value for `BLOB_CONTENT_URL`.
    pub fn content_url(&self) -> String {
        format!("{}/_blob/content", self.base())
    }

    /// Returns the configuration of a production deployment with this store and without Redis.
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

    /// Returns the pathnames of all blobs.
    pub async fn pathnames(&self) -> Vec<String> {
        let list = self.list().await;
        assert_eq!(list["hasMore"], false, "{list}");
        let blobs = list["blobs"].as_array().unwrap().iter();
        blobs
            .map(|blob| blob["pathname"].as_str().unwrap().to_owned())
            .collect()
    }

    /// Returns the data folder of the store.
    pub fn directory(&self) -> PathBuf {
        self.directory.path().join("blob")
    }

    /// Returns `METHOD path?query` of each request so far, in order.
    pub fn requests(&self) -> Vec<String> {
        self.shared.requests.lock().unwrap().clone()
    }

    /// Clears the record of requests.
    pub fn clear(&self) {
        self.shared.requests.lock().unwrap().clear();
    }

    /// Lets `decide` choose the handling of each further request.
    pub fn fail_with(&self, decide: impl Fn(&Parts) -> Fault + Send + Sync + 'static) {
        *self.shared.decide.lock().unwrap() = Arc::new(decide);
    }

    /// Removes the injected faults.
    pub fn heal(&self) {
        self.fail_with(|_| Fault::Pass);
    }
}

impl Drop for BlobServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Serves connections until the task is aborted, which closes them.
async fn serve(listener: TcpListener, shared: Shared) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        stream.set_nodelay(true).unwrap();
        let shared = shared.clone();
        let service = service_fn(move |request| answer(shared.clone(), request));
        // An error is an injected fault or a disconnected client.
        connections.spawn(async move {
            let _ = http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
        while connections.try_join_next().is_some() {}
    }
}

/// Returns the response of an injected fault.
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

/// Truncates a response after this many bytes of its body.
async fn break_body(response: Response<Body>, length: usize) -> Response<Body> {
    let (parts, body) = response.into_parts();
    let whole = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    let begun = whole.slice(..length.min(whole.len()));
    let broken = stream::once(async {
        // Wait until the earlier bytes have been sent.
        tokio::time::sleep(Duration::from_millis(20)).await;
        Err(io::Error::other("the body breaks off"))
    });
    let frames = stream::iter([Ok::<Bytes, io::Error>(begun)]).chain(broken);
    Response::from_parts(parts, Body::from_stream(frames))
}
