//! `/api/skills`: create, change and delete skills.

pub(super) mod get;
pub(super) mod list;
pub(super) mod response;
pub(super) mod usage;
pub(super) mod validate;

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use self::response::{SkillDocument, SkillResponse};
use super::error::{Error, Result};
use super::extract::auth::RateLimited;
use super::extract::body::JsonOrMarkdown;
use super::extract::etag::{IfMatch, IfNoneMatch};
use super::extract::idempotency::{IdempotencyKey, replayed};
use super::extract::path::SkillPath;
use super::extract::query::QueryParams;
use super::extract::volume::VolumeQuery;
use super::routes::routes;
use super::schema::responses::{BadBody, BadQuery, Conflict, NotFound, PreconditionFailed};
use crate::app::App;
use crate::domain::request_context::RequestContext;
use crate::service::skills::{Replacement, SkillSummary};
use crate::service::volume::writable;
use crate::skill::{NewSkill, SkillId, SkillPatch, check_document, id_of_document};

routes! {
    [list::list_skills, create_skill],
    // A skill may have the id `validate`.
    [get::find_skill_by_id, replace_skill, delete_skill] at "/api/skills/validate",
    [validate::validate_skill],
    [usage::count_usage],
}

/// Creates a skill, from JSON or from a whole markdown document.
///
/// The id is derived from the name, or is the `skill_id` of the document. The media types `text/x-markdown` and
/// `text/plain` are accepted as markdown. With an `Idempotency-Key`, a repeated request gets the response of the first
/// one as long as the document is unchanged.
#[utoipa::path(
    post, path = "/api/skills", tag = "skills", params(VolumeQuery, IdempotencyKey),
    request_body(content((NewSkill = "application/json"), (SkillDocument = "text/markdown"))),
    responses(
        (
            status = 201, description = "The skill, without its document.", body = SkillResponse,
            headers(("Location"), ("ETag"), ("Vary"), ("Idempotency-Replayed"))
        ),
        BadBody, Conflict
    )
)]
async fn create_skill(
    RateLimited(context): RateLimited,
    State(app): State<App>,
    QueryParams(volume): QueryParams<VolumeQuery>,
    key: IdempotencyKey,
    body: JsonOrMarkdown,
) -> Result<Response> {
    let volume = volume.selection()?;
    // A volume that the caller may not write to is reported before an invalid document.
    writable(&context.caller, volume.clone())?;
    let (id, document) = new_document(&body)?;
    let skills = app.skills(&context);
    let created = skills.create(volume, &id, document, key.is_given()).await?;
    let location = [(header::LOCATION, location(&created.value))];
    let replayed = replayed(created.is_replayed);
    let skill = SkillResponse::without_document(created.value);
    Ok((StatusCode::CREATED, location, replayed, skill).into_response())
}

/// Returns the id and the document of a new skill.
fn new_document(body: &JsonOrMarkdown) -> Result<(SkillId, String)> {
    match body {
        JsonOrMarkdown::Json(body) => {
            let new: NewSkill = body.parse()?;
            Ok((new.id(), new.into_document()))
        }
        JsonOrMarkdown::Markdown(text) => {
            let document = checked(text)?;
            let id = id_of_document(&document)
                .ok_or_else(|| Error::field("document", "the front matter has no `name`"))?;
            Ok((id, document))
        }
    }
}

fn checked(text: &[u8]) -> Result<String> {
    match check_document(text) {
        Ok(document) => Ok(document.to_owned()),
        Err(message) => Err(Error::field("document", message)),
    }
}

fn location(skill: &SkillSummary) -> String {
    let path = format!("/api/skills/{}?", skill.id);
    let start_of_query = path.len();
    form_urlencoded::Serializer::for_suffix(path, start_of_query)
        .append_pair("volume", skill.volume.as_str())
        .append_pair("volume_id", &skill.volume_id)
        .finish()
}

/// Changes the members in the body, or replaces the whole document.
///
/// `PUT` and `PATCH` are equivalent. In JSON, `null` removes a member. As `text/markdown`, `text/x-markdown` or
/// `text/plain`, the body is the new document. `If-None-Match` is rejected. With an `Idempotency-Key`, a request whose
/// `If-Match` fails succeeds if the document already has the requested state.
#[utoipa::path(
    method(put, patch), path = "/api/skills/{id}", tag = "skills", params(SkillPath, VolumeQuery, IfMatch, IdempotencyKey),
    request_body(content(
        (SkillPatch = "application/json"), (SkillPatch = "application/merge-patch+json"),
        (SkillDocument = "text/markdown")
    )),
    responses(
        (
            status = 200, description = "The updated skill, without its document.", body = SkillResponse,
            headers(("ETag"), ("Vary"), ("Idempotency-Replayed"))
        ),
        BadBody, NotFound, Conflict, PreconditionFailed
    )
)]
async fn replace_skill(
    context: RequestContext,
    State(app): State<App>,
    SkillPath(id): SkillPath,
    QueryParams(volume): QueryParams<VolumeQuery>,
    expected: IfMatch,
    known: IfNoneMatch,
    key: IdempotencyKey,
    body: JsonOrMarkdown,
) -> Result<Response> {
    if known.is_given() {
        let detail = "If-None-Match is not supported for changes; use POST to create a skill.";
        return Err(Error::InvalidRequest(detail.to_owned()));
    }
    let replacement = match &body {
        JsonOrMarkdown::Json(body) => Replacement::Patch(Box::new(body.parse::<SkillPatch>()?)),
        JsonOrMarkdown::Markdown(text) => Replacement::Document(checked(text)?),
    };
    let skills = app.skills(&context);
    let (volume, expected) = (volume.selection()?, expected.versions());
    let replaced = skills
        .replace(volume, &id, &replacement, expected, key.is_given())
        .await?;
    let skill = SkillResponse::without_document(replaced.value);
    Ok((replayed(replaced.is_replayed), skill).into_response())
}

/// The confirmation of a deletion.
#[derive(Serialize, utoipa::ToSchema)]
struct DeletedSkill {
    message: String,
}

/// Deletes a skill.
///
/// With `If-Match`, only if it was not changed since.
#[utoipa::path(
    delete, path = "/api/skills/{id}", tag = "skills", params(SkillPath, VolumeQuery, IfMatch),
    responses((status = 200, description = "The skill is deleted.", body = DeletedSkill), BadQuery, NotFound, PreconditionFailed)
)]
async fn delete_skill(
    RateLimited(context): RateLimited,
    State(app): State<App>,
    SkillPath(id): SkillPath,
    QueryParams(volume): QueryParams<VolumeQuery>,
    expected: IfMatch,
) -> Result<Json<DeletedSkill>> {
    let skills = app.skills(&context);
    skills
        .delete(volume.selection()?, &id, expected.versions())
        .await?;
    Ok(Json(DeletedSkill {
        message: format!("Skill {id} deleted"),
    }))
}
