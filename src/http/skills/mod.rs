//! `/api/skills`: create, change and delete skills.

pub(super) mod get;
pub(super) mod list;
pub(super) mod response;
pub(super) mod usage;
pub(super) mod validate;

use axum::extract::State;
use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get};
use axum::{Json, Router};
use serde::Serialize;

use self::get::find_skill_by_id;
use self::response::SkillAnswer;
use super::error::{Error, Result};
use super::extract::auth::Admitted;
use super::extract::blobs::RequestBlobs;
use super::extract::body::JsonOrMarkdown;
use super::extract::etag::{IfMatch, IfNoneMatch, entity_tag};
use super::extract::idempotency::{IdempotencyKey, replayed};
use super::extract::path::SkillPath;
use super::extract::query::Parameters;
use super::extract::volume::VolumeQuery;
use super::schema::responses::{BadBody, BadQuery, Contended, Missing, SkillDocument, Stale};
use crate::app::App;
use crate::domain::caller::Caller;
use crate::service::skills::{Catalog, CatalogSkill, Created, Deleted, Replaced, Replacement};
use crate::skill::{NewSkill, SkillChange, SkillId, check_document, id_of_document};
use crate::util::json;

/// The routes of skills.
pub fn router() -> Router<App> {
    Router::new()
        .route("/api/skills", get(list::list_skills).post(create_skill))
        // There may be a skill of this id, too.
        .route(
            "/api/skills/validate",
            one_skill().merge(validate::router()),
        )
        .route("/api/skills/{id}", one_skill())
        .merge(usage::router())
}

fn one_skill() -> MethodRouter<App> {
    get(find_skill_by_id)
        .put(replace_skill)
        .patch(replace_skill)
        .delete(delete_skill)
}

/// What these routes say of themselves.
#[derive(utoipa::OpenApi)]
#[openapi(paths(create_skill, replace_skill, delete_skill))]
pub(in crate::http) struct Described;

/// Adds a skill, as JSON or as a whole markdown document.
///
/// Its id is made from its name, or is the `skill_id` of the document. The types `text/x-markdown` and
/// `text/plain` do as well. With an `Idempotency-Key` a repetition is answered like the first request as long as the
/// document is still the one that it asks for.
#[utoipa::path(
    post, path = "/api/skills", tag = "skills", params(VolumeQuery, IdempotencyKey),
    request_body(content((NewSkill = "application/json"), (SkillDocument = "text/markdown"))),
    responses(
        (
            status = 201, description = "The skill, without its document.", body = SkillAnswer,
            headers(("Location"), ("ETag"), ("Vary"), ("Idempotency-Replayed"))
        ),
        BadBody, Contended
    )
)]
async fn create_skill(
    Admitted(by): Admitted,
    State(app): State<App>,
    RequestBlobs(blobs): RequestBlobs,
    Parameters(volume): Parameters<VolumeQuery>,
    key: IdempotencyKey,
    uri: Uri,
    body: JsonOrMarkdown,
) -> Result<Response> {
    let volume = volume.writable(&by)?;
    let (id, document) = new_document(&body)?;
    let has_key = key.of(&by, &uri, body.bytes()).is_some();
    let created = Catalog::new(&blobs, &app.store, &by)
        .create(&volume, &id, document)
        .await?;
    let (skill, is_replayed) = match created {
        Created::Done(skill) => (skill, false),
        Created::Same(skill) if has_key => (skill, true),
        Created::Same(_) | Created::Taken => {
            return Err(Error::Conflict("There is a skill of this id already."));
        }
    };
    let location = [(header::LOCATION, location(&skill))];
    let answer = SkillAnswer::without_document(skill);
    Ok((StatusCode::CREATED, location, replayed(is_replayed), answer).into_response())
}

/// The id and the document of a new skill.
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

fn location(skill: &CatalogSkill) -> String {
    let path = format!("/api/skills/{}?", skill.id);
    let start_of_query = path.len();
    form_urlencoded::Serializer::for_suffix(path, start_of_query)
        .append_pair("volume", skill.volume.as_str())
        .append_pair("volume_id", &skill.volume_id)
        .finish()
}

/// Changes the members that are there, or replaces the whole document.
///
/// `PUT` and `PATCH` do the same. As JSON `null` removes a member; as `text/markdown`, `text/x-markdown` or
/// `text/plain` the body is the new document. `If-None-Match` is refused.
#[utoipa::path(
    method(put, patch), path = "/api/skills/{id}", tag = "skills", params(SkillPath, VolumeQuery, IfMatch),
    request_body(content(
        (SkillChange = "application/json"), (SkillChange = "application/merge-patch+json"),
        (SkillDocument = "text/markdown")
    )),
    responses(
        (
            status = 200, description = "The skill as it is now, without its document.", body = SkillAnswer,
            headers(("ETag"), ("Vary"))
        ),
        BadBody, Missing, Contended, Stale
    )
)]
async fn replace_skill(
    by: Caller,
    State(app): State<App>,
    RequestBlobs(blobs): RequestBlobs,
    SkillPath(id): SkillPath,
    Parameters(volume): Parameters<VolumeQuery>,
    expected: IfMatch,
    known: IfNoneMatch,
    body: JsonOrMarkdown,
) -> Result<SkillAnswer> {
    if known.is_given() {
        let message = "If-None-Match does not go with a change: POST adds skills.".to_owned();
        return Err(Error::InvalidRequest(message));
    }
    let replacement = match &body {
        JsonOrMarkdown::Json(body) => Replacement::Change(Box::new(body.parse::<SkillChange>()?)),
        JsonOrMarkdown::Markdown(text) => Replacement::Document(checked(text)?),
    };
    let volume = volume.writable(&by)?;
    let replaced = Catalog::new(&blobs, &app.store, &by)
        .replace(&volume, &id, &replacement, expected.versions())
        .await?;
    match replaced.ok_or(Error::NO_SUCH_SKILL)? {
        Replaced::Done(skill) => Ok(SkillAnswer::without_document(skill)),
        Replaced::Stale(skill) => Err(stale(&skill)),
        Replaced::Refused(refusal) => Err(Error::field("document", refusal.to_string())),
        Replaced::Contended => Err(Error::Conflict(
            "Others change this skill all the time. Try again.",
        )),
    }
}

/// That a skill is deleted.
#[derive(Serialize, utoipa::ToSchema)]
struct DeletedSkill {
    message: String,
}

/// Deletes a skill.
///
/// With `If-Match` only if nobody changed it since.
#[utoipa::path(
    delete, path = "/api/skills/{id}", tag = "skills", params(SkillPath, VolumeQuery, IfMatch),
    responses((status = 200, description = "It is deleted.", body = DeletedSkill), BadQuery, Missing, Stale)
)]
async fn delete_skill(
    Admitted(by): Admitted,
    State(app): State<App>,
    RequestBlobs(blobs): RequestBlobs,
    SkillPath(id): SkillPath,
    Parameters(volume): Parameters<VolumeQuery>,
    expected: IfMatch,
) -> Result<Json<DeletedSkill>> {
    let volume = volume.writable(&by)?;
    let deleted = Catalog::new(&blobs, &app.store, &by)
        .delete(&volume, &id, expected.versions())
        .await?;
    match deleted.ok_or(Error::NO_SUCH_SKILL)? {
        Deleted::Done => Ok(Json(DeletedSkill {
            message: format!("Skill {id} deleted"),
        })),
        Deleted::Stale(skill) => Err(stale(&skill)),
    }
}

fn stale(skill: &CatalogSkill) -> Error {
    Error::PreconditionFailed {
        current: json::raw(skill),
        entity_tag: Some(entity_tag(&skill.etag)),
    }
}
