//! `/api/health`: the state of each part, and the version and region of the deployment. The health function also
//! serves `/api/me`, which needs no storage, and every unknown route.

use std::future::Future;
use std::sync::Arc;
use std::time::Instant;

use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json, Router};
use serde::Serialize;

use super::error::Error;
use super::extract::auth::Unauthenticated;
use super::extract::query::{NoParameters, QueryParams};
use super::me;
use super::middleware::render_errors::ErrorCause;
use super::routes::routes;
use crate::app::App;
use crate::blob::{self, Blobs};
use crate::config::{Config, ConfigError};
use crate::store;
use crate::util::diagnosis::Diagnosis;
use crate::util::time::milliseconds;

/// Returns the routes of a deployment whose configuration is invalid: the health check reports the variable, and every
/// other route fails with `misconfigured`.
pub(super) fn misconfigured_router(error: ConfigError) -> Router {
    let error = Arc::new(error);
    let health = misconfigured_health(&error);
    Router::new().fallback(async move |uri: Uri| {
        if uri.path() == "/api/health" {
            (StatusCode::SERVICE_UNAVAILABLE, health).into_response()
        } else {
            Error::Misconfigured(error).into_response()
        }
    })
}

routes! {
    [check_health],
    [me::find_caller],
}

/// The state of each part, and the deployment.
#[derive(Clone, Serialize, utoipa::ToSchema)]
struct Health {
    /// `failing` if any part is failing.
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
    /// The provider and the model of messages that name none; `null` if no provider is configured. It is not asked.
    #[schema(required)]
    model: Option<Model>,
    /// The published signing keys of tokens, which are cached for up to ten minutes. Present only if `AUTH_JWKS_URL` is set.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Part, required = false)]
    jwks: Option<Part>,
    /// Present only if a variable of the deployment has an invalid value. The other parts are then not checked.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Part, required = false)]
    configuration: Option<Part>,
}

/// What answers messages.
#[derive(Clone, Serialize, utoipa::ToSchema)]
struct Model {
    /// `anthropic`, `custom`, `gateway`, `local`, `openai` or `openrouter`.
    provider: &'static str,
    model: String,
}

/// One part of the service.
#[derive(Clone, Serialize, utoipa::ToSchema)]
struct Part {
    status: PartStatus,
    /// The duration of the check.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = f64, required = false)]
    milliseconds: Option<f64>,
    /// The cause of the failure.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false)]
    reason: Option<String>,
    /// The way to fix it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false)]
    remedy: Option<&'static str>,
}

/// The state of a part.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
enum PartStatus {
    Ok,
    NotConfigured,
    Failing,
}

/// Returns the state of each part, and the version and region of the deployment.
///
/// A part that is not configured does not count as a failure. Needs no token.
#[utoipa::path(
    get, path = "/api/health", tag = "health", security(()),
    responses(
        (status = 200, description = "Every part works, or is not configured.", body = Health),
        (status = 503, description = "A part is failing; `reason` has the cause.", body = Health)
    )
)]
async fn check_health(
    Unauthenticated(context): Unauthenticated,
    State(app): State<App>,
    _: QueryParams<NoParameters>,
) -> Response {
    let blobs = app.blobs_of(&context);
    let (redis, blob, jwks) = tokio::join!(
        check(probe_redis(&app)),
        check(probe_blob(&blobs)),
        check(probe_jwks(&app)),
    );
    let jwks = app.config.access.auth.jwks_url.as_ref().map(|_| jwks);
    let parts = [Some(&redis), Some(&blob), jwks.as_ref()];
    let cause = cause_of(parts.into_iter().flatten());
    let model = app.config.model.select(None, context.oidc_token.as_ref());
    let mut health = Health::new(&app.config, (redis, blob, jwks), cause.is_some());
    health.model = model.map(|provider| Model {
        provider: provider.name(),
        model: provider.default_model().to_owned(),
    });
    let health = Json(health);
    match cause {
        Some(cause) => {
            let cause = Extension(ErrorCause(cause));
            (StatusCode::SERVICE_UNAVAILABLE, cause, health).into_response()
        }
        None => health.into_response(),
    }
}

/// Returns the reasons of the failing parts; `None` if no part is failing.
fn cause_of<'a>(parts: impl Iterator<Item = &'a Part>) -> Option<String> {
    let failing = parts.filter(|part| part.status == PartStatus::Failing);
    let reasons: Vec<&str> = failing.filter_map(|part| part.reason.as_deref()).collect();
    (!reasons.is_empty()).then(|| reasons.join("; "))
}

impl Health {
    fn new(
        config: &Config,
        (redis, blob, jwks): (Part, Part, Option<Part>),
        is_failing: bool,
    ) -> Self {
        Self {
            status: if is_failing {
                PartStatus::Failing
            } else {
                PartStatus::Ok
            },
            version: env!("CARGO_PKG_VERSION"),
            commit: config.commit.clone(),
            region: config.vercel_region.clone(),
            environment: config.vercel_env.clone(),
            redis,
            blob,
            model: None,
            jwks,
            configuration: None,
        }
    }
}

/// Returns the body of the health check if a variable has an invalid value, and the cause to log.
fn misconfigured_health(error: &ConfigError) -> (Extension<ErrorCause>, Json<Health>) {
    let not_checked = Part {
        status: PartStatus::NotConfigured,
        milliseconds: None,
        reason: Some("Not checked, because the configuration is invalid.".to_owned()),
        remedy: None,
    };
    let health = Health {
        status: PartStatus::Failing,
        version: env!("CARGO_PKG_VERSION"),
        commit: None,
        region: None,
        environment: None,
        redis: not_checked.clone(),
        blob: not_checked,
        model: None,
        jwks: None,
        configuration: Some(Part {
            status: PartStatus::Failing,
            milliseconds: None,
            reason: Some(error.to_string()),
            remedy: Some(
                "Correct the variable in the settings of the deployment, and deploy again.",
            ),
        }),
    };
    (Extension(ErrorCause(error.to_string())), Json(health))
}

/// The cause of a failure, and whether the part is configured at all.
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
            store::Error::InvalidUrl(_)
            | store::Error::Unavailable(_)
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

async fn probe_jwks(app: &App) -> Result<(), Problem> {
    match app.authenticator.probe_keys().await {
        None | Some(Ok(_)) => Ok(()),
        Some(Err(diagnosis)) => Err(Problem {
            status: PartStatus::Failing,
            diagnosis,
        }),
    }
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
