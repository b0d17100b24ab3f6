//! Errors of requests. `table.rs` has their statuses, codes and texts.

pub(crate) mod problem;
mod table;
mod unknown;

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use http_body_util::LengthLimitError;

use self::table::KEY_REUSED;
pub use self::unknown::Unknown;
use crate::blob;
use crate::config::ConfigError;
use crate::service;
use crate::service::error::{FieldError, Resource};

/// The result of handling a request.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A failed request: an operation that failed, or a request that HTTP does not allow.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The operation failed.
    #[error(transparent)]
    Service(service::error::Error),
    /// The route does not exist.
    #[error("no such route")]
    NoSuchRoute,
    /// The route exists, but not for this method.
    #[error("method not allowed")]
    MethodNotAllowed,
    /// The request is malformed.
    #[error("{0}")]
    InvalidRequest(String),
    /// The body has members that the route does not have.
    #[error("unknown members: {0}")]
    UnknownMembers(Unknown),
    /// The query has parameters that the route does not have.
    #[error("unknown parameters: {0}")]
    UnknownParameters(Unknown),
    /// The `Expect` header has another value than `100-continue`.
    #[error("expectation failed")]
    ExpectationFailed,
    /// The credentials are missing or invalid.
    #[error("{detail}")]
    Unauthorized {
        /// What is missing or invalid.
        detail: String,
        /// Whether the request had credentials.
        had_credentials: bool,
    },
    /// The request is not allowed, with or without credentials.
    #[error("{0}")]
    Forbidden(&'static str),
    /// The route does not accept this media type. The text names those that it accepts.
    #[error("unsupported media type: {0}")]
    UnsupportedMediaType(&'static str),
    /// The body has a `Content-Encoding`.
    #[error("encoded body")]
    EncodedBody,
    /// The requested range is outside of the file.
    #[error("range not satisfiable")]
    RangeNotSatisfiable(
        /// The `Content-Range` header, with the length of the file.
        Option<String>,
    ),
    /// The body is too large.
    #[error("payload too large")]
    PayloadTooLarge,
    /// The body took too long to arrive.
    #[error("body timeout")]
    BodyTimeout,
    /// The keys that verify tokens are unavailable.
    #[error("{cause}")]
    KeysUnavailable {
        /// The failure of the last fetch, for the log.
        cause: String,
        /// The time until the keys may be fetched again.
        retry_after: Duration,
    },
    /// A variable of the configuration has an invalid value.
    #[error("{0}")]
    Misconfigured(Arc<ConfigError>),
    /// The request took too long.
    #[error("time limit")]
    Timeout,
    /// A bug in the service. The text is for the log.
    #[error("{0}")]
    Internal(String),
}

impl<E: Into<service::error::Error>> From<E> for Error {
    fn from(error: E) -> Self {
        match error.into() {
            service::error::Error::Blob(blob::Error::IncompleteBody(cause)) => {
                if is_over_limit(cause.as_ref()) {
                    Self::PayloadTooLarge
                } else {
                    Self::incomplete_body()
                }
            }
            error => Self::Service(error),
        }
    }
}

fn is_over_limit(error: &(dyn std::error::Error + 'static)) -> bool {
    error.is::<LengthLimitError>() || error.source().is_some_and(is_over_limit)
}

impl Error {
    /// Returns the error of a resource that does not exist or that the caller may not read.
    pub(crate) fn not_found(resource: Resource) -> Self {
        Self::Service(service::error::Error::NotFound(resource))
    }

    /// Returns the error of a field that is not acceptable.
    pub(crate) fn field(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Service(service::error::Error::field(field, message))
    }

    /// Returns the error of a body whose connection broke.
    pub(crate) fn incomplete_body() -> Self {
        Self::InvalidRequest("The body is incomplete: the connection broke.".to_owned())
    }

    /// Returns the HTTP status.
    pub fn status(&self) -> StatusCode {
        self.rendering().status
    }

    /// Returns the stable name by which programs distinguish errors.
    pub fn code(&self) -> &'static str {
        self.rendering().code
    }

    /// Returns the text for the caller. For server errors it is fixed; their cause is only logged.
    pub(crate) fn detail(&self) -> Cow<'static, str> {
        self.rendering().detail
    }

    /// Returns the text for the log; `None` for errors of the caller.
    pub fn cause(&self) -> Option<String> {
        self.status().is_server_error().then(|| self.to_string())
    }

    /// Returns the field that is not acceptable, if that is the error.
    pub(crate) fn invalid_field(&self) -> Option<Cow<'_, FieldError>> {
        match self {
            Self::Service(service::error::Error::InvalidField(error)) => Some(Cow::Borrowed(error)),
            Self::Service(service::error::Error::IdempotencyMismatch) => {
                Some(Cow::Owned(FieldError {
                    field: "Idempotency-Key".to_owned(),
                    message: KEY_REUSED.to_owned(),
                }))
            }
            _ => None,
        }
    }

    /// Returns all fields that are not acceptable.
    pub(crate) fn invalid_fields(&self) -> Vec<FieldError> {
        match self {
            Self::UnknownMembers(unknown) | Self::UnknownParameters(unknown) => unknown.fields(),
            error => error
                .invalid_field()
                .map(Cow::into_owned)
                .into_iter()
                .collect(),
        }
    }
}

/// Carries the error to the `render_errors` middleware of its router.
impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        response.extensions_mut().insert(Arc::new(self));
        response
    }
}
