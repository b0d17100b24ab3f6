//! `/api/health`: whether each part works, and what runs where. Also answers every unknown route.

use std::time::Instant;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Json, Router};
use serde::Serialize;

use super::observe::{LoggedCause, milliseconds};
use crate::app::App;
use crate::store;

/// The route of the health check.
pub fn router() -> Router<App> {
    Router::new().route("/api/health", get(check_health))
}

#[derive(Serialize)]
struct Health {
    status: PartStatus,
    version: &'static str,
    commit: Option<String>,
    region: Option<String>,
    environment: Option<String>,
    redis: Part,
}

/// One part of the service.
#[derive(Serialize)]
struct Part {
    status: PartStatus,
    #[serde(skip_serializing_if = "Option::is_none")]
    milliseconds: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    remedy: Option<&'static str>,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum PartStatus {
    Ok,
    NotConfigured,
    Failing,
}

async fn check_health(State(app): State<App>) -> Response {
    let redis = check_redis(&app).await;
    let (code, status) = match redis.status {
        PartStatus::Failing => (StatusCode::SERVICE_UNAVAILABLE, PartStatus::Failing),
        PartStatus::Ok | PartStatus::NotConfigured => (StatusCode::OK, PartStatus::Ok),
    };
    let cause = redis
        .reason
        .clone()
        .filter(|_| status == PartStatus::Failing);
    let health = Health {
        status,
        version: env!("CARGO_PKG_VERSION"),
        commit: app.config.commit.clone(),
        region: app.config.vercel_region.clone(),
        environment: app.config.vercel_env.clone(),
        redis,
    };
    let cause = cause.map(|cause| Extension(LoggedCause(cause)));
    (code, cause, Json(health)).into_response()
}

async fn check_redis(app: &App) -> Part {
    let started = Instant::now();
    let result = match app.store.client() {
        Ok(client) => client.probe().await,
        Err(error) => Err(error),
    };
    let milliseconds = Some(milliseconds(started.elapsed()));
    let Err(error) = result else {
        return Part {
            status: PartStatus::Ok,
            milliseconds,
            reason: None,
            remedy: None,
        };
    };
    let status = match error {
        store::Error::NotConfigured => PartStatus::NotConfigured,
        store::Error::Unavailable(_) | store::Error::Unreadable(_) => PartStatus::Failing,
    };
    let diagnosis = store::diagnose(&error);
    Part {
        status,
        milliseconds,
        reason: Some(diagnosis.cause),
        remedy: Some(diagnosis.remedy),
    }
}
