//! The stream of an answer.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use reqwest::Response;
use reqwest::header::CONTENT_TYPE;
use tokio::time::{Instant, timeout, timeout_at};

use super::error::{ErrorKind, ProviderError};
use super::event::ModelEvent;
use super::failure::Failure;
use super::output::Output;
use super::split_characters::SplitCharacters;
use super::sse::{MAX_EVENT_BYTES, SseDecoder, SseEvent};
use super::wire::Reader;

/// How long counts of tokens may take after the end of an answer.
const TIME_AFTER_END: Duration = Duration::from_secs(5);
/// How long the end of a response may take, so that its connection can be used again.
const TIME_OF_DRAIN: Duration = Duration::from_millis(100);

/// The events of an answer. Dropping it closes the connection, so that the provider stops.
#[derive(Debug)]
pub struct ModelStream {
    response: Option<Response>,
    decoder: Decoder,
    reader: Reader,
    characters: SplitCharacters,
    output: Output,
    /// The failure that ends the stream after the events of `output`.
    failure: Option<Failure>,
    /// When the provider has been silent for too long.
    deadline: Instant,
    silence: Duration,
    context: ErrorContext,
    is_finished: bool,
}

/// What all errors of one response have in common.
#[derive(Clone, Debug)]
pub(super) struct ErrorContext {
    pub(super) provider: &'static str,
    pub(super) status: Option<u16>,
    pub(super) request_id: Option<String>,
}

impl ErrorContext {
    pub(super) fn error(&self, failure: Failure) -> ProviderError {
        ProviderError {
            kind: failure.kind,
            provider: self.provider,
            status: self.status,
            retry_after: None,
            request_id: self.request_id.clone(),
            is_unreachable: false,
            is_retryable: failure.is_retryable,
        }
    }
}

#[derive(Debug)]
enum Decoder {
    Events(SseDecoder),
    /// A server that does not stream responds with one JSON document.
    Document(Vec<u8>),
}

impl ModelStream {
    pub(super) fn new(
        response: Response,
        reader: Reader,
        context: ErrorContext,
        first_byte: Instant,
        silence: Duration,
    ) -> Self {
        let content_type = response.headers().get(CONTENT_TYPE);
        let content_type = content_type.and_then(|value| value.to_str().ok());
        let is_document = content_type.is_some_and(|it| it.starts_with("application/json"));
        Self {
            response: Some(response),
            decoder: if is_document {
                Decoder::Document(Vec::new())
            } else {
                Decoder::Events(SseDecoder::default())
            },
            reader,
            output: Output::default(),
            characters: SplitCharacters::default(),
            failure: None,
            deadline: first_byte,
            silence,
            context,
            is_finished: false,
        }
    }

    /// Returns the next event. After [`ModelEvent::Finished`] or an error, returns `None`; calling it until then lets the
    /// connection be used again. It may be dropped at any time without losing an event, and the time-outs go on.
    pub async fn next(&mut self) -> Option<Result<ModelEvent, ProviderError>> {
        loop {
            if let Some(event) = self.output.pop() {
                self.is_finished |= matches!(event, ModelEvent::Finished(_));
                return Some(Ok(event));
            }
            if self.is_finished {
                self.drain().await;
                return None;
            }
            if let Some(failure) = self.failure.take() {
                self.response = None;
                return Some(Err(self.context.error(failure)));
            }
            self.response.as_ref()?;
            self.read().await;
        }
    }

    /// Reads until the first content. An error before it can be retried.
    pub(super) async fn fill(&mut self) -> Result<(), ProviderError> {
        while !self.output.has_content() {
            if let Some(failure) = self.failure.take() {
                return Err(self.context.error(failure));
            }
            self.output.drop_pings();
            self.read().await;
        }
        Ok(())
    }

    /// Reads the next bytes.
    async fn read(&mut self) {
        let Some(response) = &mut self.response else {
            self.failure = Some(Failure::malformed());
            return;
        };
        let mut deadline = self.deadline;
        if self.reader.is_whole() {
            deadline = deadline.min(Instant::now() + TIME_AFTER_END);
        }
        let result = match timeout_at(deadline, response.chunk()).await {
            Ok(Ok(Some(bytes))) => {
                self.deadline = Instant::now() + self.silence;
                self.decode(&bytes)
            }
            Ok(Ok(None) | Err(_)) => self.end(Failure::new(ErrorKind::Interrupted, true)),
            Err(_) => self.end(Failure::new(ErrorKind::Timeout, true)),
        };
        self.failure = result.err();
    }

    fn decode(&mut self, bytes: &Bytes) -> Result<(), Failure> {
        match &mut self.decoder {
            Decoder::Events(decoder) => {
                let mut events = VecDeque::new();
                let result = decoder.push(bytes, &mut events);
                for mut event in events {
                    event.data = self.characters.join(event.data);
                    self.reader.read(&event, &mut self.output)?;
                }
                Ok(result?)
            }
            Decoder::Document(document) => {
                if document.len() + bytes.len() > MAX_EVENT_BYTES {
                    return Err(Failure::malformed());
                }
                document.extend_from_slice(bytes);
                Ok(())
            }
        }
    }

    /// Ends the answer. It fails with `failure` if it is not whole.
    fn end(&mut self, failure: Failure) -> Result<(), Failure> {
        if let Decoder::Document(document) = &mut self.decoder {
            let event = SseEvent {
                name: String::new(),
                data: String::from_utf8_lossy(&std::mem::take(document)).into_owned(),
            };
            self.reader.read(&event, &mut self.output)?;
        }
        if self.reader.end(&mut self.output)? {
            Ok(())
        } else {
            Err(failure)
        }
    }

    /// Reads the end of the response, so that the connection returns to the pool.
    async fn drain(&mut self) {
        if let Some(mut response) = self.response.take() {
            let end = async { while let Ok(Some(_)) = response.chunk().await {} };
            let _ = timeout(TIME_OF_DRAIN, end).await;
        }
    }
}
