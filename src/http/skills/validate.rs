//! `POST /api/skills/validate`: what is odd about a document, without storing it.

use axum::Json;
use axum::routing::{MethodRouter, post};
use serde::Serialize;

use crate::app::App;
use crate::http::error::{Error, Result};
use crate::http::extract::auth::Admitted;
use crate::http::extract::body::JsonOrMarkdown;
use crate::http::schema::responses::BadBody;
use crate::skill::{NewSkill, Skill, SkillId, check_document, id_of_document};

/// The route's one method.
pub(super) fn router() -> MethodRouter<App> {
    post(validate_skill)
}

/// What these routes say of themselves.
#[derive(utoipa::OpenApi)]
#[openapi(paths(validate_skill))]
pub(in crate::http) struct Described;

/// What is to be said of a document.
#[derive(Serialize, utoipa::ToSchema)]
struct Validation {
    /// Whether it would be stored.
    valid: bool,
    /// The id that it would have.
    #[schema(required)]
    id: Option<SkillId>,
    /// What is odd about it, in plain words.
    warnings: Vec<String>,
}

/// Checks a skill or its document without storing it.
///
/// The types `text/x-markdown` and `text/plain` do as well. A skill may be called `validate`, too: the other methods of
/// `/api/skills/{id}` are for that one.
#[utoipa::path(
    post, path = "/api/skills/validate", tag = "skills",
    request_body(content((NewSkill = "application/json"), (String = "text/markdown"))),
    responses((status = 200, description = "What is odd about it.", body = Validation), BadBody)
)]
async fn validate_skill(_: Admitted, body: JsonOrMarkdown) -> Result<Json<Validation>> {
    let document = match &body {
        JsonOrMarkdown::Json(body) => body.parse::<NewSkill>()?.into_document(),
        JsonOrMarkdown::Markdown(text) => String::from_utf8(text.to_vec())
            .map_err(|_| Error::field("document", "the document must be UTF-8"))?,
    };
    let refusal = check_document(document.as_bytes()).err();
    let id = id_of_document(&document);
    let mut warnings: Vec<String> = refusal.iter().cloned().collect();
    // Without an id of its own the document is read under any.
    let read_as = id.clone().unwrap_or_else(|| SkillId::from_name("skill"));
    let odd = Skill::read(&document, &read_as).warnings.into_iter();
    warnings.extend(odd.filter(|warning| Some(warning) != refusal.as_ref()));
    Ok(Json(Validation {
        valid: refusal.is_none(),
        id,
        warnings,
    }))
}
