//! Getting what a blob holds, from the content host of its store.

use std::time::Instant;

use axum::body::Bytes;
use chrono::DateTime;
use reqwest::header::{
    ACCEPT_ENCODING, CONTENT_RANGE, CONTENT_TYPE, ETAG, HeaderMap, HeaderName, IF_NONE_MATCH,
    IF_RANGE, LAST_MODIFIED, RANGE,
};
use reqwest::{Response, StatusCode};

use super::error::{Error, Result};
use super::idle::IdleLimited;
use super::retry::Attempts;
use super::send::{self, Failure, without_pause};
use super::{ANSWER_TIMEOUT, Blobs, IDLE_TIMEOUT, wire};
use crate::util::metrics;
use crate::util::time::format_time;

/// Which part of a blob is asked for, and under which conditions.
#[derive(Clone, Debug, Default)]
pub struct ContentRequest {
    /// A `Range` header.
    pub range: Option<String>,
    /// An `If-Range` header.
    pub if_range: Option<String>,
    /// An `If-None-Match` header: what the caller has already.
    pub if_none_match: Option<String>,
}

/// What came of getting a blob.
#[derive(Debug)]
pub enum Fetched {
    /// There is no such blob.
    Missing,
    /// The caller has it already, under this entity tag.
    NotModified(String),
    /// The range lies outside of the blob; a `Content-Range` header says how long it is.
    OutOfRange(Option<String>),
    /// It, or a part of it.
    Found(Box<Content>),
}

/// A blob on its way: what is known of it, and its bytes.
#[derive(Debug)]
pub struct Content {
    /// Its entity tag, without quotes.
    pub etag: String,
    /// Its content type.
    pub content_type: Option<String>,
    /// When it was last written, RFC 3339.
    pub uploaded_at: Option<String>,
    /// How many bytes follow.
    pub length: Option<u64>,
    /// Which part of it they are, as a `Content-Range` header; `None` for all of it.
    pub range: Option<String>,
    /// Where the bytes come from.
    pub response: Response,
}

/// A blob that was read as a whole.
#[derive(Clone, Debug)]
pub struct Document {
    /// Its bytes.
    pub body: Bytes,
    /// Its entity tag, without quotes.
    pub etag: String,
    /// When it was last written, RFC 3339.
    pub uploaded_at: Option<String>,
}

/// What came of reading a blob as a whole.
#[derive(Debug)]
pub enum Read {
    /// There is no such blob.
    Missing,
    /// The caller has it already, under this entity tag.
    NotModified(String),
    /// All of it.
    Found(Document),
}

impl Content {
    /// The bytes as they come. That they break off, or do not come for [`IDLE_TIMEOUT`], is an error of the body.
    pub fn into_body(self) -> axum::body::Body {
        let body = axum::http::Response::from(self.response).into_body();
        axum::body::Body::new(IdleLimited::new(body, IDLE_TIMEOUT))
    }
}

impl Blobs {
    /// Gets a blob, or a part of it, past the cache of the content host: what was written before is seen.
    /// The bytes are streamed; that they break off is an error of the stream.
    pub async fn get(&self, pathname: &str, wanted: &ContentRequest) -> Result<Fetched> {
        let mut attempts = Attempts::until(self.deadline);
        loop {
            let (error, pause) = match self.try_get(pathname, wanted, &attempts).await {
                Ok(fetched) => return Ok(fetched),
                Err(failure) => failure,
            };
            if !error.is_transient() || !attempts.again(pause).await {
                return Err(error);
            }
        }
    }

    /// Reads a whole blob of at most `max_bytes`; `None` where there is none.
    pub async fn read(&self, pathname: &str, max_bytes: usize) -> Result<Option<Document>> {
        match self.read_unless(pathname, max_bytes, None).await? {
            Read::Found(document) => Ok(Some(document)),
            Read::Missing | Read::NotModified(_) => Ok(None),
        }
    }

    /// The same, unless the caller has it already: `known` is an `If-None-Match` header.
    pub async fn read_unless(
        &self,
        pathname: &str,
        max_bytes: usize,
        known: Option<&str>,
    ) -> Result<Read> {
        let wanted = ContentRequest {
            if_none_match: known.map(ToOwned::to_owned),
            ..ContentRequest::default()
        };
        let mut attempts = Attempts::until(self.deadline);
        loop {
            let read = self.try_read(pathname, max_bytes, &wanted, &attempts);
            let (error, pause) = match read.await {
                Ok(read) => return Ok(read),
                Err(failure) => failure,
            };
            if !error.is_transient() || !attempts.again(pause).await {
                return Err(error);
            }
        }
    }

    async fn try_read(
        &self,
        pathname: &str,
        max_bytes: usize,
        wanted: &ContentRequest,
        attempts: &Attempts,
    ) -> Result<Read, Failure> {
        let content = match self.try_get(pathname, wanted, attempts).await? {
            Fetched::Found(content) => content,
            Fetched::NotModified(etag) => return Ok(Read::NotModified(etag)),
            Fetched::Missing | Fetched::OutOfRange(_) => return Ok(Read::Missing),
        };
        let body = send::read(content.response, max_bytes);
        let body = tokio::time::timeout(attempts.time_left(), body)
            .await
            .unwrap_or(Err(Error::Timeout))
            .map_err(without_pause)?;
        Ok(Read::Found(Document {
            body,
            etag: content.etag,
            uploaded_at: content.uploaded_at,
        }))
    }

    async fn try_get(
        &self,
        pathname: &str,
        wanted: &ContentRequest,
        attempts: &Attempts,
    ) -> Result<Fetched, Failure> {
        let started = Instant::now();
        let limit = ANSWER_TIMEOUT.min(attempts.time_left());
        let sent = tokio::time::timeout(limit, self.send_get(pathname, wanted)).await;
        metrics::count_blob_request(started.elapsed());
        let response = sent.unwrap_or(Err(Error::Timeout)).map_err(without_pause)?;
        let fetched = match response.status() {
            StatusCode::OK | StatusCode::PARTIAL_CONTENT => content(response).map(Fetched::Found),
            StatusCode::NOT_FOUND => Ok(Fetched::Missing),
            StatusCode::NOT_MODIFIED => etag(response.headers()).map(Fetched::NotModified),
            StatusCode::RANGE_NOT_SATISFIABLE => Ok(Fetched::OutOfRange(text(
                response.headers(),
                &CONTENT_RANGE,
            ))),
            _ => return Err(send::refusal(response).await),
        };
        fetched.map_err(without_pause)
    }

    /// Gets a blob as somebody would who has no token, once: for finding out whether that is possible.
    pub async fn get_as_anyone(&self, pathname: &str) -> Result<Fetched> {
        let request = self.client.http()?.get(self.content_address(pathname)?);
        let response = request.timeout(ANSWER_TIMEOUT).send().await?;
        match response.status() {
            StatusCode::OK => content(response).map(Fetched::Found),
            StatusCode::NOT_FOUND => Ok(Fetched::Missing),
            _ => Err(send::refusal(response).await.0),
        }
    }

    async fn send_get(&self, pathname: &str, wanted: &ContentRequest) -> Result<Response> {
        let credentials = self.credentials()?;
        let mut request = self
            .client
            .http()?
            .get(self.content_address(pathname)?)
            // A content that is compressed on the way has another entity tag and no length.
            .header(ACCEPT_ENCODING, "identity")
            .bearer_auth(credentials.token.reveal());
        for (name, value) in [
            (RANGE, &wanted.range),
            (IF_RANGE, &wanted.if_range),
            (IF_NONE_MATCH, &wanted.if_none_match),
        ] {
            if let Some(value) = value {
                request = request.header(name, value);
            }
        }
        Ok(request.send().await?)
    }
}

fn content(response: Response) -> Result<Box<Content>> {
    let headers = response.headers();
    let uploaded_at = text(headers, &LAST_MODIFIED)
        .and_then(|time| DateTime::parse_from_rfc2822(&time).ok())
        .map(|time| format_time(time.to_utc()));
    Ok(Box::new(Content {
        etag: etag(headers)?,
        content_type: text(headers, &CONTENT_TYPE),
        uploaded_at,
        length: response.content_length(),
        range: text(headers, &CONTENT_RANGE),
        response,
    }))
}

/// The entity tag. What has none does not come from a store, whatever its status says.
fn etag(headers: &HeaderMap) -> Result<String> {
    let etag = text(headers, &ETAG)
        .ok_or_else(|| Error::Unreadable("a content without an entity tag".to_owned()))?;
    Ok(wire::unquoted(&etag).to_owned())
}

fn text(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    Some(headers.get(name)?.to_str().ok()?.to_owned())
}
