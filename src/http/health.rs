//! `/api/health`: whether each part works, and what runs where. Also answers every unknown route.

use std::future::Future;
use std::time::Instant;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Json, Router};
use serde::Serialize;

use super::auth::Visitor;
use super::extract::RequestBlobs;
use super::observe::{LoggedCause, milliseconds};
use crate::app::App;
use crate::blob::{self, Blobs};
use crate::diagnosis::Diagnosis;
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
    blob: Part,
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

async fn check_health(
    _: Visitor,
    State(app): State<App>,
    RequestBlobs(blobs): RequestBlobs,
) -> Response {
    let (redis, blob) = tokio::join!(check(probe_redis(&app)), check(probe_blob(&blobs)));
    let causes: Vec<&str> = [&redis, &blob]
        .into_iter()
        .filter(|part| part.status == PartStatus::Failing)
        .filter_map(|part| part.reason.as_deref())
        .collect();
    let (code, status) = if causes.is_empty() {
        (StatusCode::OK, PartStatus::Ok)
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, PartStatus::Failing)
    };
    let cause = (!causes.is_empty()).then(|| Extension(LoggedCause(causes.join("; "))));
    let health = Health {
        status,
        version: env!("CARGO_PKG_VERSION"),
        commit: app.config.commit.clone(),
        region: app.config.vercel_region.clone(),
        environment: app.config.vercel_env.clone(),
        redis,
        blob,
    };
    (code, cause, Json(health)).into_response()
}

/// Why a part does not work, and whether it was meant to.
struct Problem {
    status: PartStatus,
    diagnosis: Diagnosis,
}

async fn probe_redis(app: &App) -> Result<(), Problem> {
    let probed = match app.store.client() {
        Ok(client) => client.probe().await,
        Err(error) => Err(error),
    };
    probed.map_err(|error| Problem {
        status: match error {
            store::Error::NotConfigured => PartStatus::NotConfigured,
            store::Error::Unavailable(_)
            | store::Error::Unreadable(_)
            | store::Error::RateLimited(_) => PartStatus::Failing,
        },
        diagnosis: store::diagnose(&error),
    })
}

async fn probe_blob(blobs: &Blobs) -> Result<(), Problem> {
    blobs.probe().await.map_err(|error| Problem {
        status: match error {
            blob::Error::NotConfigured => PartStatus::NotConfigured,
            _ => PartStatus::Failing,
        },
        diagnosis: blob::diagnose(&error),
    })
}

async fn check(probe: impl Future<Output = Result<(), Problem>>) -> Part {
    let started = Instant::now();
    let problem = probe.await.err();
    let status = problem
        .as_ref()
        .map_or(PartStatus::Ok, |problem| problem.status);
    let diagnosis = problem.map(|problem| problem.diagnosis);
    Part {
        status,
        milliseconds: Some(milliseconds(started.elapsed())),
        remedy: diagnosis.as_ref().map(|diagnosis| diagnosis.remedy),
        reason: diagnosis.map(|diagnosis| diagnosis.cause),
    }
}
