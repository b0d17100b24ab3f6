//! Errors of the API, in OpenAI's shape.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::MODEL;

/// The pause that a rejected client is asked for. An answer takes a few seconds.
const RETRY_AFTER_SECONDS: HeaderValue = HeaderValue::from_static("5");

/// A failed request.
#[derive(Debug)]
pub(crate) struct ApiError {
    pub(crate) status: StatusCode,
    kind: &'static str,
    code: &'static str,
    param: Option<&'static str>,
    message: String,
}

impl ApiError {
    fn request(
        status: StatusCode,
        code: &'static str,
        param: Option<&'static str>,
        message: String,
    ) -> Self {
        Self {
            status,
            kind: "invalid_request_error",
            code,
            param,
            message,
        }
    }

    pub(crate) fn malformed(error: &serde_json::Error) -> Self {
        let message = format!("The body is malformed JSON: {error}.");
        Self::request(StatusCode::BAD_REQUEST, "invalid_json", None, message)
    }

    pub(crate) fn unreadable_body(status: StatusCode, message: String) -> Self {
        let code = if status == StatusCode::PAYLOAD_TOO_LARGE {
            "request_too_large"
        } else {
            "invalid_body"
        };
        Self::request(status, code, None, message)
    }

    pub(crate) fn invalid(param: Option<&'static str>, message: impl Into<String>) -> Self {
        Self::request(
            StatusCode::UNPROCESSABLE_ENTITY,
            "invalid_value",
            param,
            message.into(),
        )
    }

    pub(crate) fn unknown_model(model: &str) -> Self {
        let message = format!("The model {model} does not exist. This server has {MODEL}.");
        Self::request(
            StatusCode::NOT_FOUND,
            "model_not_found",
            Some("model"),
            message,
        )
    }

    pub(crate) fn unknown_path() -> Self {
        let message =
            "The path does not exist. See GET /v1/models and POST /v1/chat/completions.".into();
        Self::request(StatusCode::NOT_FOUND, "not_found", None, message)
    }

    pub(crate) fn wrong_method() -> Self {
        let message = "The path exists, but not with this method.".into();
        Self::request(
            StatusCode::METHOD_NOT_ALLOWED,
            "method_not_allowed",
            None,
            message,
        )
    }

    pub(crate) fn context_exceeded(tokens: usize, limit: usize) -> Self {
        let message = format!(
            "The messages have {tokens} tokens, and the context has {limit} for them and the answer. Send fewer messages."
        );
        Self::request(
            StatusCode::BAD_REQUEST,
            "context_length_exceeded",
            Some("messages"),
            message,
        )
    }

    pub(crate) fn overloaded() -> Self {
        let message = "Too many requests are waiting. Try again.".into();
        let status = StatusCode::SERVICE_UNAVAILABLE;
        Self {
            status,
            kind: "overloaded_error",
            code: "overloaded",
            param: None,
            message,
        }
    }

    pub(crate) fn internal(message: String) -> Self {
        let status = StatusCode::INTERNAL_SERVER_ERROR;
        Self {
            status,
            kind: "server_error",
            code: "internal_error",
            param: None,
            message,
        }
    }

    /// Returns the body of the response, which is also the event of a stream that failed.
    pub(crate) fn body(&self) -> Value {
        json!({"error": {"message": self.message, "type": self.kind, "param": self.param, "code": self.code}})
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(self.body())).into_response();
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, RETRY_AFTER_SECONDS);
        }
        response
    }
}
