//! Requests to the Blob API: URL and headers, retries, and the response.

use std::time::{Duration, Instant};

use bytes::Bytes;
use reqwest::header::{HeaderName, RETRY_AFTER};
use reqwest::{Method, RequestBuilder, Response};
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::credentials::Credentials;
use super::error::{Error, Failure, Result};
use super::retry::{MayHaveRun, retry_tracked};
use super::{Blobs, CONNECT_TIMEOUT, IDLE_TIMEOUT, RESPONSE_TIMEOUT, wire};
use crate::util::http_client;
use crate::util::metrics;

/// The largest accepted API response, in bytes. A page of 1,000 blobs with the longest pathnames and URLs has
/// 6 MB.
const MAX_RESPONSE_BYTES: usize = 8 * 1024 * 1024;
/// The length of a malformed response in the log, in bytes.
const MAX_EXCERPT_BYTES: usize = 200;

/// A request to the API that can be sent again.
pub(super) struct BlobRequest {
    method: Method,
    path: &'static str,
    query: String,
    headers: Vec<(HeaderName, String)>,
    body: Option<Bytes>,
}

impl BlobRequest {
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

/// Creates the HTTP client of all requests, which pools connections.
pub(super) fn http_client() -> Result<reqwest::Client> {
    http_client::client(CONNECT_TIMEOUT).map_err(|error| match error {
        http_client::Error::Http(error) => error.into(),
        http_client::Error::Tls(error) => Error::Unreadable(error.to_string()),
    })
}

impl Blobs {
    /// Sends a request, with retries, and parses the response as JSON.
    pub(super) async fn json<T: DeserializeOwned>(&self, request: &BlobRequest) -> Result<T> {
        parse(&self.send(request).await?)
    }

    /// Sends a request, with retries: all requests are idempotent.
    pub(super) async fn send(&self, request: &BlobRequest) -> Result<Bytes> {
        self.send_tracked(request).await.0
    }

    /// Sends a request as [`Self::send`] does, and returns whether an earlier attempt may have taken effect.
    pub(super) async fn send_tracked(&self, request: &BlobRequest) -> (Result<Bytes>, MayHaveRun) {
        let credentials = match self.credentials() {
            Ok(credentials) => credentials,
            Err(error) => return (Err(error), MayHaveRun(false)),
        };
        let request_id = &request_id(credentials);
        retry_tracked(self.deadline, |attempt| async move {
            let request = self.build(request, credentials, request_id, attempt.number)?;
            let limit = RESPONSE_TIMEOUT.min(attempt.time_left());
            response_body(request, Some(limit)).await
        })
        .await
    }

    /// Builds a request that is sent only once.
    pub(super) fn build_single(&self, request: &BlobRequest) -> Result<RequestBuilder> {
        let credentials = self.credentials()?;
        self.build(request, credentials, &request_id(credentials), 0)
    }

    pub(super) fn credentials(&self) -> Result<&Credentials> {
        self.credentials.as_ref().ok_or(Error::NotConfigured)
    }

    fn build(
        &self,
        request: &BlobRequest,
        credentials: &Credentials,
        request_id: &str,
        attempt: u32,
    ) -> Result<RequestBuilder> {
        // Concatenated as in the official client, which does not normalize slashes.
        let url = format!("{}{}{}", self.api_url(), request.path, request.query);
        let mut builder = self
            .client
            .http()?
            .request(request.method.clone(), url)
            .bearer_auth(credentials.token.reveal())
            .header(wire::X_API_VERSION, wire::API_VERSION)
            .header(wire::X_STORE_ID, &credentials.store_id)
            .header(wire::X_REQUEST_ID, request_id)
            .header(wire::X_ATTEMPT, attempt);
        for (name, value) in &request.headers {
            builder = builder.header(name, value);
        }
        if let Some(body) = &request.body {
            builder = builder.body(body.clone());
        }
        Ok(builder)
    }
}

/// Returns the id of a request, which all its attempts share.
fn request_id(credentials: &Credentials) -> String {
    let now = chrono::Utc::now().timestamp_millis();
    format!("{}:{now}:{}", credentials.store_id, Uuid::now_v7().simple())
}

/// Sends one attempt and reads the whole response within `limit`.
pub(super) async fn response_body(
    request: RequestBuilder,
    limit: Option<Duration>,
) -> Result<Bytes, Failure> {
    let started = Instant::now();
    let body = async {
        let response = request.send().await?;
        if !response.status().is_success() {
            return Err(error_response(response).await);
        }
        let body = read(response, MAX_RESPONSE_BYTES).await;
        Ok(body.and_then(require_json)?)
    };
    let body = match limit {
        Some(limit) => tokio::time::timeout(limit, body)
            .await
            .unwrap_or(Err(Error::Timeout.into())),
        None => body.await,
    };
    metrics::count_blob_request(started.elapsed());
    body
}

/// Reads an error response and its `Retry-After`.
pub(super) async fn error_response(response: Response) -> Failure {
    let status = response.status();
    let retry_after = response
        .headers()
        .get(RETRY_AFTER)
        .and_then(|value| value.to_str().ok()?.parse().ok())
        .map(Duration::from_secs);
    let error = match read(response, MAX_RESPONSE_BYTES).await {
        Ok(body) => {
            let (code, message) = match serde_json::from_slice::<wire::ErrorBody>(&body) {
                Ok(wire::ErrorBody { error }) => (error.code, error.message),
                Err(_) => (String::new(), excerpt(&body)),
            };
            Error::ErrorResponse {
                status,
                code,
                message,
            }
        }
        Err(error) => error,
    };
    Failure { error, retry_after }
}

/// Reads a whole body of at most `max_bytes`.
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

/// Returns the next bytes of a body, within [`IDLE_TIMEOUT`]. The read timeout of `reqwest` does not fit: it also runs
/// while the request is being sent, and while the reader is slow.
async fn next_chunk(response: &mut Response) -> Result<Option<Bytes>> {
    match tokio::time::timeout(IDLE_TIMEOUT, response.chunk()).await {
        Ok(chunk) => Ok(chunk?),
        Err(_) => Err(Error::Timeout),
    }
}

/// Parses a response.
pub(super) fn parse<T: DeserializeOwned>(response: &[u8]) -> Result<T> {
    serde_json::from_slice(response)
        .map_err(|error| Error::Unreadable(format!("{error} in: {}", excerpt(response))))
}

/// Rejects a response that is not JSON, such as an error page of an intermediary with status 200. Such a response is
/// retried.
fn require_json(response: Bytes) -> Result<Bytes> {
    match response.trim_ascii_start().first() {
        Some(b'{' | b'[' | b'n') => Ok(response),
        _ => Err(Error::Unreadable(format!(
            "not JSON: {}",
            excerpt(&response)
        ))),
    }
}

/// Returns the beginning of a text, on one line.
fn excerpt(text: &[u8]) -> String {
    let start = &text[..text.len().min(MAX_EXCERPT_BYTES)];
    let words: Vec<String> = String::from_utf8_lossy(start)
        .split_whitespace()
        .map(ToOwned::to_owned)
        .collect();
    words.join(" ")
}
