//! `POST /api/sessions/batch`: changes or deletes many sessions.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::json;
use serde_json::value::RawValue;
use utoipa::openapi::{RefOr, Schema};

use super::batch_members::{BatchFilter, BatchSet};
use crate::app::App;
use crate::domain::request_context::RequestContext;
use crate::http::error::{Error, Result};
use crate::http::extract::body::{JsonBody, reject_unknown_within};
use crate::http::extract::query::{NoParameters, QueryParams};
use crate::http::schema::responses::{BadBody, NotFound};
use crate::service::sessions::{BatchResult, BatchTarget, MAX_SESSIONS_PER_BATCH};
use crate::store::BatchChange;
use crate::util::json::Object;
use crate::util::schema::schema;

/// The sessions to change, and the change: either `ids` or `filter`, and either `set` or `delete`.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct BatchSessions {
    /// The ids of the sessions.
    #[schema(schema_with = ids)]
    ids: Option<Vec<String>>,
    filter: Option<BatchFilter>,
    /// The `next_cursor` of the previous response; only with `filter`.
    cursor: Option<String>,
    set: Option<BatchSet>,
    /// `true` deletes the sessions with their messages.
    delete: Option<bool>,
    /// Whether the sessions are only counted.
    dry_run: Option<bool>,
}

fn ids() -> RefOr<Schema> {
    let ids = json!({"type": "array", "minItems": 1, "maxItems": MAX_SESSIONS_PER_BATCH, "items": {"type": "string"}});
    schema(ids)
}

impl BatchSessions {
    /// Parses a body.
    ///
    /// # Errors
    /// Names unknown members with their paths, or the field that is invalid.
    fn parse(body: &JsonBody) -> Result<Self> {
        body.parse().map_err(|error| {
            let text = std::str::from_utf8(body.bytes()).unwrap_or_default();
            let object = Object::parse(text).unwrap_or_default();
            let member = |name: &str| object.get(name).map(RawValue::get).unwrap_or_default();
            let unknown = reject_unknown_within::<BatchFilter>("filter", member("filter"))
                .and_then(|()| reject_unknown_within::<BatchSet>("set", member("set")));
            unknown.err().unwrap_or(error)
        })
    }

    fn target(
        ids: Option<Vec<String>>,
        filter: Option<BatchFilter>,
        cursor: Option<String>,
    ) -> Result<BatchTarget> {
        match (ids, filter) {
            (Some(_), None) if cursor.is_some() => Err(Error::field(
                "cursor",
                "is only allowed together with filter",
            )),
            (Some(ids), None) if !(1..=MAX_SESSIONS_PER_BATCH).contains(&ids.len()) => {
                let message = format!("must have 1 to {MAX_SESSIONS_PER_BATCH} ids");
                Err(Error::field("ids", message))
            }
            (Some(ids), None) => Ok(BatchTarget::Ids(ids)),
            (None, Some(filter)) => Ok(BatchTarget::List {
                list: filter.into_list()?,
                cursor,
            }),
            _ => Err(Error::field(
                "ids",
                "is required unless filter is given instead",
            )),
        }
    }

    fn change(set: Option<BatchSet>, delete: Option<bool>) -> Result<BatchChange> {
        match (set, delete) {
            (Some(set), None | Some(false)) => set.into_patch().map(BatchChange::Update),
            (None, Some(true)) => Ok(BatchChange::Delete),
            _ => Err(Error::field(
                "set",
                "is required unless delete is true instead",
            )),
        }
    }
}

/// A session that was not changed.
#[derive(Serialize, utoipa::ToSchema)]
struct FailedSession {
    id: String,
    /// The `code` of the error that a request for this session alone has.
    code: &'static str,
}

/// The result of a change of many sessions.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct ChangedSessions {
    /// The number of sessions that exist and that the caller may read.
    matched: usize,
    /// The number of sessions that the request changed, or would change.
    changed: usize,
    /// The sessions that were not changed because of an error.
    failed: Vec<FailedSession>,
    /// With `filter`, the cursor of the request that changes the next sessions; otherwise and at the end `null`.
    #[schema(required)]
    next_cursor: Option<String>,
}

impl From<BatchResult> for ChangedSessions {
    fn from(result: BatchResult) -> Self {
        let failed = result.failed.into_iter();
        Self {
            matched: result.matched,
            changed: result.changed,
            failed: failed
                .map(|(id, error)| FailedSession {
                    id,
                    code: Error::from(error).code(),
                })
                .collect(),
            next_cursor: result.next_cursor,
        }
    }
}

/// Changes or deletes up to 500 sessions.
///
/// With `filter`, `next_cursor` continues with the next sessions of the list. Each session is changed separately, and
/// those that cannot be changed are in `failed`. A repeated request changes nothing.
#[utoipa::path(
    post, path = "/api/sessions/batch", tag = "sessions", request_body = BatchSessions,
    responses(
        (status = 200, description = "The number of changed sessions.", body = ChangedSessions),
        BadBody, NotFound
    )
)]
pub(super) async fn change_sessions(
    context: RequestContext,
    State(app): State<App>,
    _: QueryParams<NoParameters>,
    body: JsonBody,
) -> Result<Json<ChangedSessions>> {
    let batch = BatchSessions::parse(&body)?;
    let target = BatchSessions::target(batch.ids, batch.filter, batch.cursor)?;
    let change = BatchSessions::change(batch.set, batch.delete)?;
    let is_dry_run = batch.dry_run.unwrap_or_default();
    let sessions = app.sessions(&context);
    let changed = sessions.change_many(target, &change, is_dry_run).await?;
    Ok(Json(changed.into()))
}
