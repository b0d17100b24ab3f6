//! `POST /api/skills/validate`: checks a document without storing it.

use axum::Json;
use serde::Serialize;

use super::new_document::NewDocument;
use crate::http::error::{Error, Result};
use crate::http::extract::auth::RateLimited;
use crate::http::extract::body::JsonOrMarkdown;
use crate::http::extract::query::{NoParameters, QueryParams};
use crate::http::schema::responses::BadBody;
use crate::skill::{NewSkill, Skill, SkillId, check_document, id_of_document};

/// The result of a check.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Validation {
    /// Whether the document can be stored.
    valid: bool,
    /// The id of the skill.
    #[schema(required)]
    id: Option<SkillId>,
    /// Problems that do not prevent storing, and the one that does.
    warnings: Vec<String>,
}

/// Checks a skill or its document without storing it.
///
/// The media types `text/x-markdown` and `text/plain` are accepted as markdown. A skill may have the id `validate`: the
/// other methods of this path apply to it.
#[utoipa::path(
    post, path = "/api/skills/validate", tag = "skills",
    request_body(content((NewSkill = "application/json"), (String = "text/markdown"))),
    responses((status = 200, description = "The result of the check.", body = Validation), BadBody)
)]
pub(super) async fn validate_skill(
    _: RateLimited,
    _: QueryParams<NoParameters>,
    body: JsonOrMarkdown,
) -> Result<Json<Validation>> {
    Ok(Json(match &body {
        JsonOrMarkdown::Json(body) => {
            let new = NewDocument::from_json(body)?;
            Validation::new(&new.document, Some(new.id.id))
        }
        JsonOrMarkdown::Markdown(text) => {
            let document = std::str::from_utf8(text)
                .map_err(|_| Error::field("document", "the document must be UTF-8"))?;
            Validation::new(document, id_of_document(document).map(|new| new.id))
        }
    }))
}

impl Validation {
    fn new(document: &str, id: Option<SkillId>) -> Self {
        let error = check_document(document.as_bytes()).err();
        let mut warnings: Vec<String> = error.iter().cloned().collect();
        // A document without an id is parsed under any id.
        let read_as = id.clone().unwrap_or_else(|| SkillId::from_name("skill"));
        let others = Skill::read(document, &read_as).warnings.into_iter();
        warnings.extend(others.filter(|warning| Some(warning) != error.as_ref()));
        Self {
            valid: error.is_none(),
            id,
            warnings,
        }
    }
}
