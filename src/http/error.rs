//! Everything that can go wrong with a request.

use std::borrow::Cow;
use std::sync::Arc;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use http_body_util::LengthLimitError;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::blob;
use crate::config::ConfigError;
use crate::domain::caller::AccessError;
use crate::store;

/// A failed request: a variant for each thing that a caller can tell apart.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// What was asked for does not exist, or is none of the caller's business. The text says what kind.
    #[error("{0}")]
    NotFound(&'static str),
    /// The request cannot be understood.
    #[error("{0}")]
    InvalidRequest(String),
    /// The request is understood, and a field of it is not acceptable.
    #[error("{}: {}", .0.field, .0.message)]
    Validation(FieldError),
    /// The caller's credentials are missing, or do not hold.
    #[error("{detail}")]
    Unauthorized {
        /// What is missing or wrong.
        detail: String,
        /// Whether there were credentials.
        had_credentials: bool,
    },
    /// The caller may see what is asked for, and may not do this.
    #[error("{0}")]
    Forbidden(&'static str),
    /// The route exists, for other methods.
    #[error("This route does not have the method; see Allow.")]
    MethodNotAllowed,
    /// The body is not of the type that the route takes, which the text names.
    #[error("Send the body as {0}, without a Content-Encoding.")]
    UnsupportedMediaType(&'static str),
    /// The range that was asked for lies outside of the file.
    #[error("The range lies outside of the file; Content-Range says how long that is.")]
    RangeNotSatisfiable(
        /// How long it is, as a `Content-Range` header.
        Option<String>,
    ),
    /// The body is over the limit.
    #[error("The body is larger than 4 MB.")]
    PayloadTooLarge,
    /// The body came too slowly.
    #[error("The body took longer than 20 s to arrive.")]
    BodyTimeout,
    /// The request came into another's way.
    #[error("{0}")]
    Conflict(&'static str),
    /// The caller's `If-Match` names an older state than `current`.
    #[error("This was changed since you read it; current holds what it is now.")]
    PreconditionFailed {
        /// What it is now.
        current: Box<RawValue>,
        /// The entity tag of that, if there is anything.
        entity_tag: Option<String>,
    },
    /// Redis failed.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// Blob failed.
    #[error(transparent)]
    Blob(blob::Error),
    /// What is stored is none of ours; the text is for the log.
    #[error("{0}")]
    Unreadable(String),
    /// Whether the caller's credentials hold cannot be told; the text is for the log.
    #[error("{0}")]
    KeysUnavailable(String),
    /// A variable of the configuration has an invalid value.
    #[error("{0}")]
    Misconfigured(Arc<ConfigError>),
    /// The request took longer than it may.
    #[error("time limit")]
    Timeout,
    /// A flaw of ours; the text is for the log.
    #[error("{0}")]
    Internal(String),
}

impl From<AccessError> for Error {
    fn from(denied: AccessError) -> Self {
        match denied {
            AccessError::NotFound => Self::NO_SUCH_VOLUME,
            AccessError::ReadOnly => Self::READ_ONLY,
        }
    }
}

impl From<blob::Error> for Error {
    fn from(error: blob::Error) -> Self {
        match error {
            error @ blob::Error::TooLarge(_) => Self::Unreadable(error.to_string()),
            blob::Error::BodyBroke(cause) if is_over_limit(&cause) => Self::PayloadTooLarge,
            blob::Error::BodyBroke(_) => Self::InvalidRequest("The body broke off.".to_owned()),
            error => Self::Blob(error),
        }
    }
}

fn is_over_limit(error: &(dyn std::error::Error + 'static)) -> bool {
    error.is::<LengthLimitError>() || error.source().is_some_and(is_over_limit)
}

/// The result of handling a request.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What is wrong with one field of a request.
#[derive(Debug, Serialize)]
pub struct FieldError {
    /// The field, as a path such as `messages[3].content`, a query parameter, or a header.
    pub field: String,
    /// What it must be.
    pub message: String,
}

impl Error {
    /// The caller sees it, and may not change it.
    pub(crate) const READ_ONLY: Self = Self::Forbidden("You may read this, and not change it.");
    /// There is no such volume, or the caller may not see it.
    pub(crate) const NO_SUCH_VOLUME: Self = Self::NotFound("There is no such volume.");
    /// There is no session of this id, or the caller may not see it.
    pub(crate) const NO_SUCH_SESSION: Self = Self::NotFound("There is no such session.");
    /// There is no skill of this id in the volume, or the caller may not see it.
    pub(crate) const NO_SUCH_SKILL: Self = Self::NotFound("There is no such skill.");
    /// There is no file at this path of the volume, or the caller may not see it.
    pub(crate) const NO_SUCH_FILE: Self = Self::NotFound("There is no such file.");

    /// The `cursor` is not one that was answered.
    pub(crate) fn not_a_cursor() -> Self {
        Self::InvalidRequest("cursor must be a next_cursor of an earlier answer.".to_owned())
    }

    /// What a list of blobs answers instead of failing with `error`. All of a call but the cursor is ours: where
    /// the store takes it for malformed, it is the caller's cursor that it does not know.
    pub(crate) fn of_list(error: blob::Error, has_cursor: bool) -> Self {
        match error {
            blob::Error::Refused { status, .. }
                if status == StatusCode::BAD_REQUEST && has_cursor =>
            {
                Self::not_a_cursor()
            }
            error => error.into(),
        }
    }

    /// A field of the request is not acceptable.
    pub fn field(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Validation(FieldError {
            field: field.into(),
            message: message.into(),
        })
    }

    /// The HTTP status of the answer.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::InvalidRequest(_) => StatusCode::BAD_REQUEST,
            Self::Validation(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Unauthorized { .. } => StatusCode::UNAUTHORIZED,
            Self::Forbidden(_) => StatusCode::FORBIDDEN,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::UnsupportedMediaType(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::RangeNotSatisfiable(_) => StatusCode::RANGE_NOT_SATISFIABLE,
            Self::PayloadTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::BodyTimeout => StatusCode::REQUEST_TIMEOUT,
            Self::Conflict(_) => StatusCode::CONFLICT,
            Self::PreconditionFailed { .. } => StatusCode::PRECONDITION_FAILED,
            Self::Store(store::Error::RateLimited(_)) => StatusCode::TOO_MANY_REQUESTS,
            Self::Store(store::Error::NotConfigured | store::Error::Unavailable(_))
            | Self::Blob(_)
            | Self::KeysUnavailable(_)
            | Self::Misconfigured(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Store(store::Error::Unreadable(_)) | Self::Unreadable(_) | Self::Internal(_) => {
                StatusCode::INTERNAL_SERVER_ERROR
            }
            Self::Timeout => StatusCode::GATEWAY_TIMEOUT,
        }
    }

    /// The stable name that programs tell errors apart by.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotFound(_) => "not_found",
            Self::InvalidRequest(_) => "invalid_request",
            Self::Validation(_) => "validation_failed",
            Self::Unauthorized { .. } => "unauthorized",
            Self::Forbidden(_) => "forbidden",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::UnsupportedMediaType(_) => "unsupported_media_type",
            Self::RangeNotSatisfiable(_) => "range_not_satisfiable",
            Self::PayloadTooLarge => "payload_too_large",
            Self::BodyTimeout | Self::Timeout => "timeout",
            Self::Conflict(_) => "conflict",
            Self::PreconditionFailed { .. } => "precondition_failed",
            Self::Store(store::Error::RateLimited(_)) => "rate_limited",
            Self::Store(store::Error::NotConfigured | store::Error::Unavailable(_))
            | Self::Blob(_) => "storage_unavailable",
            Self::KeysUnavailable(_) => "authentication_unavailable",
            Self::Misconfigured(_) => "misconfigured",
            Self::Store(store::Error::Unreadable(_)) | Self::Unreadable(_) | Self::Internal(_) => {
                "internal"
            }
        }
    }

    /// What the log says of it: nothing of a caller's mistake, all of ours.
    pub fn cause(&self) -> Option<String> {
        self.status().is_server_error().then(|| self.to_string())
    }

    /// What the caller is told. Of a failure of ours that is a fixed text.
    pub(crate) fn detail(&self) -> Cow<'static, str> {
        match self {
            Self::Store(store::Error::NotConfigured) => {
                "Nothing can be stored: set REDIS_URL to the address of a Redis server.".into()
            }
            Self::Blob(blob::Error::NotConfigured) => {
                "Nothing can be stored: set BLOB_READ_WRITE_TOKEN to the token of a Vercel Blob store."
                    .into()
            }
            Self::Store(store::Error::Unavailable(_)) | Self::Blob(_) => {
                "The storage cannot be reached at the moment. Try again.".into()
            }
            Self::Store(store::Error::Unreadable(_)) | Self::Unreadable(_) => {
                "What is stored here cannot be read; it was not written by this service.".into()
            }
            Self::KeysUnavailable(_) => {
                "Whether your token holds cannot be checked at the moment. Try again.".into()
            }
            Self::Store(store::Error::RateLimited(_)) => {
                "You made too many requests. Try again after the seconds in Retry-After.".into()
            }
            Self::Misconfigured(error) => format!(
                "The service is misconfigured: {} has an invalid value. GET /api/health returns the reason.",
                error.variable()
            )
            .into(),
            Self::Timeout => "The request took too long. Try again.".into(),
            Self::Internal(_) => "Something went wrong on our side.".into(),
            Self::NotFound(_)
            | Self::InvalidRequest(_)
            | Self::Validation(_)
            | Self::Unauthorized { .. }
            | Self::Forbidden(_)
            | Self::MethodNotAllowed
            | Self::UnsupportedMediaType(_)
            | Self::RangeNotSatisfiable(_)
            | Self::PayloadTooLarge
            | Self::BodyTimeout
            | Self::Conflict(_)
            | Self::PreconditionFailed { .. } => self.to_string().into(),
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
