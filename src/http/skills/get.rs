//! `GET /api/skills/{id}`: a skill, in the form that is wanted.

use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::response::{SkillAnswer, document_answer, not_modified};
use crate::app::App;
use crate::domain::caller::Caller;
use crate::http::error::{Error, Result};
use crate::http::extract::blobs::RequestBlobs;
use crate::http::extract::etag::IfNoneMatch;
use crate::http::extract::path::SkillPath;
use crate::http::extract::query::Parameters;
use crate::http::extract::volume::VolumeQuery;
use crate::http::schema::parameters::Format;
use crate::http::schema::responses::{BadQuery, Missing, SkillDocument, Unchanged};
use crate::service::fallback::{find_skill, sample_mark};
use crate::service::skills::Found;
use crate::skill::export;

/// What this route says of itself.
#[derive(utoipa::OpenApi)]
#[openapi(paths(find_skill_by_id))]
pub(in crate::http) struct Described;

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct FindQuery {
    /// In which form: JSON, the document to the letter, or as the Agent Skills specification wants it. Without it
    /// `Accept` decides, and JSON is what is not asked for.
    #[param(value_type = Format, inline, required = false)]
    format: Option<String>,
}

/// Finds a skill, as JSON or as its markdown document.
///
/// `Accept: text/markdown` asks for the document, too. Where Blob is missing or down this may be a sample, marked by
/// `fallback` and `X-LLMOS-Storage`.
#[utoipa::path(
    get, path = "/api/skills/{id}", tag = "skills", params(SkillPath, VolumeQuery, FindQuery, IfNoneMatch),
    responses(
        (
            status = 200, description = "The skill.",
            content((SkillAnswer = "application/json"), (SkillDocument = "text/markdown")),
            headers(("ETag"), ("Vary"), ("X-LLMOS-Storage"), ("X-Content-Type-Options"))
        ),
        Unchanged, BadQuery, Missing
    )
)]
pub(super) async fn find_skill_by_id(
    by: Caller,
    State(app): State<App>,
    RequestBlobs(blobs): RequestBlobs,
    SkillPath(id): SkillPath,
    Parameters(volume): Parameters<VolumeQuery>,
    Parameters(query): Parameters<FindQuery>,
    known: IfNoneMatch,
    headers: HeaderMap,
) -> Result<Response> {
    let format = DocumentFormat::of(query.format.as_deref(), &headers)?;
    let volumes = volume.or_nearest(&by)?;
    let (found, fallback) = find_skill(&app, &by, &blobs, &volumes, &id, known.header()).await?;
    let found = match found {
        Found::Missing => return Err(Error::NO_SUCH_SKILL),
        Found::NotModified(version) => return Ok(not_modified(&version)),
        Found::Skill(found) => *found,
    };
    let mark = sample_mark(fallback);
    Ok(match format {
        DocumentFormat::Json => (mark, SkillAnswer::with_document(found, fallback)).into_response(),
        DocumentFormat::Markdown => {
            (mark, document_answer(&found.skill, found.document)).into_response()
        }
        DocumentFormat::AgentSkills => {
            let document = export(&String::from_utf8_lossy(&found.document), &id);
            (mark, document_answer(&found.skill, document.into())).into_response()
        }
    })
}

/// In which form a skill is wanted.
#[derive(Clone, Copy)]
enum DocumentFormat {
    Json,
    Markdown,
    AgentSkills,
}

impl DocumentFormat {
    fn of(format: Option<&str>, headers: &HeaderMap) -> Result<Self> {
        match format.unwrap_or_default() {
            "" if prefers_markdown(headers) => Ok(Self::Markdown),
            "" | "json" => Ok(Self::Json),
            "markdown" => Ok(Self::Markdown),
            "agentskills" => Ok(Self::AgentSkills),
            _ => Err(Error::field(
                "format",
                "must be json, markdown or agentskills",
            )),
        }
    }
}

/// Whether `Accept` asks for markdown, and not rather for JSON.
fn prefers_markdown(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|it| it.to_str().ok());
    let quality = |wanted: &str| {
        accept.unwrap_or_default().split(',').find_map(|range| {
            let mut parts = range.split(';').map(str::trim);
            let is_wanted = parts.next()?.eq_ignore_ascii_case(wanted);
            let quality = parts.find_map(|part| part.strip_prefix("q=")?.parse::<f32>().ok());
            is_wanted.then_some(quality.unwrap_or(1.0))
        })
    };
    let markdown = quality("text/markdown").unwrap_or_default();
    markdown > 0.0 && markdown >= quality("application/json").unwrap_or_default()
}
