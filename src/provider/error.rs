//! Errors of a provider. Their texts are our own: a provider's text may repeat keys or the prompt.

use std::time::Duration;

/// A failed request to a model.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the model provider {provider} failed: {kind:?}")]
pub struct ProviderError {
    /// What failed.
    pub kind: ErrorKind,
    /// The name of the provider, such as `anthropic`.
    pub provider: &'static str,
    /// The HTTP status of the response, if there was one.
    pub status: Option<u16>,
    /// How long to wait before another attempt, if the provider says it.
    pub retry_after: Option<Duration>,
    /// The provider's id of the request, for its support; at most 200 visible ASCII characters.
    pub request_id: Option<String>,
    /// Whether no connection could be made.
    pub is_unreachable: bool,
    /// Whether the same request may succeed a moment later.
    pub is_retryable: bool,
}

/// The kinds of failures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The provider does not accept the key (401, 403).
    Auth,
    /// The account has no credit or no quota left (402, `insufficient_quota`).
    Quota,
    /// Too many requests (429).
    RateLimited,
    /// The provider is overloaded (503, 529).
    Overloaded,
    /// The provider does not know the model (404).
    UnknownModel,
    /// The conversation is too long for the model.
    TooLong,
    /// The provider rejects the request (400, 413, 422).
    Invalid,
    /// No connection, no first byte, or no further byte in time.
    Timeout,
    /// The provider failed (5xx), or its answer is malformed or over a limit.
    Upstream,
    /// The answer ended without a final event.
    Interrupted,
}

impl ErrorKind {
    /// Returns the stable name by which programs tell the kinds apart.
    pub fn code(self) -> &'static str {
        match self {
            Self::Auth => "provider_auth",
            Self::Quota => "provider_quota",
            Self::RateLimited => "provider_rate_limited",
            Self::Overloaded => "provider_overloaded",
            Self::UnknownModel => "unknown_model",
            Self::TooLong => "conversation_too_long",
            Self::Invalid => "provider_rejected",
            Self::Timeout => "provider_timeout",
            Self::Upstream => "provider_failed",
            Self::Interrupted => "provider_interrupted",
        }
    }

    /// Returns the kind with this code.
    pub fn parse(code: &str) -> Option<Self> {
        const ALL: [ErrorKind; 10] = [
            ErrorKind::Auth,
            ErrorKind::Quota,
            ErrorKind::RateLimited,
            ErrorKind::Overloaded,
            ErrorKind::UnknownModel,
            ErrorKind::TooLong,
            ErrorKind::Invalid,
            ErrorKind::Timeout,
            ErrorKind::Upstream,
            ErrorKind::Interrupted,
        ];
        ALL.into_iter().find(|kind| kind.code() == code)
    }

    /// Returns a sentence for the person who waits for the answer. It names no provider and repeats nothing of the request.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::Auth => "The model provider does not accept the configured key.",
            Self::Quota => "The account of the model provider has no credit left.",
            Self::RateLimited => "The model provider limits the rate of requests. Try again later.",
            Self::Overloaded => "The model provider is overloaded. Try again later.",
            Self::UnknownModel => "The model provider does not know the model.",
            Self::TooLong => "The conversation is too long for the model.",
            Self::Invalid => "The model provider rejected the request.",
            Self::Timeout => "The model provider did not respond in time.",
            Self::Upstream => "The model provider failed.",
            Self::Interrupted => "The answer of the model was interrupted.",
        }
    }
}
