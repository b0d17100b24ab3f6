//! A response body that fails if its source is idle for too long. The time that its reader takes does not count.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::time::{Sleep, sleep};

/// A response body with a limit on the time between two frames.
#[derive(Debug)]
pub struct IdleLimitedBody {
    body: reqwest::Body,
    limit: Duration,
    /// The timer, which starts when the reader has to wait.
    timer: Option<Pin<Box<Sleep>>>,
}

impl IdleLimitedBody {
    pub(super) fn new(body: reqwest::Body, limit: Duration) -> Self {
        Self {
            body,
            limit,
            timer: None,
        }
    }
}

/// The reason why an [`IdleLimitedBody`] ends early.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// The connection broke.
    #[error(transparent)]
    Source(reqwest::Error),
    /// The source was idle for too long.
    #[error("the response was idle for too long")]
    Idle,
}

impl Body for IdleLimitedBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(context) {
            self.timer = None;
            return Poll::Ready(frame.map(|frame| frame.map_err(BodyError::Source)));
        }
        let limit = self.limit;
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep(limit)));
        match timer.as_mut().poll(context) {
            Poll::Ready(()) => Poll::Ready(Some(Err(BodyError::Idle))),
            Poll::Pending => Poll::Pending,
        }
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }
}
