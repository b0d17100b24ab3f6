//! Writing blobs: from memory, with retries, and from a stream, without.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use http_body_util::combinators::UnsyncBoxBody;
use reqwest::Method;
use reqwest::header::HeaderName;
use sync_wrapper::SyncWrapper;

use super::error::{BoxError, Error, Result};
use super::retry::MayHaveRun;
use super::send::{self, BlobRequest};
use super::wire::{self, Blob};
use super::{Blobs, RESPONSE_TIMEOUT};
use crate::util::etag::quote;

/// The time for which caches may store a blob, in seconds: the shortest that Vercel accepts. Our reads bypass caches.
pub const CACHE_SECONDS: u32 = 60;
/// The interval in which a streamed put checks its progress.
const STALL_CHECK_INTERVAL: Duration = Duration::from_millis(250);

/// The content to write.
#[derive(Debug)]
pub enum PutBody {
    /// Bytes in memory. The put is retried. If only the response of an attempt was lost, that is detected.
    Bytes(Bytes),
    /// A stream, and its length if that is known. If the stream fails, nothing is stored.
    Stream(UnsyncBoxBody<Bytes, BoxError>, Option<u64>),
}

impl PutBody {
    /// Creates a body from a stream, and its length if that is known.
    pub fn stream<B>(body: B, length: Option<u64>) -> Self
    where
        B: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
    {
        Self::Stream(body.map_err(Into::into).boxed_unsync(), length)
    }
}

/// The precondition of a put.
#[derive(Clone, Debug)]
pub enum WriteCondition {
    /// No precondition: an existing blob is replaced.
    Always,
    /// The blob does not exist.
    IfMissing,
    /// The blob has this entity tag, without quotes.
    IfMatch(String),
}

/// The metadata and the precondition of a put.
#[derive(Clone, Debug)]
pub struct PutOptions {
    /// The content type. By default the service derives it from the pathname.
    pub content_type: Option<String>,
    /// The time that caches may store the blob, in seconds: at least [`CACHE_SECONDS`].
    pub cache_control_max_age: u32,
    /// The precondition.
    pub condition: WriteCondition,
}

/// The result of a put.
#[derive(Debug)]
pub enum Put {
    /// The blob is stored.
    Done(Blob),
    /// The precondition failed, and nothing changed.
    PreconditionFailed,
}

impl Blobs {
    /// Stores a blob under a pathname of 1–950 characters, atomically.
    pub async fn put(&self, pathname: &str, body: PutBody, options: &PutOptions) -> Result<Put> {
        let put = match body {
            PutBody::Bytes(bytes) => self.put_bytes(pathname, bytes, options).await,
            PutBody::Stream(body, length) => self.put_stream(pathname, body, length, options).await,
        };
        match put {
            Ok(blob) => Ok(Put::Done(blob)),
            Err(error) if is_condition_failure(&error) => Ok(Put::PreconditionFailed),
            Err(error) => Err(error),
        }
    }

    async fn put_bytes(&self, pathname: &str, bytes: Bytes, options: &PutOptions) -> Result<Blob> {
        let mut request = BlobRequest::new(Method::PUT)
            .path("/")
            .query(&[("pathname", pathname)])
            .body(bytes.clone());
        for (name, value) in self.put_headers(options) {
            request = request.header(name, value);
        }
        let (response, may_have_run) = self.send_tracked(&request).await;
        let error = match response {
            Ok(response) => return send::parse(&response),
            Err(error) => error,
        };
        // If the response of an earlier attempt was lost, the conflicting blob is our own.
        if may_have_run == MayHaveRun(true) && is_condition_failure(&error) {
            let found = self.read(pathname, bytes.len()).await;
            if matches!(&found, Ok(Some(document)) if document.body == bytes) {
                return self.head(pathname).await?.ok_or(error);
            }
        }
        Err(error)
    }

    async fn put_stream(
        &self,
        pathname: &str,
        body: UnsyncBoxBody<Bytes, BoxError>,
        length: Option<u64>,
        options: &PutOptions,
    ) -> Result<Blob> {
        let progress = Arc::new(Mutex::new(Progress::default()));
        let tracked = TrackedBody {
            body: SyncWrapper::new(body),
            length,
            progress: progress.clone(),
        };
        let request = BlobRequest::new(Method::PUT)
            .path("/")
            .query(&[("pathname", pathname)]);
        let mut request = self.build_single(&request)?;
        for (name, value) in self.put_headers(options) {
            request = request.header(name, value);
        }
        let request = request.body(reqwest::Body::wrap(tracked));
        let response = tokio::select! {
            response = send::response_body(request, None) => response.map_err(|failure| failure.error),
            () = stall(&progress) => Err(Error::Timeout),
        };
        if let Some(error) = lock(&progress).failure.take() {
            return Err(Error::IncompleteBody(error));
        }
        send::parse(&response?)
    }

    fn put_headers(&self, options: &PutOptions) -> Vec<(HeaderName, String)> {
        let (overwrite, if_match) = match &options.condition {
            WriteCondition::Always => ("1", None),
            WriteCondition::IfMissing => ("0", None),
            WriteCondition::IfMatch(etag) => ("1", Some(quote(etag))),
        };
        let max_age = options.cache_control_max_age.to_string();
        let optional = [
            (wire::X_CONTENT_TYPE, options.content_type.clone()),
            (wire::X_IF_MATCH, if_match),
        ];
        let mut headers = vec![
            (wire::X_ACCESS, self.access().as_str().to_owned()),
            (wire::X_ADD_RANDOM_SUFFIX, "0".to_owned()),
            (wire::X_ALLOW_OVERWRITE, overwrite.to_owned()),
            (wire::X_CACHE_CONTROL_MAX_AGE, max_age),
        ];
        headers.extend(
            optional
                .into_iter()
                .filter_map(|(name, value)| Some((name, value?))),
        );
        headers
    }
}

fn is_condition_failure(error: &Error) -> bool {
    error.is_precondition_failure() || error.is_conflict()
}

/// The progress of a streamed body.
struct Progress {
    /// The time at which the connection last polled the body.
    polled: Instant,
    /// Whether the connection waits for the sender of the body.
    is_waiting_for_sender: bool,
    /// The error of the body.
    failure: Option<BoxError>,
}

impl Default for Progress {
    fn default() -> Self {
        Self {
            polled: Instant::now(),
            is_waiting_for_sender: false,
            failure: None,
        }
    }
}

fn lock(progress: &Mutex<Progress>) -> MutexGuard<'_, Progress> {
    progress.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Completes when the service has read nothing of the body, or has not responded after its end, for
/// [`RESPONSE_TIMEOUT`]. The time that a slow sender takes does not count.
async fn stall(progress: &Mutex<Progress>) {
    loop {
        tokio::time::sleep(STALL_CHECK_INTERVAL).await;
        let progress = lock(progress);
        if !progress.is_waiting_for_sender && progress.polled.elapsed() > RESPONSE_TIMEOUT {
            return;
        }
    }
}

/// A body that records its progress.
struct TrackedBody {
    body: SyncWrapper<UnsyncBoxBody<Bytes, BoxError>>,
    length: Option<u64>,
    progress: Arc<Mutex<Progress>>,
}

impl Body for TrackedBody {
    type Data = Bytes;
    type Error = BodyFailed;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyFailed>>> {
        let polled = Pin::new(self.body.get_mut()).poll_frame(context);
        let mut progress = lock(&self.progress);
        progress.polled = Instant::now();
        progress.is_waiting_for_sender = polled.is_pending();
        polled.map_err(|error| {
            progress.failure = Some(error);
            BodyFailed
        })
    }

    fn size_hint(&self) -> SizeHint {
        self.length
            .map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

/// Aborts the request. [`Progress`] contains the cause.
#[derive(Debug, thiserror::Error)]
#[error("the body ended early")]
struct BodyFailed;
