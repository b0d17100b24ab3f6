//! Reading the content of a blob from the content host of its store.

use std::time::Instant;

use bytes::Bytes;
use chrono::DateTime;
use reqwest::header::{
    ACCEPT_ENCODING, CONTENT_RANGE, CONTENT_TYPE, ETAG, HeaderMap, HeaderName, IF_NONE_MATCH,
    IF_RANGE, LAST_MODIFIED, RANGE,
};
use reqwest::{Response, StatusCode};

use super::error::{Error, Failure, Result};
use super::idle::IdleLimitedBody;
use super::retry::{Attempt, retry};
use super::{Blobs, IDLE_TIMEOUT, RESPONSE_TIMEOUT, send};
use crate::util::etag::unquote;
use crate::util::metrics;
use crate::util::time::format_time;

/// The requested part of a blob, and preconditions.
#[derive(Clone, Debug, Default)]
pub struct ContentRequest {
    /// The `Range` header.
    pub range: Option<String>,
    /// The `If-Range` header.
    pub if_range: Option<String>,
    /// The `If-None-Match` header.
    pub if_none_match: Option<String>,
}

/// The result of getting a blob.
#[derive(Debug)]
pub enum Fetched {
    /// The blob does not exist.
    Missing,
    /// The blob still has this entity tag, which the caller sent.
    NotModified(String),
    /// The range lies outside of the blob. The `Content-Range` header contains its length.
    OutOfRange(Option<String>),
    /// The blob or the requested part.
    Found(Box<Content>),
}

/// The metadata of a blob, and its content as a stream.
#[derive(Debug)]
pub struct Content {
    /// The entity tag, without quotes.
    pub etag: String,
    /// The content type.
    pub content_type: Option<String>,
    /// The time of the last write, RFC 3339.
    pub uploaded_at: Option<String>,
    /// The number of bytes that follow.
    pub length: Option<u64>,
    /// The `Content-Range` header; `None` for the whole blob.
    pub range: Option<String>,
    /// The response with the content.
    pub response: Response,
}

/// A whole blob in memory.
#[derive(Clone, Debug)]
pub struct Document {
    /// The content.
    pub body: Bytes,
    /// The entity tag, without quotes.
    pub etag: String,
    /// The time of the last write, RFC 3339.
    pub uploaded_at: Option<String>,
}

/// The result of reading a whole blob.
#[derive(Debug)]
pub enum Read {
    /// The blob does not exist.
    Missing,
    /// The blob still has this entity tag, which the caller sent.
    NotModified(String),
    /// The whole blob.
    Found(Document),
}

impl Content {
    /// Returns the content as a stream, which fails if the connection breaks or is idle for [`IDLE_TIMEOUT`].
    pub fn into_body(self) -> IdleLimitedBody {
        IdleLimitedBody::new(self.response.into(), IDLE_TIMEOUT)
    }
}

impl Blobs {
    /// Gets a blob or a part of it, bypassing the cache of the content host, so that earlier writes are visible.
    /// The content is streamed; a broken connection is an error of the stream.
    pub async fn get(&self, pathname: &str, wanted: &ContentRequest) -> Result<Fetched> {
        retry(self.deadline, |attempt| {
            self.try_get(pathname, wanted, attempt)
        })
        .await
    }

    /// Reads a whole blob of at most `max_bytes`; `None` if it does not exist.
    pub async fn read(&self, pathname: &str, max_bytes: usize) -> Result<Option<Document>> {
        match self.read_unless(pathname, max_bytes, None).await? {
            Read::Found(document) => Ok(Some(document)),
            Read::Missing | Read::NotModified(_) => Ok(None),
        }
    }

    /// Reads a whole blob of at most `max_bytes`, unless it has one of the entity tags in `known`, an `If-None-Match`
    /// header.
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
        let wanted = &wanted;
        retry(self.deadline, |attempt| {
            self.try_read(pathname, max_bytes, wanted, attempt)
        })
        .await
    }

    async fn try_read(
        &self,
        pathname: &str,
        max_bytes: usize,
        wanted: &ContentRequest,
        attempt: Attempt,
    ) -> Result<Read, Failure> {
        let content = match self.try_get(pathname, wanted, attempt).await? {
            Fetched::Found(content) => content,
            Fetched::NotModified(etag) => return Ok(Read::NotModified(etag)),
            Fetched::Missing | Fetched::OutOfRange(_) => return Ok(Read::Missing),
        };
        let body = send::read(content.response, max_bytes);
        let body = tokio::time::timeout(attempt.time_left(), body)
            .await
            .unwrap_or(Err(Error::Timeout))?;
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
        attempt: Attempt,
    ) -> Result<Fetched, Failure> {
        let started = Instant::now();
        let limit = RESPONSE_TIMEOUT.min(attempt.time_left());
        let sent = tokio::time::timeout(limit, self.send_get(pathname, wanted)).await;
        metrics::count_blob_request(started.elapsed());
        let response = sent.unwrap_or(Err(Error::Timeout))?;
        let fetched = match response.status() {
            StatusCode::OK | StatusCode::PARTIAL_CONTENT => content(response).map(Fetched::Found),
            StatusCode::NOT_FOUND => Ok(Fetched::Missing),
            StatusCode::NOT_MODIFIED => etag(response.headers()).map(Fetched::NotModified),
            StatusCode::RANGE_NOT_SATISFIABLE => Ok(Fetched::OutOfRange(text(
                response.headers(),
                &CONTENT_RANGE,
            ))),
            _ => return Err(send::error_response(response).await),
        };
        Ok(fetched?)
    }

    /// Gets a blob without credentials and without retries, to check whether it is public.
    pub async fn get_anonymously(&self, pathname: &str) -> Result<Fetched> {
        let request = self.client.http()?.get(self.content_url(pathname)?);
        let response = request.timeout(RESPONSE_TIMEOUT).send().await?;
        match response.status() {
            StatusCode::OK => content(response).map(Fetched::Found),
            StatusCode::NOT_FOUND => Ok(Fetched::Missing),
            _ => Err(send::error_response(response).await.error),
        }
    }

    async fn send_get(&self, pathname: &str, wanted: &ContentRequest) -> Result<Response> {
        let credentials = self.credentials()?;
        let mut request = self
            .client
            .http()?
            .get(self.content_url(pathname)?)
            // A compressed response has another entity tag and no length.
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

/// Returns the entity tag. A response without one does not come from a Blob store, even if its status is 200.
fn etag(headers: &HeaderMap) -> Result<String> {
    let etag = text(headers, &ETAG)
        .ok_or_else(|| Error::Unreadable("the response has no entity tag".to_owned()))?;
    Ok(unquote(&etag).to_owned())
}

fn text(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    Some(headers.get(name)?.to_str().ok()?.to_owned())
}
