//! The routes.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};

use crate::MODEL;
use crate::engine::Engine;
use crate::error::ApiError;
use crate::request::ChatRequest;
use crate::response;

/// The largest body. The context has a few kilobytes of text.
const MAX_BODY_BYTES: usize = 1024 * 1024;

/// Returns the service.
pub(crate) fn router(engine: Engine) -> Router {
    Router::new()
        .route("/health", get(health))
        .route("/v1/models", get(models))
        .route("/v1/chat/completions", post(chat_completions))
        .fallback(async || ApiError::unknown_path())
        .method_not_allowed_fallback(async || ApiError::wrong_method())
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .with_state(Arc::new(engine))
}

async fn health() -> Json<Value> {
    Json(json!({"status": "ok", "model": MODEL}))
}

async fn models() -> Json<Value> {
    Json(json!({
        "object": "list",
        "data": [{"id": MODEL, "object": "model", "created": 0, "owned_by": "HuggingFaceTB"}],
    }))
}

async fn chat_completions(
    State(engine): State<Arc<Engine>>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, ApiError> {
    let body = body.map_err(|rejection| {
        ApiError::unreadable_body(rejection.status(), rejection.body_text())
    })?;
    let request = ChatRequest::parse(&body)?;
    let events = engine.submit(&request.messages, request.options)?;
    if request.stream {
        return Ok(response::stream(events, request.include_usage).into_response());
    }
    Ok(Json(response::complete(events).await?).into_response())
}
