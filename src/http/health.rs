//! `/api/health`: whether each part works, and what runs where. Its function also has what asks no storage, and
//! answers every unknown route.

use std::future::Future;
use std::time::Instant;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::Serialize;

use super::extract::auth::Unauthenticated;
use super::me;
use super::middleware::request_log::{ErrorCause, milliseconds};
use super::routes::routes;
use crate::app::App;
use crate::blob::{self, Blobs};
use crate::store;
use crate::util::diagnosis::Diagnosis;

routes! {
    [check_health],
    [me::find_caller],
}

/// What works, and what runs where.
#[derive(Serialize, utoipa::ToSchema)]
struct Health {
    /// `failing` where any part is.
    status: PartStatus,
    version: &'static str,
    #[schema(required)]
    commit: Option<String>,
    #[schema(required)]
    region: Option<String>,
    /// Vercel's: `production`, `preview` or `development`.
    #[schema(required)]
    environment: Option<String>,
    redis: Part,
    blob: Part,
}

/// One part of the service.
#[derive(Serialize, utoipa::ToSchema)]
struct Part {
    status: PartStatus,
    /// How long its answer took.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = f64, required = false)]
    milliseconds: Option<f64>,
    /// Why it does not work.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false)]
    reason: Option<String>,
    /// What mends it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false)]
    remedy: Option<&'static str>,
}

/// Whether a part works.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
enum PartStatus {
    Ok,
    NotConfigured,
    Failing,
}

/// Tells whether each part works, and what runs where.
///
/// A part that is not set up fails nothing. Needs no token.
#[utoipa::path(
    get, path = "/api/health", tag = "health", security(()),
    responses(
        (status = 200, description = "Every part works, or is not set up.", body = Health),
        (status = 503, description = "A part is failing; it says why.", body = Health)
    )
)]
async fn check_health(
    Unauthenticated(context): Unauthenticated,
    State(app): State<App>,
) -> Response {
    let blobs = app.blobs_of(&context);
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
    let cause = (!causes.is_empty()).then(|| Extension(ErrorCause(causes.join("; "))));
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
