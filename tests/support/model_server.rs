//! A model server that follows scripts, on a real socket: it can split its answer anywhere, stall, close and reset, and
//! it knows when the client closed a connection.
//!
//! ```ignore
//! let server = ModelServer::start().await;
//! server.push(Script::events(ModelAnswer::text("Hello").chat_completions()));
//! // Ask it at server.base_url(), then:
//! assert_eq!(server.calls()[0].path, "/v1/chat/completions");
//! ```

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

use super::{Script, Step};

/// A request that the server received.
#[derive(Clone, Debug)]
pub struct ModelCall {
    pub method: String,
    pub path: String,
    /// The headers, with lower-case names.
    pub headers: Vec<(String, String)>,
    pub body: Value,
    /// When the client closed the connection, if that was before the end of the script.
    pub closed: Option<Instant>,
}

impl ModelCall {
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(header, _)| header == name);
        found.map(|(_, value)| value.as_str())
    }
}

type Respond = dyn Fn(&ModelCall) -> Script + Send;

#[derive(Default)]
struct State {
    calls: Vec<ModelCall>,
    scripts: VecDeque<(Option<String>, Script)>,
    default: Option<Script>,
    respond: Option<Box<Respond>>,
    connections: usize,
}

/// The server. It stops when it is dropped.
pub struct ModelServer {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    task: JoinHandle<()>,
}

impl ModelServer {
    pub async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(Mutex::new(State::default()));
        let shared = state.clone();
        let task = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                shared.lock().unwrap().connections += 1;
                connections.spawn(serve(stream, shared.clone()));
            }
        });
        Self {
            address,
            state,
            task,
        }
    }

    /// The value for `LLMOS_MODEL_BASE_URL`, for both wires.
    pub fn base_url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// Answers one further request with this script. Scripts are used in the order in which they were added.
    pub fn push(&self, script: Script) {
        self.state.lock().unwrap().scripts.push_back((None, script));
    }

    /// As [`Self::push`], but only for a request whose body contains `text`, such as that of a title.
    pub fn push_for(&self, text: &str, script: Script) {
        let entry = (Some(text.to_owned()), script);
        self.state.lock().unwrap().scripts.push_back(entry);
    }

    /// Answers all requests for which there is no other script. Without it they get status 500.
    pub fn otherwise(&self, script: Script) {
        self.state.lock().unwrap().default = Some(script);
    }

    /// Answers requests without a script as `respond` says.
    pub fn respond(&self, respond: impl Fn(&ModelCall) -> Script + Send + 'static) {
        self.state.lock().unwrap().respond = Some(Box::new(respond));
    }

    /// The requests so far.
    pub fn calls(&self) -> Vec<ModelCall> {
        self.state.lock().unwrap().calls.clone()
    }

    /// The number of connections so far.
    pub fn connections(&self) -> usize {
        self.state.lock().unwrap().connections
    }

    /// Waits until this many requests arrived.
    pub async fn wait_for_calls(&self, number: usize) {
        wait(
            || self.calls().len() >= number,
            "the requests did not arrive",
        )
        .await;
    }

    /// Waits until the client closed the connection of a request, and returns when.
    pub async fn wait_for_close(&self, call: usize) -> Instant {
        let closed = || self.calls().get(call).and_then(|call| call.closed);
        wait(|| closed().is_some(), "the client closed no connection").await;
        closed().unwrap()
    }
}

impl std::fmt::Debug for ModelServer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut debug = formatter.debug_struct("ModelServer");
        debug
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

impl Drop for ModelServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn wait(is_done: impl Fn() -> bool, failure: &str) {
    let started = Instant::now();
    while !is_done() {
        assert!(started.elapsed() < Duration::from_secs(20), "{failure}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Serves the requests of one connection.
async fn serve(mut stream: TcpStream, state: Arc<Mutex<State>>) {
    stream.set_nodelay(true).unwrap();
    let mut received = Vec::new();
    while let Some((call, text)) = read_request(&mut stream, &mut received).await {
        let (number, script) = {
            let mut state = state.lock().unwrap();
            let answer = state.respond.as_ref().map(|respond| respond(&call));
            state.calls.push(call);
            let matches = |needle: &Option<String>| {
                needle.as_ref().is_none_or(|needle| text.contains(needle))
            };
            let found = state.scripts.iter().position(|(it, _)| matches(it));
            let script = found.and_then(|found| state.scripts.remove(found));
            let script = script.map(|(_, script)| script).or(answer);
            let script = script.or(state.default.clone());
            let script = script.unwrap_or_else(|| Script::error(500, &Value::Null));
            (state.calls.len() - 1, script)
        };
        match run(&mut stream, script).await {
            End::Open => {}
            End::Closed => return,
            End::ClosedByClient => {
                state.lock().unwrap().calls[number].closed = Some(Instant::now());
                return;
            }
        }
    }
}

/// The state of a connection after a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Open,
    Closed,
    ClosedByClient,
}

impl End {
    /// Of a write or a wait.
    fn of(is_open: bool) -> Self {
        if is_open {
            Self::Open
        } else {
            Self::ClosedByClient
        }
    }
}

/// Does the steps of a script.
async fn run(stream: &mut TcpStream, script: Script) -> End {
    let mut end = End::Open;
    if script.status != 0 {
        let mut head = format!(
            "HTTP/1.1 {} X\r\ntransfer-encoding: chunked\r\n",
            script.status
        );
        for (name, value) in &script.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str("\r\n");
        end = End::of(stream.write_all(head.as_bytes()).await.is_ok());
    }
    let mut steps = script.steps.into_iter();
    while end == End::Open
        && let Some(step) = steps.next()
    {
        end = run_step(stream, step).await;
    }
    if end == End::Open {
        end = End::of(stream.write_all(b"0\r\n\r\n").await.is_ok());
    }
    end
}

async fn run_step(stream: &mut TcpStream, step: Step) -> End {
    match step {
        Step::Send(bytes) if bytes.is_empty() => End::Open,
        Step::Send(bytes) => {
            let head = format!("{:x}\r\n", bytes.len());
            let chunk = [head.as_bytes(), &bytes, b"\r\n"].concat();
            End::of(stream.write_all(&chunk).await.is_ok())
        }
        Step::Wait(time) => End::of(tokio::time::timeout(time, closed(stream)).await.is_err()),
        Step::Stall => {
            closed(stream).await;
            End::ClosedByClient
        }
        Step::Close => End::Closed,
        Step::Reset => {
            stream.set_zero_linger().unwrap();
            End::Closed
        }
    }
}

/// Waits until the client closes the connection. It sends nothing else while it waits for a response.
async fn closed(stream: &mut TcpStream) {
    let mut byte = [0];
    let _ = stream.read(&mut byte).await;
}

/// Reads a request, and its body as text.
async fn read_request(
    stream: &mut TcpStream,
    received: &mut Vec<u8>,
) -> Option<(ModelCall, String)> {
    let mut head_end = None;
    let mut length = 0;
    loop {
        if head_end.is_none()
            && let Some(end) = received.windows(4).position(|it| it == b"\r\n\r\n")
        {
            head_end = Some(end + 4);
            let head = String::from_utf8_lossy(&received[..end]).to_lowercase();
            let line = head
                .lines()
                .find_map(|it| it.strip_prefix("content-length: ").map(str::to_owned));
            length = line.map_or(0, |digits| digits.parse().unwrap());
        }
        if let Some(start) = head_end
            && received.len() >= start + length
        {
            let body = String::from_utf8_lossy(&received[start..start + length]).into_owned();
            let call = parse(&String::from_utf8_lossy(&received[..start]), &body);
            received.drain(..start + length);
            return Some((call, body));
        }
        if stream.read_buf(received).await.ok()? == 0 {
            return None;
        }
    }
}

fn parse(head: &str, body: &str) -> ModelCall {
    let mut lines = head.lines();
    let mut first = lines
        .next()
        .unwrap_or_default()
        .split(' ')
        .map(str::to_owned);
    let headers = lines.filter_map(|line| line.split_once(": "));
    ModelCall {
        method: first.next().unwrap_or_default(),
        path: first.next().unwrap_or_default(),
        headers: headers
            .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
            .collect(),
        body: serde_json::from_str(body).unwrap_or_default(),
        closed: None,
    }
}
