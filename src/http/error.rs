//! Errors of requests, and the one table of their statuses, codes and texts.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use http_body_util::LengthLimitError;

use crate::blob;
use crate::config::ConfigError;
use crate::service;
use crate::service::error::{Conflict, FieldError, Resource};
use crate::store;

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
    /// The credentials are missing or invalid.
    #[error("{detail}")]
    Unauthorized {
        /// The problem with the credentials, and the remedy.
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

/// The status, code and text of an error.
struct Rendering {
    status: StatusCode,
    code: &'static str,
    detail: Cow<'static, str>,
}

impl Error {
    /// Returns the error of a resource that does not exist or that the caller may not read.
    pub(crate) fn not_found(resource: Resource) -> Self {
        Self::Service(service::error::Error::NotFound(resource))
    }

    /// Returns the error of an invalid field.
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

    /// Returns the invalid field, if a field caused the error.
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

    /// Returns the status, code and text of the error.
    fn rendering(&self) -> Rendering {
        let (status, code, detail): (_, _, Cow<'static, str>) = match self {
            Self::Service(error) => return service_rendering(error),
            Self::NoSuchRoute => (
                StatusCode::NOT_FOUND,
                "not_found",
                "The route does not exist.".into(),
            ),
            Self::MethodNotAllowed => (
                StatusCode::METHOD_NOT_ALLOWED,
                "method_not_allowed",
                "The route does not support this method; see the Allow header.".into(),
            ),
            Self::InvalidRequest(detail) => (
                StatusCode::BAD_REQUEST,
                "invalid_request",
                detail.clone().into(),
            ),
            Self::Unauthorized { detail, .. } => (
                StatusCode::UNAUTHORIZED,
                "unauthorized",
                detail.clone().into(),
            ),
            Self::Forbidden(detail) => (StatusCode::FORBIDDEN, "forbidden", (*detail).into()),
            Self::UnsupportedMediaType(accepted) => (
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "unsupported_media_type",
                format!("Send the body as {accepted}, without a Content-Encoding.").into(),
            ),
            Self::RangeNotSatisfiable(_) => (
                StatusCode::RANGE_NOT_SATISFIABLE,
                "range_not_satisfiable",
                "The range is outside of the file; Content-Range contains its length.".into(),
            ),
            Self::PayloadTooLarge => (
                StatusCode::PAYLOAD_TOO_LARGE,
                "payload_too_large",
                "The body is larger than 4 MB.".into(),
            ),
            Self::BodyTimeout => (
                StatusCode::REQUEST_TIMEOUT,
                "timeout",
                "The body took longer than 20 s to arrive.".into(),
            ),
            Self::KeysUnavailable { .. } => (
                StatusCode::SERVICE_UNAVAILABLE,
                "authentication_unavailable",
                "The token cannot be verified right now because the signing keys are unavailable. \
                 Try again."
                    .into(),
            ),
            Self::Misconfigured(error) => (
                StatusCode::SERVICE_UNAVAILABLE,
                "misconfigured",
                format!(
                    "The service is misconfigured: {} has an invalid value. GET /api/health returns the reason.",
                    error.variable
                )
                .into(),
            ),
            Self::Timeout => (
                StatusCode::GATEWAY_TIMEOUT,
                "timeout",
                "The request took too long. Try again.".into(),
            ),
            Self::Internal(_) => (
                StatusCode::INTERNAL_SERVER_ERROR,
                "internal",
                "Internal server error.".into(),
            ),
        };
        Rendering {
            status,
            code,
            detail,
        }
    }
}

const KEY_REUSED: &str = "was already used for a different request";

/// Returns the status, code and text of a failed operation.
fn service_rendering(error: &service::error::Error) -> Rendering {
    use service::error::Error;
    let (status, code, detail): (_, _, Cow<'static, str>) = match error {
        Error::NotFound(resource) => (
            StatusCode::NOT_FOUND,
            "not_found",
            match resource {
                Resource::Volume => "The volume does not exist.",
                Resource::Session => "The session does not exist.",
                Resource::Skill => "The skill does not exist.",
                Resource::File => "The file does not exist.",
            }
            .into(),
        ),
        Error::ReadOnly => (
            StatusCode::FORBIDDEN,
            "forbidden",
            "The caller may read this resource but not change it.".into(),
        ),
        Error::InvalidField(error) => (
            StatusCode::UNPROCESSABLE_ENTITY,
            "validation_failed",
            format!("{}: {}", error.field, error.message).into(),
        ),
        Error::IdempotencyMismatch => (
            StatusCode::UNPROCESSABLE_ENTITY,
            "validation_failed",
            format!("Idempotency-Key: {KEY_REUSED}").into(),
        ),
        Error::InvalidCursor => (
            StatusCode::BAD_REQUEST,
            "invalid_request",
            "cursor must be the next_cursor of an earlier response of this list.".into(),
        ),
        Error::Conflict(conflict) => (StatusCode::CONFLICT, "conflict", conflict_text(*conflict)),
        Error::PreconditionFailed(_) => (
            StatusCode::PRECONDITION_FAILED,
            "precondition_failed",
            "The resource changed since you read it. `current` contains the latest version.".into(),
        ),
        Error::Store(store::Error::RateLimited(_)) => (
            StatusCode::TOO_MANY_REQUESTS,
            "rate_limited",
            "Too many requests. Try again after the number of seconds in Retry-After.".into(),
        ),
        Error::Store(store::Error::NotConfigured) => (
            StatusCode::SERVICE_UNAVAILABLE,
            "storage_unavailable",
            "Storage is not configured: set REDIS_URL to the URL of a Redis server.".into(),
        ),
        Error::Blob(blob::Error::NotConfigured) => (
            StatusCode::SERVICE_UNAVAILABLE,
            "storage_unavailable",
            "Storage is not configured: set BLOB_READ_WRITE_TOKEN to the token of a Vercel Blob store."
                .into(),
        ),
        Error::Store(store::Error::Unavailable(_)) | Error::Blob(_) => (
            StatusCode::SERVICE_UNAVAILABLE,
            "storage_unavailable",
            "The storage is unavailable. Try again.".into(),
        ),
        Error::Store(store::Error::Unreadable(_)) | Error::Unreadable(_) => (
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "The stored data is malformed; it was not written by this service.".into(),
        ),
    };
    Rendering {
        status,
        code,
        detail,
    }
}

fn conflict_text(conflict: Conflict) -> Cow<'static, str> {
    match conflict {
        Conflict::CreatedSessionDeleted => {
            "The session that this Idempotency-Key created was deleted.".into()
        }
        Conflict::SkillExists => "A skill with this id already exists.".into(),
        Conflict::Contended(resource) => {
            format!("The {resource} was modified concurrently too many times. Try again.").into()
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
