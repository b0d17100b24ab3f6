//! `GET /api/usage`: what the turns of a volume used.

use axum::Json;
use axum::extract::State;
use chrono::{NaiveDate, TimeDelta};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::openapi::{RefOr, Schema};

use crate::app::App;
use crate::domain::chat::usage::UsageSums;
use crate::domain::request_context::RequestContext;
use crate::http::error::{Error, Result};
use crate::http::extract::query::QueryParams;
use crate::http::extract::volume::selection;
use crate::http::schema::parameters;
use crate::http::schema::responses::BadQuery;
use crate::service::chat::UsageQuery;
use crate::store::UsageRows;
use crate::util::time::now;

/// The number of days before the last one, where the query has no first one.
const DEFAULT_DAYS: i64 = 29;

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct UsageParams {
    /// The kind of owner of the sessions; the caller's own volume, if it is missing.
    #[param(schema_with = parameters::volume, required = false)]
    volume: Option<String>,
    /// The user or team; only together with `volume`.
    #[param(schema_with = parameters::volume_id, required = false)]
    volume_id: Option<String>,
    /// The first day (UTC), such as 2026-01-31. Default: 29 days before the last one.
    #[param(schema_with = day, required = false)]
    from: Option<String>,
    /// The last day (UTC), at most 366 days with the first one. Default: today.
    #[param(schema_with = day, required = false)]
    to: Option<String>,
    /// How the usage is grouped: `day` (default), `model` or `session`.
    #[param(schema_with = by, required = false)]
    by: Option<String>,
}

fn day() -> RefOr<Schema> {
    parameters::or_empty(&json!({"type": "string", "format": "date"}))
}

fn by() -> RefOr<Schema> {
    parameters::one_of(&["day", "model", "session"])
}

/// What some turns used.
#[derive(Serialize, utoipa::ToSchema)]
struct UsageRow {
    /// The day (UTC) on which the turns began.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    day: Option<String>,
    /// The model that answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    model: Option<String>,
    /// The session.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    session_id: Option<String>,
    turns: u64,
    /// The input tokens, with the cached ones.
    input_tokens: u64,
    /// The output tokens, with those of the reasoning.
    output_tokens: u64,
    cached_input_tokens: u64,
    reasoning_tokens: u64,
    /// The cost in dollars, as far as it is known.
    cost: String,
}

impl UsageRow {
    fn new(sums: &UsageSums) -> Self {
        Self {
            day: None,
            model: None,
            session_id: None,
            turns: sums.turns,
            input_tokens: sums.input_tokens,
            output_tokens: sums.output_tokens,
            cached_input_tokens: sums.cached_input_tokens,
            reasoning_tokens: sums.reasoning_tokens,
            cost: sums.cost_text(),
        }
    }

    fn named(rows: UsageRows, name: String, sums: &UsageSums) -> Self {
        let mut row = Self::new(sums);
        match rows {
            UsageRows::Days => row.day = Some(name),
            UsageRows::Models => row.model = Some(name),
            UsageRows::Sessions => row.session_id = Some(name),
        }
        row
    }
}

/// The usage of a volume.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct UsageResponse {
    /// A row for each day, model or session with a turn, by its name; at most 1,000.
    usage: Vec<UsageRow>,
    /// The sums of all rows.
    total: UsageRow,
}

/// Returns what the turns of a volume used, by day, model or session.
///
/// The sums are kept for 400 days. A turn is in them once it has ended. More than 1,000 rows are an error: ask for fewer
/// days.
#[utoipa::path(
    get, path = "/api/usage", tag = "chat", params(UsageParams),
    responses((status = 200, description = "The usage.", body = UsageResponse), BadQuery)
)]
pub(super) async fn find_usage(
    context: RequestContext,
    State(app): State<App>,
    QueryParams(query): QueryParams<UsageParams>,
) -> Result<Json<UsageResponse>> {
    let rows = match query.by.as_deref().unwrap_or_default() {
        "" | "day" => UsageRows::Days,
        "model" => UsageRows::Models,
        "session" => UsageRows::Sessions,
        _ => return Err(Error::field("by", "must be day, model or session")),
    };
    let to = date("to", query.to.as_deref())?.unwrap_or_else(|| now().date_naive());
    let from = date("from", query.from.as_deref())?;
    let from = from.unwrap_or_else(|| to - TimeDelta::days(DEFAULT_DAYS));
    let query = UsageQuery {
        volume: selection(query.volume, query.volume_id)?,
        from,
        to,
        rows,
    };
    let (found, total) = app.chat(&context).usage(query).await?;
    let named = found
        .into_iter()
        .map(|(name, sums)| UsageRow::named(rows, name, &sums));
    Ok(Json(UsageResponse {
        usage: named.collect(),
        total: UsageRow::new(&total),
    }))
}

/// Parses a day of the years 2000 to 2999.
fn date(field: &str, text: Option<&str>) -> Result<Option<NaiveDate>> {
    let Some(text) = text.filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    let date = text.parse::<NaiveDate>().ok();
    let date = date.filter(|date| date.to_string() == text && text.starts_with('2'));
    let invalid = || Error::field(field, "must be a day such as 2026-01-31");
    date.ok_or_else(invalid).map(Some)
}
