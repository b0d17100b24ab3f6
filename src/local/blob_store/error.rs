//! What the store answers when it does not do what was asked: the codes of the official service.

use std::io;

use axum::Json;
use axum::http::StatusCode;
use axum::http::header::CONTENT_RANGE;
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// Why a request was not carried out. What the official client makes of it depends on the code, and for some
/// on words in the message, which are therefore as they are.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refusal {
    #[error("Access denied, please provide a valid token for this resource.")]
    Forbidden,
    #[error("This store is for programs and pages of its own machine.")]
    Stranger,
    #[error("Token expired")]
    TokenExpired,
    #[error("This operation is not available when using a client token.")]
    ClientTokenNotAllowed,
    #[error("\"pathname\" does not match the token payload")]
    PathnameMismatch,
    #[error("\"contentType\" {0} is not allowed")]
    ContentTypeNotAllowed(String),
    #[error("the file length cannot be greater than {0} bytes")]
    TooLarge(u64),
    #[error(
        "This blob already exists, use `allowOverwrite: true` if you want to overwrite it. \
         Or `addRandomSuffix: true` to generate a unique filename."
    )]
    Exists,
    #[error("{0}")]
    BadRequest(String),
    #[error("The requested blob does not exist")]
    NotFound,
    #[error("This multipart upload does not exist")]
    NoSuchUpload,
    #[error("There is no such route")]
    NoSuchRoute,
    #[error("This route does not answer this method")]
    MethodNotAllowed,
    #[error("Precondition failed: ETag mismatch.")]
    PreconditionFailed,
    #[error("The range does not lie within the {0} bytes")]
    RangeNotSatisfiable(u64),
    #[error("the store's folder cannot be used: {0}")]
    Disk(#[from] io::Error),
}

impl Refusal {
    pub(super) fn bad_request(message: impl Into<String>) -> Self {
        Self::BadRequest(message.into())
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::Forbidden | Self::Stranger | Self::TokenExpired | Self::ClientTokenNotAllowed => {
                StatusCode::FORBIDDEN
            }
            Self::PathnameMismatch
            | Self::ContentTypeNotAllowed(_)
            | Self::TooLarge(_)
            | Self::Exists
            | Self::BadRequest(_) => StatusCode::BAD_REQUEST,
            Self::NotFound | Self::NoSuchUpload | Self::NoSuchRoute => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::PreconditionFailed => StatusCode::PRECONDITION_FAILED,
            Self::RangeNotSatisfiable(_) => StatusCode::RANGE_NOT_SATISFIABLE,
            Self::Disk(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Forbidden | Self::Stranger | Self::TokenExpired => "forbidden",
            Self::ClientTokenNotAllowed => "client_token_not_allowed",
            Self::PathnameMismatch
            | Self::ContentTypeNotAllowed(_)
            | Self::TooLarge(_)
            | Self::Exists
            | Self::BadRequest(_)
            | Self::RangeNotSatisfiable(_) => "bad_request",
            Self::NotFound | Self::NoSuchUpload | Self::NoSuchRoute => "not_found",
            Self::MethodNotAllowed => "not_allowed",
            Self::PreconditionFailed => "precondition_failed",
            Self::Disk(_) => "internal_server_error",
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let body = json!({"error": {"code": self.code(), "message": self.to_string()}});
        let mut response = (self.status(), Json(body)).into_response();
        if let Self::RangeNotSatisfiable(size) = self
            && let Ok(value) = format!("bytes */{size}").parse()
        {
            response.headers_mut().insert(CONTENT_RANGE, value);
        }
        response
    }
}
