//! Responses with one skill: as JSON or as its document, with its entity tag.

use std::borrow::Cow;

use axum::Json;
use axum::body::Bytes;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::json;
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::http::extract::etag::entity_tag;
use crate::http::schema::responses::with_members;
use crate::service::skills::{SkillDetail, SkillSummary};
use crate::util::schema::schema;

/// The same path returns JSON or documents.
const VARY_ON_ACCEPT: (HeaderName, HeaderValue) =
    (header::VARY, HeaderValue::from_static("accept"));

/// A skill as JSON.
#[derive(Serialize)]
pub(crate) struct SkillResponse {
    #[serde(flatten)]
    skill: SkillSummary,
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    fallback: bool,
}

impl SkillResponse {
    pub(crate) fn without_document(skill: SkillSummary) -> Self {
        Self {
            skill,
            content: None,
            fallback: false,
        }
    }

    pub(crate) fn with_document(found: SkillDetail, fallback: bool) -> Self {
        Self {
            skill: found.skill,
            content: Some(String::from_utf8_lossy(&found.document).into_owned()),
            fallback,
        }
    }
}

impl IntoResponse for SkillResponse {
    fn into_response(self) -> Response {
        let etag = [(header::ETAG, entity_tag(&self.skill.etag))];
        ([VARY_ON_ACCEPT], etag, Json(self)).into_response()
    }
}

impl PartialSchema for SkillResponse {
    fn schema() -> RefOr<Schema> {
        let content = json!({
            "type": "string",
            "description": "The whole document. Missing in the response to a write.",
        });
        with_members(&SkillSummary::name(), json!({"content": content}))
    }
}

impl ToSchema for SkillResponse {
    fn name() -> Cow<'static, str> {
        "FoundSkill".into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((SkillSummary::name().into(), SkillSummary::schema()));
        SkillSummary::schemas(schemas);
    }
}

/// The document of a skill, as a request or response body.
pub(super) enum SkillDocument {}

impl PartialSchema for SkillDocument {
    fn schema() -> RefOr<Schema> {
        schema(json!({
            "type": "string",
            "description": "A document of at most 1 MB, in UTF-8 and without NUL: front matter with a `name` between \
                `---` lines, at most 64 KB, followed by markdown.",
        }))
    }
}

impl ToSchema for SkillDocument {}

/// Returns the response with a document.
pub(crate) fn document_response(skill: &SkillSummary, document: Bytes) -> Response {
    let headers = [
        (
            header::CONTENT_TYPE,
            "text/markdown; charset=utf-8".to_owned(),
        ),
        (header::ETAG, entity_tag(&skill.etag)),
    ];
    ([VARY_ON_ACCEPT], headers, document).into_response()
}

/// Returns the response to a caller that has the current version.
pub(crate) fn not_modified(version: &str) -> Response {
    let etag = [(header::ETAG, entity_tag(version))];
    (StatusCode::NOT_MODIFIED, [VARY_ON_ACCEPT], etag).into_response()
}
