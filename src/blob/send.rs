//! One call of the API: its address and headers, its repetitions, and what its answer means.

use std::time::{Duration, Instant};

use axum::body::Bytes;
use reqwest::header::{HeaderName, RETRY_AFTER};
use reqwest::{Method, RequestBuilder, Response};
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::credentials::Credentials;
use super::error::{Error, Result};
use super::retry::Attempts;
use super::{ANSWER_TIMEOUT, Blobs, CONNECT_TIMEOUT, IDLE_TIMEOUT, wire};
use crate::util::http_client;
use crate::util::metrics;

/// The largest answer of the API that is read, in bytes: a page of 1,000 blobs with the longest pathnames
/// and URLs has 6 MB.
const MAX_ANSWER_BYTES: usize = 8 * 1024 * 1024;
/// How many bytes of an answer that is no JSON are kept for the log.
const MAX_EXCERPT_BYTES: usize = 200;

/// A call of the API: what can be sent again.
pub(super) struct Call {
    method: Method,
    path: &'static str,
    query: String,
    headers: Vec<(HeaderName, String)>,
    body: Option<Bytes>,
}

impl Call {
    pub(super) fn new(method: Method) -> Self {
        Self {
            method,
            path: "",
            query: String::new(),
            headers: Vec::new(),
            body: None,
        }
    }

    pub(super) fn path(mut self, path: &'static str) -> Self {
        self.path = path;
        self
    }

    pub(super) fn query(mut self, pairs: &[(&str, &str)]) -> Self {
        let mut query = form_urlencoded::Serializer::for_suffix("?".to_owned(), 1);
        self.query = query.extend_pairs(pairs).finish();
        self
    }

    pub(super) fn header(mut self, name: HeaderName, value: String) -> Self {
        self.headers.push((name, value));
        self
    }

    pub(super) fn body(mut self, body: Bytes) -> Self {
        self.body = Some(body);
        self
    }
}

/// The HTTP client behind all calls: it keeps connections.
pub(super) fn http_client() -> Result<reqwest::Client> {
    http_client::client(CONNECT_TIMEOUT).map_err(|error| match error {
        http_client::Error::Http(error) => error.into(),
        http_client::Error::Tls(error) => Error::Unreadable(error.to_string()),
    })
}

impl Blobs {
    /// Sends a call, again where that may help, and reads its answer as JSON.
    pub(super) async fn json<T: DeserializeOwned>(&self, call: &Call) -> Result<T> {
        parse(&self.send(call).await?)
    }

    /// Sends a call, again where that may help: all calls have the same effect twice as once.
    pub(super) async fn send(&self, call: &Call) -> Result<Bytes> {
        self.send_noting(call, &mut false).await
    }

    /// The same, noting whether an attempt before the last may have had its effect.
    pub(super) async fn send_noting(&self, call: &Call, may_have_run: &mut bool) -> Result<Bytes> {
        let credentials = self.credentials()?;
        let request_id = request_id(credentials);
        let mut attempts = Attempts::until(self.deadline);
        loop {
            let request = self.request(call, credentials, &request_id, attempts.made)?;
            let limit = ANSWER_TIMEOUT.min(attempts.time_left());
            let (error, pause) = match answer(request, Some(limit)).await {
                Ok(answer) => return Ok(answer),
                Err(failure) => failure,
            };
            if !error.is_transient() || !attempts.again(pause).await {
                return Err(error);
            }
            *may_have_run |= !error.never_arrived();
        }
    }

    /// The request of a call that is sent once only.
    pub(super) fn first_attempt(&self, call: &Call) -> Result<RequestBuilder> {
        let credentials = self.credentials()?;
        self.request(call, credentials, &request_id(credentials), 0)
    }

    pub(super) fn credentials(&self) -> Result<&Credentials> {
        self.credentials.as_ref().ok_or(Error::NotConfigured)
    }

    fn request(
        &self,
        call: &Call,
        credentials: &Credentials,
        request_id: &str,
        attempt: u32,
    ) -> Result<RequestBuilder> {
        // Put together as the official client does it: without looking at slashes.
        let address = format!("{}{}{}", self.api_url(), call.path, call.query);
        let mut request = self
            .client
            .http()?
            .request(call.method.clone(), address)
            .bearer_auth(credentials.token.reveal())
            .header(wire::X_API_VERSION, wire::API_VERSION)
            .header(wire::X_STORE_ID, &credentials.store_id)
            .header(wire::X_REQUEST_ID, request_id)
            .header(wire::X_ATTEMPT, attempt);
        for (name, value) in &call.headers {
            request = request.header(name, value);
        }
        if let Some(body) = &call.body {
            request = request.body(body.clone());
        }
        Ok(request)
    }
}

/// An error, and the pause that the service asks for.
pub(super) type Failure = (Error, Option<Duration>);

/// What the service calls a request by, the same for all attempts.
fn request_id(credentials: &Credentials) -> String {
    let now = chrono::Utc::now().timestamp_millis();
    format!("{}:{now}:{}", credentials.store_id, Uuid::now_v7().simple())
}

/// Sends one attempt and reads its whole answer, in `limit` at most.
pub(super) async fn answer(
    request: RequestBuilder,
    limit: Option<Duration>,
) -> Result<Bytes, Failure> {
    let started = Instant::now();
    let answered = async {
        let response = request.send().await.map_err(without_pause)?;
        if !response.status().is_success() {
            return Err(refusal(response).await);
        }
        let answer = read(response, MAX_ANSWER_BYTES).await;
        answer.and_then(looks_like_json).map_err(without_pause)
    };
    let answer = match limit {
        Some(limit) => tokio::time::timeout(limit, answered)
            .await
            .unwrap_or(Err((Error::Timeout, None))),
        None => answered.await,
    };
    metrics::count_blob_request(started.elapsed());
    answer
}

pub(super) fn without_pause(error: impl Into<Error>) -> Failure {
    (error.into(), None)
}

/// An answer that is an error, and the pause that it asks for.
pub(super) async fn refusal(response: Response) -> Failure {
    let status = response.status();
    let retry_after = response
        .headers()
        .get(RETRY_AFTER)
        .and_then(|value| value.to_str().ok()?.parse().ok())
        .map(Duration::from_secs);
    let body = match read(response, MAX_ANSWER_BYTES).await {
        Ok(body) => body,
        Err(error) => return (error, retry_after),
    };
    let (code, message) = match serde_json::from_slice::<wire::ErrorBody>(&body) {
        Ok(wire::ErrorBody { error }) => (error.code, error.message),
        Err(_) => (String::new(), excerpt(&body)),
    };
    (
        Error::Refused {
            status,
            code,
            message,
        },
        retry_after,
    )
}

/// A whole body, if it has at most `max_bytes`.
pub(super) async fn read(mut response: Response, max_bytes: usize) -> Result<Bytes> {
    let too_large = || Error::TooLarge(max_bytes);
    let announced = response.content_length().unwrap_or_default();
    if announced > max_bytes as u64 {
        return Err(too_large());
    }
    let mut body = Vec::new();
    while let Some(chunk) = next_chunk(&mut response).await? {
        if body.len() + chunk.len() > max_bytes {
            return Err(too_large());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.into())
}

/// The next bytes of a body, in [`IDLE_TIMEOUT`] at most. Not by the client's own read time-out: that runs while
/// a request is still being sent, and while nobody asks for more.
async fn next_chunk(response: &mut Response) -> Result<Option<Bytes>> {
    match tokio::time::timeout(IDLE_TIMEOUT, response.chunk()).await {
        Ok(chunk) => Ok(chunk?),
        Err(_) => Err(Error::Timeout),
    }
}

/// An answer that must be JSON of this form.
pub(super) fn parse<T: DeserializeOwned>(answer: &[u8]) -> Result<T> {
    serde_json::from_slice(answer)
        .map_err(|error| Error::Unreadable(format!("{error} in: {}", excerpt(answer))))
}

/// A page that something in between answers in the service's place is told from an answer, and asked for again.
fn looks_like_json(answer: Bytes) -> Result<Bytes> {
    match answer.trim_ascii_start().first() {
        Some(b'{' | b'[' | b'n') => Ok(answer),
        _ => Err(Error::Unreadable(format!("no JSON: {}", excerpt(&answer)))),
    }
}

/// The beginning of a text, on one line.
fn excerpt(text: &[u8]) -> String {
    let start = &text[..text.len().min(MAX_EXCERPT_BYTES)];
    let words: Vec<String> = String::from_utf8_lossy(start)
        .split_whitespace()
        .map(ToOwned::to_owned)
        .collect();
    words.join(" ")
}
