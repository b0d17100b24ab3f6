//! `POST /api/skills/validate`: what is odd about a document, without storing it.

use axum::Json;
use axum::routing::{MethodRouter, post};
use serde::Serialize;

use super::auth::Admitted;
use super::body::JsonOrMarkdown;
use crate::app::App;
use crate::error::{Error, Result};
use crate::skill::{NewSkill, Skill, SkillId, check_document, id_of_document};

/// The route's one method.
pub(super) fn router() -> MethodRouter<App> {
    post(validate_skill)
}

#[derive(Serialize)]
struct Validation {
    /// Whether it would be stored.
    valid: bool,
    id: Option<SkillId>,
    warnings: Vec<String>,
}

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
