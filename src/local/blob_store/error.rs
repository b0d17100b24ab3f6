//! Error responses, with the codes and messages of Vercel Blob.

use std::io;

use axum::Json;
use axum::http::StatusCode;
use axum::http::header::CONTENT_RANGE;
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// An error of the Blob API. The official client maps errors by their code, and some by words in the message, so these
/// messages are Vercel's.
#[derive(Debug, thiserror::Error)]
pub(super) enum BlobApiError {
    #[error("Access denied, please provide a valid token for this resource.")]
    Forbidden,
    #[error("This store accepts requests from its own machine only.")]
    NotLocal,
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
    #[error("This route does not exist")]
    NoSuchRoute,
    #[error("This route does not support this method")]
    MethodNotAllowed,
    #[error("Precondition failed: ETag mismatch.")]
    PreconditionFailed,
    #[error("The range is outside the {0} bytes of the blob")]
    RangeNotSatisfiable(u64),
    #[error("The folder of the store cannot be used: {0}")]
    Disk(#[from] io::Error),
}

impl BlobApiError {
    pub(super) fn bad_request(message: impl Into<String>) -> Self {
        Self::BadRequest(message.into())
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::Forbidden | Self::NotLocal | Self::TokenExpired | Self::ClientTokenNotAllowed => {
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
            Self::Forbidden | Self::NotLocal | Self::TokenExpired => "forbidden",
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

impl IntoResponse for BlobApiError {
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
