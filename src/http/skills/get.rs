//! `GET /api/skills/{id}`: a skill, as JSON or as a document.

use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use utoipa::openapi::{RefOr, Schema};

use super::response::{SkillDocument, SkillResponse, document_response, not_modified};
use crate::app::App;
use crate::domain::request_context::RequestContext;
use crate::http::error::{Error, Result};
use crate::http::extract::etag::IfNoneMatch;
use crate::http::extract::path::SkillPath;
use crate::http::extract::query::{And, QueryParams};
use crate::http::extract::volume::VolumeQuery;
use crate::http::sample::sample_header;
use crate::http::schema::parameters;
use crate::http::schema::responses::{BadQuery, NotFound, NotModified};
use crate::service::skills::{Found, SkillDetail};
use crate::skill::export;

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct FindQuery {
    /// The representation: JSON, the stored document, or the document in the form of the Agent Skills specification. If
    /// it is missing, `Accept` decides; the default is JSON.
    #[param(schema_with = format, required = false)]
    format: Option<String>,
}

fn format() -> RefOr<Schema> {
    parameters::one_of(&["json", "markdown", "agentskills"])
}

/// Finds a skill, as JSON or as its markdown document.
///
/// `Accept: text/markdown` also selects the document. Where Blob is missing or unavailable this may be a sample, marked
/// by `fallback` and `X-LLMOS-Storage`.
#[utoipa::path(
    get, path = "/api/skills/{id}", tag = "skills", params(SkillPath, VolumeQuery, FindQuery, IfNoneMatch),
    responses(
        (
            status = 200, description = "The skill.",
            content((SkillResponse = "application/json"), (SkillDocument = "text/markdown")),
            headers(("ETag"), ("Vary"), ("X-LLMOS-Storage"), ("X-Content-Type-Options"))
        ),
        NotModified, BadQuery, NotFound
    )
)]
pub(super) async fn find_skill_by_id(
    context: RequestContext,
    State(app): State<App>,
    SkillPath(id): SkillPath,
    QueryParams(And(volume, query)): QueryParams<And<VolumeQuery, FindQuery>>,
    known: IfNoneMatch,
    headers: HeaderMap,
) -> Result<Response> {
    let format = DocumentFormat::parse(query.format.as_deref(), &headers)?;
    let skills = app.skills(&context);
    let found = skills
        .get(volume.selection()?, &id, known.header().as_deref())
        .await?;
    let sample = sample_header(found.is_sample);
    Ok(match found.value {
        Found::NotModified(version) => not_modified(&version),
        Found::Skill(skill) => (sample, format.render(*skill, found.is_sample)).into_response(),
    })
}

/// The representations of a skill.
#[derive(Clone, Copy)]
enum DocumentFormat {
    Json,
    Markdown,
    AgentSkills,
}

impl DocumentFormat {
    fn parse(format: Option<&str>, headers: &HeaderMap) -> Result<Self> {
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

    fn render(self, found: SkillDetail, is_sample: bool) -> Response {
        match self {
            Self::Json => SkillResponse::with_document(found, is_sample).into_response(),
            Self::Markdown => document_response(&found.skill, found.document),
            Self::AgentSkills => {
                let text = String::from_utf8_lossy(&found.document);
                let document = export(&text, &found.skill.id);
                document_response(&found.skill, document.into())
            }
        }
    }
}

/// Returns whether `Accept` prefers markdown to JSON.
fn prefers_markdown(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT);
    let accept = accept.and_then(|accept| accept.to_str().ok());
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
