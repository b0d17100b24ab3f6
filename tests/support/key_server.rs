//! A JWKS server that counts its requests and injects faults.

use std::io;
use std::sync::{Arc, Mutex};

use axum::body::Body;
use axum::http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, JoinSet};

use super::Issuer;
use super::blob_store::{Fault, response};

/// A server that is running or down.
#[derive(Debug)]
pub struct KeyServer {
    port: u16,
    state: Arc<Mutex<State>>,
    task: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct State {
    keys: Vec<Value>,
    fault: Fault,
    requests: usize,
    /// The number of redirects before the keys.
    redirects: usize,
}

impl KeyServer {
    pub async fn start(keys: &[&Issuer]) -> Self {
        let state = State {
            keys: keys.iter().map(|issuer| issuer.jwk()).collect(),
            fault: Fault::Pass,
            requests: 0,
            redirects: 0,
        };
        let mut server = Self {
            port: 0,
            state: Arc::new(Mutex::new(state)),
            task: None,
        };
        server.go_up().await;
        server
    }

    /// Returns the value for `AUTH_JWKS_URL`.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/.well-known/jwks.json", self.port)
    }

    /// Replaces the published keys.
    pub fn publish(&self, keys: &[&Issuer]) {
        self.state.lock().unwrap().keys = keys.iter().map(|issuer| issuer.jwk()).collect();
    }

    /// Replaces the published keys by any values.
    pub fn publish_values(&self, keys: Vec<Value>) {
        self.state.lock().unwrap().keys = keys;
    }

    /// Moves the keys to another path of this server, to which this many redirects lead.
    pub fn redirect(&self, times: usize) {
        self.state.lock().unwrap().redirects = times;
    }

    /// Injects a fault into all further requests.
    pub fn fail_with(&self, fault: Fault) {
        self.state.lock().unwrap().fault = fault;
    }

    /// Returns the number of requests so far.
    pub fn requests(&self) -> usize {
        self.state.lock().unwrap().requests
    }

    /// Closes the port and all connections.
    pub async fn go_down(&mut self) {
        if let Some(task) = self.task.take() {
            task.abort();
            let _ = task.await;
        }
    }

    /// Listens again on the same port.
    pub async fn go_up(&mut self) {
        let listener = TcpListener::bind(("127.0.0.1", self.port)).await.unwrap();
        self.port = listener.local_addr().unwrap().port();
        self.task = Some(tokio::spawn(serve(listener, self.state.clone())));
    }
}

impl Drop for KeyServer {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

async fn serve(listener: TcpListener, state: Arc<Mutex<State>>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let state = state.clone();
        let service = service_fn(move |request: Request<Incoming>| {
            answer(state.clone(), request.uri().path().to_owned())
        });
        // An error is an injected fault or a disconnected client.
        connections.spawn(async move {
            let _ = http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

async fn answer(state: Arc<Mutex<State>>, path: String) -> io::Result<Response<Body>> {
    let (fault, keys, redirects) = {
        let mut state = state.lock().unwrap();
        state.requests += 1;
        (
            state.fault.clone(),
            json!({"keys": state.keys}),
            state.redirects,
        )
    };
    let hop = path
        .strip_prefix("/hop/")
        .map_or(0, |hop| hop.parse().unwrap());
    if hop < redirects {
        let status = [301, 302, 307, 308][hop % 4];
        let location = format!("/hop/{}", hop + 1);
        return Ok(response(
            status,
            vec![("location", location)],
            String::new(),
        ));
    }
    let pass = || Response::new(Body::from(keys.to_string()));
    match fault {
        Fault::Pass => Ok(pass()),
        Fault::Answer {
            status,
            headers,
            body,
        } => Ok(response(status, headers, body)),
        Fault::Hang => std::future::pending().await,
        Fault::Delay(duration) => {
            tokio::time::sleep(duration).await;
            Ok(pass())
        }
        Fault::BreakBody(_) | Fault::LoseAnswer | Fault::Close => {
            Err(io::Error::other("the connection is closed"))
        }
    }
}
