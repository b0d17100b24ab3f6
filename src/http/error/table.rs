//! The one table of statuses, codes and texts of errors.

use std::borrow::Cow;

use axum::http::StatusCode;

use super::Error;
use crate::provider::error::ErrorKind;
use crate::service::error::{ChatError, Conflict, Resource};
use crate::{blob, service, store};

/// The text for an `Idempotency-Key` of another request.
pub(super) const KEY_REUSED: &str = "was already used for a different request";

/// How an error is rendered.
pub(super) struct Rendering {
    pub(super) status: StatusCode,
    pub(super) code: &'static str,
    pub(super) detail: Cow<'static, str>,
}

impl Error {
    /// Returns the status, code and text of the error.
    pub(super) fn rendering(&self) -> Rendering {
        let (status, code, detail): (_, _, Cow<'static, str>) = match self {
            Self::Service(error) => return service_rendering(error),
            Self::NoSuchRoute => (
                StatusCode::NOT_FOUND,
                "not_found",
                "The route does not exist.".into(),
            ),
            Self::MethodNotAllowed => (
                StatusCode::METHOD_NOT_ALLOWED,
                "method_not_allowed",
                "The route does not support this method; see the Allow header.".into(),
            ),
            Self::InvalidRequest(detail) => (
                StatusCode::BAD_REQUEST,
                "invalid_request",
                detail.clone().into(),
            ),
            Self::UnknownMembers(unknown) => (
                StatusCode::UNPROCESSABLE_ENTITY,
                "validation_failed",
                format!("The body has unknown members: {unknown}").into(),
            ),
            Self::UnknownParameters(unknown) => (
                StatusCode::BAD_REQUEST,
                "invalid_request",
                format!("The query has unknown parameters: {unknown}").into(),
            ),
            Self::ExpectationFailed => (
                StatusCode::EXPECTATION_FAILED,
                "expectation_failed",
                "Expect may only be 100-continue. Send the request without another expectation.".into(),
            ),
            Self::Unauthorized { detail, .. } => (
                StatusCode::UNAUTHORIZED,
                "unauthorized",
                detail.clone().into(),
            ),
            Self::Forbidden(detail) => (StatusCode::FORBIDDEN, "forbidden", (*detail).into()),
            Self::UnsupportedMediaType(accepted) => (
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "unsupported_media_type",
                format!("Send the body as {accepted}.").into(),
            ),
            Self::EncodedBody => (
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "unsupported_media_type",
                "Content-Encoding is not supported on a request. Send the body as it is, without this header.".into(),
            ),
            Self::RangeNotSatisfiable(_) => (
                StatusCode::RANGE_NOT_SATISFIABLE,
                "range_not_satisfiable",
                "The range is outside of the file; Content-Range contains its length.".into(),
            ),
            Self::PayloadTooLarge => (
                StatusCode::PAYLOAD_TOO_LARGE,
                "payload_too_large",
                "The body is larger than 4 MB. Send a smaller body, or upload a large file directly to Blob.".into(),
            ),
            Self::BodyTimeout => (
                StatusCode::REQUEST_TIMEOUT,
                "timeout",
                "The body took longer than 20 s to arrive. Try again with a faster connection or a smaller body.".into(),
            ),
            Self::KeysUnavailable { .. } => (
                StatusCode::SERVICE_UNAVAILABLE,
                "authentication_unavailable",
                "The token cannot be verified right now because the signing keys are unavailable. \
                 Try again."
                    .into(),
            ),
            Self::Misconfigured(error) => (
                StatusCode::SERVICE_UNAVAILABLE,
                "misconfigured",
                format!(
                    "The service is misconfigured: {} has an invalid value. GET /api/health returns the reason.",
                    error.variable
                )
                .into(),
            ),
            Self::Timeout => (
                StatusCode::GATEWAY_TIMEOUT,
                "timeout",
                "The request took too long. Try again.".into(),
            ),
            Self::Internal(_) => (
                StatusCode::INTERNAL_SERVER_ERROR,
                "internal",
                "Internal server error. Try again; if it persists, report the request id.".into(),
            ),
        };
        Rendering {
            status,
            code,
            detail,
        }
    }
}

/// The part of the table for failed operations.
fn service_rendering(error: &service::error::Error) -> Rendering {
    use service::error::Error;
    let (status, code, detail): (_, _, Cow<'static, str>) = match error {
        Error::NotFound(resource) => (
            StatusCode::NOT_FOUND,
            "not_found",
            match resource {
                Resource::Volume => "The volume does not exist.",
                Resource::Session => "The session does not exist.",
                Resource::Message => "The message does not exist.",
                Resource::Skill => "The skill does not exist.",
                Resource::File => "The file does not exist.",
            }
            .into(),
        ),
        Error::ReadOnly => (
            StatusCode::FORBIDDEN,
            "forbidden",
            "The caller may read this resource but not change it.".into(),
        ),
        Error::InvalidField(error) => (
            StatusCode::UNPROCESSABLE_ENTITY,
            "validation_failed",
            format!("{}: {}", error.field, error.message).into(),
        ),
        Error::IdempotencyMismatch => (
            StatusCode::UNPROCESSABLE_ENTITY,
            "validation_failed",
            format!("Idempotency-Key: {KEY_REUSED}").into(),
        ),
        Error::InvalidCursor => (
            StatusCode::BAD_REQUEST,
            "invalid_request",
            "cursor must be the next_cursor of an earlier response of this list.".into(),
        ),
        Error::Conflict(conflict) => (
            StatusCode::CONFLICT,
            match conflict {
                Conflict::SessionExists => "session_exists",
                Conflict::MessageExists(_) => "message_exists",
                Conflict::MessageDeleted(_) => "message_deleted",
                Conflict::TooManyBranches => "too_many_branches",
                _ => "conflict",
            },
            conflict_text(conflict),
        ),
        Error::PreconditionFailed(_) => (
            StatusCode::PRECONDITION_FAILED,
            "precondition_failed",
            "The resource changed since you read it. `current` contains the latest version.".into(),
        ),
        Error::Store(store::Error::RateLimited(_)) => (
            StatusCode::TOO_MANY_REQUESTS,
            "rate_limited",
            "Too many requests. Try again after the number of seconds in Retry-After.".into(),
        ),
        Error::Store(store::Error::NotConfigured) => (
            StatusCode::SERVICE_UNAVAILABLE,
            "storage_unavailable",
            "Storage is not configured: set REDIS_URL to the URL of a Redis server.".into(),
        ),
        Error::Blob(blob::Error::NotConfigured) => (
            StatusCode::SERVICE_UNAVAILABLE,
            "storage_unavailable",
            "Storage is not configured: set BLOB_READ_WRITE_TOKEN to the token of a Vercel Blob store."
                .into(),
        ),
        Error::Store(store::Error::InvalidUrl(_) | store::Error::Unavailable(_))
        | Error::Blob(_) => (
            StatusCode::SERVICE_UNAVAILABLE,
            "storage_unavailable",
            "The storage is unavailable. Try again.".into(),
        ),
        Error::Chat(error) => chat_rendering(error),
        Error::Store(store::Error::Unreadable(_)) | Error::Unreadable(_) => (
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "The stored data is malformed; it was not written by this service.".into(),
        ),
    };
    Rendering {
        status,
        code,
        detail,
    }
}

/// The part of the table for chat.
fn chat_rendering(error: &ChatError) -> (StatusCode, &'static str, Cow<'static, str>) {
    match error {
        ChatError::NoProvider => (
            StatusCode::SERVICE_UNAVAILABLE,
            "no_model_provider",
            "No model can be asked. Set the key of a provider (AI_GATEWAY_API_KEY, ANTHROPIC_API_KEY, OPENAI_API_KEY or \
             OPENROUTER_API_KEY), set LLMOS_MODEL_BASE_URL to the address of a server, or start a local model with \
             `make model`."
                .into(),
        ),
        ChatError::ModelNotAllowed(_) => (
            StatusCode::UNPROCESSABLE_ENTITY,
            "model_not_allowed",
            "model: must be one of LLMOS_MODELS".into(),
        ),
        ChatError::TurnInProgress { turn_id, .. } => (
            StatusCode::CONFLICT,
            "turn_in_progress",
            format!(
                "The model still answers in this session (turn {turn_id}). Read the answer at `stream_url`, stop it with \
                 POST /api/chat/{{session}}/stop, or wait for its end."
            )
            .into(),
        ),
        ChatError::HistoryChanged => (
            StatusCode::PRECONDITION_FAILED,
            "history_changed",
            "The session has other messages than expected. Read them, and send the message again.".into(),
        ),
        ChatError::BudgetExhausted { limit, until, .. } => (
            StatusCode::TOO_MANY_REQUESTS,
            "budget_exhausted",
            format!("The limit {limit} of the chat is reached. A message can be sent again {until}.").into(),
        ),
        ChatError::Anonymous => (
            StatusCode::FORBIDDEN,
            "anonymous_chat",
            "Chat needs access control, because a model costs money. Set AUTH_JWKS_URL, AUTH_JWT_SECRET or API_KEYS, or \
             allow everybody with ALLOW_ANONYMOUS_CHAT=true."
                .into(),
        ),
        ChatError::Model(kind) => {
            let (status, code) = match kind {
                ErrorKind::RateLimited | ErrorKind::Overloaded => {
                    (StatusCode::SERVICE_UNAVAILABLE, "model_overloaded")
                }
                ErrorKind::Timeout => (StatusCode::GATEWAY_TIMEOUT, "model_timeout"),
                _ => (StatusCode::BAD_GATEWAY, "model_failed"),
            };
            (status, code, kind.sentence().into())
        }
        ChatError::NoAnswer => (
            StatusCode::BAD_GATEWAY,
            "model_failed",
            "The answer ended before it was whole. Ask again.".into(),
        ),
    }
}

/// Returns the text of a conflict: the conflicting resource and the remedy.
fn conflict_text(conflict: &Conflict) -> Cow<'static, str> {
    match conflict {
        Conflict::CreatedSessionDeleted => "This Idempotency-Key already created a session, which was deleted since. \
             Send a new Idempotency-Key to create another session."
            .into(),
        Conflict::SessionExists => "Another session already has this id. Ids are unique in a deployment: choose another \
             one, such as a random one."
            .into(),
        Conflict::SkillExists { id, .. } => format!(
            "A skill with the id `{id}` already exists; Location contains its path. Change it there with PUT, or choose \
             another id: the member `id` of a JSON body, or `skill_id` in the front matter of a document."
        )
        .into(),
        Conflict::MessageExists(id) => format!(
            "Another message of the session has the id `{id}`. Send the message with a new id, or replace the stored one \
             with PUT."
        )
        .into(),
        Conflict::MessageDeleted(id) => format!(
            "The message `{id}` was deleted, and its id stays taken. Send the message with a new id."
        )
        .into(),
        Conflict::TooManyBranches => {
            "The session has 10,000 branches, the maximum. Fork it and continue in the new session.".into()
        }
        Conflict::Contended { resource, id } => format!(
            "The {resource} `{id}` was modified concurrently too many times. Try again, with fewer requests at once."
        )
        .into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::volume::Volume;
    use crate::skill::SkillId;

    #[track_caller]
    fn check(conflict: &Conflict, parts: &[&str]) {
        let text = conflict_text(conflict);
        for part in parts {
            assert!(text.contains(part), "{text}");
        }
    }

    #[test]
    fn conflict_names_its_resource_and_the_remedy() {
        check(
            &Conflict::CreatedSessionDeleted,
            &["Idempotency-Key", "Send a new"],
        );
        check(
            &Conflict::SessionExists,
            &["session", "id", "choose another"],
        );
        let id = SkillId::from_name("C++");
        let volume = Volume::system();
        check(
            &Conflict::SkillExists { volume, id },
            &["skill", "`c`", "Location", "choose another id"],
        );
        for resource in [Resource::Session, Resource::Skill] {
            let id = "sess_1".to_owned();
            check(
                &Conflict::Contended { resource, id },
                &[&*resource.to_string(), "`sess_1`", "Try again"],
            );
        }
    }
}
