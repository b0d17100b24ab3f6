//! Requests to a provider: headers, time-outs, one retry.

use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderValue};
use tokio::time::{Instant, sleep, timeout_at};

use super::chat_completions::{self, Service};
use super::error::{ErrorKind, ProviderError};
use super::event::{ModelEvent, ModelUsage};
use super::failure::Failure;
use super::http::{Credentials, Http, error_response};
use super::request::ModelRequest;
use super::stream::{ErrorContext, ModelStream};
use super::wire::{Reader, Wire};
use super::{anthropic, headers};
use crate::util::secret::Secret;

/// The longest pause before the second attempt.
const MAX_PAUSE: Duration = Duration::from_secs(10);
/// The pause before the second attempt, if the provider names none.
const PAUSE: Duration = Duration::from_millis(500);
/// How long after the first attempt the second one may begin.
const MAX_TIME_OF_RETRY: Duration = Duration::from_secs(20);

/// Time limits of an answer. Connecting takes at most 10 seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// From the request to the first byte of the body of the response.
    pub first_byte: Duration,
    /// Between any two bytes after it. Pings and comments count.
    pub silence: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            first_byte: Duration::from_secs(60),
            silence: Duration::from_secs(45),
        }
    }
}

/// A provider of models, with the key for it.
#[derive(Clone, Debug)]
pub struct Provider {
    pub(super) name: &'static str,
    pub(super) wire: Wire,
    /// The URL to which the path of the wire is appended. It may contain a password.
    pub(super) base_url: Secret,
    pub(super) credentials: Credentials,
    /// `anthropic-version`.
    pub(super) version: Option<String>,
    /// The URL of this deployment, for the statistics of OpenRouter.
    pub(super) deployment_url: Option<String>,
    pub(super) default_model: String,
    pub(super) timeouts: Timeouts,
    pub(super) http: Http,
}

impl Provider {
    /// Returns the name: `openrouter`, `custom`, `gateway`, `anthropic`, `openai` or `local`.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Returns the model of requests that name none.
    pub fn default_model(&self) -> &str {
        &self.default_model
    }

    /// Returns the wire.
    pub fn wire(&self) -> Wire {
        self.wire
    }

    /// Asks the model, and returns its answer once the first content arrived. An attempt that fails before that is
    /// repeated at most once. Dropping the future or the stream closes the connection.
    ///
    /// # Errors
    /// The failure of the last attempt.
    pub async fn stream(&self, request: &ModelRequest) -> Result<ModelStream, ProviderError> {
        let body = self.body(request);
        let body = body.map_err(|_| self.error(Failure::new(ErrorKind::Invalid, false)))?;
        let started = Instant::now();
        let error = match self.attempt(body.clone()).await {
            Ok(stream) => return Ok(stream),
            Err(error) => error,
        };
        match pause(&error, started.elapsed()) {
            Some(pause) => sleep(pause).await,
            None => return Err(error),
        }
        self.attempt(body).await
    }

    /// Asks the model, and returns the text of its answer, cut to `max_bytes`, and the counts of tokens.
    ///
    /// # Errors
    /// If the answer fails.
    pub async fn complete(
        &self,
        request: &ModelRequest,
        max_bytes: usize,
    ) -> Result<(String, ModelUsage), ProviderError> {
        let mut stream = self.stream(request).await?;
        let mut text = String::new();
        let mut counts = ModelUsage::default();
        while let Some(event) = stream.next().await {
            match event? {
                ModelEvent::Text { delta, .. } => text.push_str(&delta),
                ModelEvent::Usage(usage) => counts = usage,
                _ => {}
            }
            if text.len() > max_bytes {
                text.truncate(text.floor_char_boundary(max_bytes));
                break;
            }
        }
        Ok((text, counts))
    }

    fn body(&self, request: &ModelRequest) -> serde_json::Result<Bytes> {
        match self.wire {
            Wire::Anthropic => anthropic::body(request),
            Wire::ChatCompletions => chat_completions::body(request, self.service()),
        }
    }

    fn service(&self) -> Service {
        Service::at(self.base_url.reveal())
    }

    /// Sends the request, and reads the response until the first content.
    async fn attempt(&self, body: Bytes) -> Result<ModelStream, ProviderError> {
        let first_byte = Instant::now() + self.timeouts.first_byte;
        let request = self.request(body)?;
        let response = match timeout_at(first_byte, request.send()).await {
            Ok(Ok(response)) => response,
            Ok(Err(error)) if error.is_timeout() || error.is_connect() => {
                let mut unreachable = self.error(Failure::new(ErrorKind::Timeout, true));
                unreachable.is_unreachable = error.is_connect();
                return Err(unreachable);
            }
            Ok(Err(error)) => {
                let failure = Failure::new(ErrorKind::Upstream, !error.is_builder());
                return Err(self.error(failure));
            }
            Err(_) => return Err(self.error(Failure::new(ErrorKind::Timeout, true))),
        };
        let context = ErrorContext {
            provider: self.name,
            status: Some(response.status().as_u16()),
            request_id: headers::request_id(response.headers(), self.credentials.key()),
        };
        if !response.status().is_success() {
            return Err(error_response(response, &context, first_byte).await);
        }
        let reader = Reader::new(self.wire);
        let silence = self.timeouts.silence;
        let mut stream = ModelStream::new(response, reader, context, first_byte, silence);
        stream.fill().await?;
        Ok(stream)
    }

    fn request(&self, body: Bytes) -> Result<reqwest::RequestBuilder, ProviderError> {
        let path = match self.wire {
            Wire::Anthropic => "messages",
            Wire::ChatCompletions => "chat/completions",
        };
        let http = self.http.get();
        let http = http.map_err(|_| self.error(Failure::new(ErrorKind::Upstream, false)))?;
        let mut request = http
            .post(format!("{}/{path}", self.base_url.reveal()))
            .header(CONTENT_TYPE, "application/json")
            .header(ACCEPT, "text/event-stream");
        if let Some((name, value)) = self.credentials.header() {
            // A key of a request may contain any characters.
            let value = HeaderValue::try_from(value);
            let value = value.map_err(|_| self.error(Failure::new(ErrorKind::Auth, false)))?;
            request = request.header(name, sensitive(value));
        }
        if self.wire == Wire::Anthropic {
            let version = self.version.as_deref();
            let version = version.unwrap_or(anthropic::DEFAULT_VERSION);
            request = request.header("anthropic-version", version);
        } else if let Some(url) = &self.deployment_url
            && self.service() == Service::OpenRouter
        {
            request = request
                .header("http-referer", url)
                .header("x-title", "llmos");
        }
        Ok(request.body(body))
    }

    /// Returns an error without a response.
    fn error(&self, failure: Failure) -> ProviderError {
        let context = ErrorContext {
            provider: self.name,
            status: None,
            request_id: None,
        };
        context.error(failure)
    }
}

fn sensitive(mut value: HeaderValue) -> HeaderValue {
    value.set_sensitive(true);
    value
}

/// Returns the pause before a second attempt, or `None` if there must not be one.
fn pause(error: &ProviderError, elapsed: Duration) -> Option<Duration> {
    let pause = error.retry_after.unwrap_or(PAUSE);
    let is_soon = pause <= MAX_PAUSE && elapsed + pause <= MAX_TIME_OF_RETRY;
    (error.is_retryable && is_soon).then_some(pause)
}
