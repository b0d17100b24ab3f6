//! `/api/skills`: create, change and delete skills.

pub(super) mod get;
pub(super) mod list;
mod new_document;
pub(super) mod response;
pub(super) mod usage;
pub(super) mod validate;

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use self::new_document::{NewDocument, checked};
use self::response::{SkillDocument, SkillResponse};
use super::error::Result;
use super::extract::auth::RateLimited;
use super::extract::body::JsonOrMarkdown;
use super::extract::etag::IfMatch;
use super::extract::idempotency::{IdempotencyKey, replayed};
use super::extract::path::SkillPath;
use super::extract::query::QueryParams;
use super::extract::volume::VolumeQuery;
use super::location;
use super::routes::routes;
use super::schema::responses::{BadBody, BadQuery, Conflict, NotFound, PreconditionFailed};
use crate::app::App;
use crate::domain::request_context::RequestContext;
use crate::service::skills::Replacement;
use crate::service::volume::writable;
use crate::skill::{NewSkill, SkillPatch};

routes! {
    [list::list_skills, create_skill],
    // A skill may have the id `validate`.
    [get::find_skill_by_id, replace_skill, delete_skill] at "/api/skills/validate",
    [validate::validate_skill],
    [usage::count_usage],
}

/// Creates a skill, from JSON or from a whole markdown document.
///
/// The id is the `id` of the JSON or the `skill_id` of the document. Without one it is derived from the name, and gets a
/// suffix such as `-2` if a skill with another name has it. A 409 names the id that is taken, and `Location` its path. The
/// media types `text/x-markdown` and `text/plain` are accepted as markdown. With an `Idempotency-Key`, a repeated request gets the response of the first
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
    let NewDocument { id, document } = NewDocument::from_body(&body)?;
    let skills = app.skills(&context);
    let created = skills.create(volume, id, document, key.is_given()).await?;
    let skill = &created.value;
    let location = location::of_skill(skill.volume, &skill.volume_id, &skill.id);
    let replayed = replayed(created.is_replayed);
    let skill = SkillResponse::without_document(created.value);
    Ok((
        StatusCode::CREATED,
        [(header::LOCATION, location)],
        replayed,
        skill,
    )
        .into_response())
}

/// Changes the members in the body, or replaces the whole document.
///
/// `PUT` and `PATCH` are equivalent. In JSON, `null` removes a member. As `text/markdown`, `text/x-markdown` or
/// `text/plain`, the body is the new document. With an `Idempotency-Key`, a request whose
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
    key: IdempotencyKey,
    body: JsonOrMarkdown,
) -> Result<Response> {
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
