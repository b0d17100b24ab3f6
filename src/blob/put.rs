//! Putting blobs: from memory, where the call can be repeated, and from a stream, where it cannot.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes};
use http_body::{Body as HttpBody, Frame, SizeHint};
use reqwest::Method;
use reqwest::header::HeaderName;
use sync_wrapper::SyncWrapper;

use super::error::{Error, Result};
use super::send::{self, Call};
use super::wire::{self, Blob};
use super::{ANSWER_TIMEOUT, Blobs};

/// How often a streamed put looks whether it still gets on.
const STALL_CHECK: Duration = Duration::from_millis(250);

/// What a blob is to hold.
#[derive(Debug)]
pub enum PutBody {
    /// Bytes in memory. The call is repeated where that helps; that it had its effect already is noticed.
    Bytes(Bytes),
    /// Bytes that are still to come; how many, if that is known. One that breaks off stores nothing.
    Stream(Body, Option<u64>),
}

/// When a put is to happen.
#[derive(Clone, Debug)]
pub enum WriteCondition {
    /// Whether there is a blob already or not.
    Always,
    /// If there is none.
    IfMissing,
    /// If the blob has this entity tag, without quotes.
    IfMatch(String),
}

/// How a blob is to be put.
#[derive(Clone, Debug)]
pub struct PutOptions {
    /// Its content type; the service guesses from the pathname where there is none.
    pub content_type: Option<String>,
    /// For how many seconds caches may keep it. The service's least is 60.
    pub cache_control_max_age: u32,
    /// When it is to happen.
    pub condition: WriteCondition,
}

/// What became of a put.
#[derive(Debug)]
pub enum Put {
    /// The blob is stored.
    Done(Blob),
    /// Nothing changed: the blob is not in the state that the condition names.
    Refused,
}

impl Blobs {
    /// Stores a blob under a pathname of 1–950 characters, as a whole or not at all.
    pub async fn put(&self, pathname: &str, body: PutBody, options: &PutOptions) -> Result<Put> {
        let put = match body {
            PutBody::Bytes(bytes) => self.put_bytes(pathname, bytes, options).await,
            PutBody::Stream(body, length) => self.put_stream(pathname, body, length, options).await,
        };
        match put {
            Ok(blob) => Ok(Put::Done(blob)),
            Err(error) if is_refusal(&error) => Ok(Put::Refused),
            Err(error) => Err(error),
        }
    }

    async fn put_bytes(&self, pathname: &str, bytes: Bytes, options: &PutOptions) -> Result<Blob> {
        let mut call = Call::new(Method::PUT)
            .path("/")
            .query(&[("pathname", pathname)])
            .body(bytes.clone());
        for (name, value) in self.put_headers(options) {
            call = call.header(name, value);
        }
        let mut may_have_run = false;
        let error = match self.send_noting(&call, &mut may_have_run).await {
            Ok(answer) => return send::parse(&answer),
            Err(error) => error,
        };
        // Where the answer of an earlier attempt was lost, what stands in the way is our own blob.
        if may_have_run && is_refusal(&error) {
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
        body: Body,
        length: Option<u64>,
        options: &PutOptions,
    ) -> Result<Blob> {
        let progress = Arc::new(Mutex::new(Progress::default()));
        let watched = Watched {
            body: SyncWrapper::new(body),
            length,
            progress: progress.clone(),
        };
        let call = Call::new(Method::PUT)
            .path("/")
            .query(&[("pathname", pathname)]);
        let mut request = self.first_attempt(&call)?;
        for (name, value) in self.put_headers(options) {
            request = request.header(name, value);
        }
        let request = request.body(reqwest::Body::wrap(watched));
        let answer = tokio::select! {
            answer = send::answer(request, None) => answer.map_err(|(error, _)| error),
            () = stall_of(&progress) => Err(Error::Timeout),
        };
        if let Some(error) = lock(&progress).failure.take() {
            return Err(Error::BodyBroke(error));
        }
        send::parse(&answer?)
    }

    fn put_headers(&self, options: &PutOptions) -> Vec<(HeaderName, String)> {
        let (overwrite, if_match) = match &options.condition {
            WriteCondition::Always => ("1", None),
            WriteCondition::IfMissing => ("0", None),
            WriteCondition::IfMatch(etag) => ("1", Some(wire::quoted(etag))),
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

fn is_refusal(error: &Error) -> bool {
    error.is_precondition_failure() || error.is_conflict()
}

/// How far a streamed body is.
struct Progress {
    /// When the connection last asked for more of it.
    asked: Instant,
    /// The connection has asked, and its sender has not yet given more.
    is_waiting_for_sender: bool,
    /// Why it broke off.
    failure: Option<axum::Error>,
}

impl Default for Progress {
    fn default() -> Self {
        Self {
            asked: Instant::now(),
            is_waiting_for_sender: false,
            failure: None,
        }
    }
}

fn lock(progress: &Mutex<Progress>) -> MutexGuard<'_, Progress> {
    progress.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Waits until the service takes no more of the body, or does not answer after its end, for too long. A
/// sender that is slow is not the service's fault.
async fn stall_of(progress: &Mutex<Progress>) {
    loop {
        tokio::time::sleep(STALL_CHECK).await;
        let progress = lock(progress);
        if !progress.is_waiting_for_sender && progress.asked.elapsed() > ANSWER_TIMEOUT {
            return;
        }
    }
}

/// A body that notes its progress.
struct Watched {
    body: SyncWrapper<Body>,
    length: Option<u64>,
    progress: Arc<Mutex<Progress>>,
}

impl HttpBody for Watched {
    type Data = Bytes;
    type Error = BodyBroke;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyBroke>>> {
        let polled = Pin::new(self.body.get_mut()).poll_frame(context);
        let mut progress = lock(&self.progress);
        progress.asked = Instant::now();
        progress.is_waiting_for_sender = polled.is_pending();
        polled.map_err(|error| {
            progress.failure = Some(error);
            BodyBroke
        })
    }

    fn size_hint(&self) -> SizeHint {
        self.length
            .map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

/// Breaks the call off; why is in its [`Progress`].
#[derive(Debug, thiserror::Error)]
#[error("the body broke off")]
struct BodyBroke;
