//! The chat request of the Python version: `message` is a text, and the response is one JSON object.

use axum::Json;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::begin::ask_in_background;
use super::ui_message::new_message;
use crate::app::App;
use crate::domain::message::Members;
use crate::domain::request_context::RequestContext;
use crate::domain::session::SessionId;
use crate::http::error::{Error, Result};
use crate::http::extract::body::JsonBody;
use crate::service::chat::{Ask, AskOperation, TurnRequest};
use crate::service::error::{ChatError, Error as ServiceError};
use crate::util::background::RequestKeeper;
use crate::util::json::{self, Object, string};
use crate::util::secret::Secret;
use crate::util::time::now;

/// The number of skills that the Python version puts into a prompt.
const DEFAULT_SKILLS: usize = 5;
/// The id of a request without a session.
const NO_SESSION: &str = "default";
const MISSING_KEY: &str = "Missing X-API-Key header. Please provide your OpenRouter API key.";

/// The body.
#[derive(Deserialize)]
struct OriginalBody {
    message: Box<RawValue>,
    session_id: Option<String>,
    model: Option<String>,
    include_skills: Option<bool>,
    max_skills: Option<usize>,
}

/// The response.
#[derive(Serialize)]
struct OriginalResponse {
    response: String,
    skills_used: Vec<String>,
    trace_id: String,
    session_id: String,
    model_used: String,
}

/// Returns whether a body is that of the Python version.
pub(super) fn is_original(body: &JsonBody) -> bool {
    // A whole history is not read twice.
    if !body.has("message") {
        return false;
    }
    let text = std::str::from_utf8(body.bytes()).unwrap_or_default();
    let object = Object::parse(text);
    let message = object.as_ref().and_then(|object| object.get("message"));
    message.is_some_and(|message| message.get().starts_with('"'))
}

/// Answers the request. Without a session nothing of it is kept.
pub(super) async fn answer(
    app: &App,
    context: &RequestContext,
    keeper: Option<&RequestKeeper>,
    headers: &HeaderMap,
    body: &JsonBody,
) -> Result<Response> {
    let body: OriginalBody = body.parse_known()?;
    let header = |name: &str| {
        let value = headers.get(name).and_then(|value| value.to_str().ok());
        value.filter(|value| !value.is_empty()).map(str::to_owned)
    };
    let named = body.session_id.as_deref().unwrap_or_default();
    let is_kept = !named.is_empty() && named != NO_SESSION;
    let session = match is_kept {
        true => SessionId::parse(named),
        false => Some(SessionId::generate()),
    };
    let session =
        session.ok_or_else(|| Error::field("session_id", "must be the id of a session"))?;
    let mut message = Object::default();
    message.set("role", json::raw(&"user"));
    message.set("content", body.message);
    let max_skills = match body.include_skills {
        Some(false) => 0,
        _ => body.max_skills.unwrap_or(DEFAULT_SKILLS),
    };
    let ask = Ask {
        session: session.clone(),
        volume: None,
        operation: AskOperation::Submit(new_message("message", &json::text(&message))?),
        model: header("x-model").or(body.model),
        key: header("x-api-key").map(Secret::new),
        request: TurnRequest {
            max_skills: max_skills.min(20),
            ..TurnRequest::default()
        },
        expected_head: None,
        idempotency: None,
    };
    let chat = app.chat(context);
    let begun = ask_in_background(app, context, keeper, ask, !is_kept).await;
    let mut begun = match begun {
        Err(Error::Service(ServiceError::Chat(ChatError::NoProvider))) => {
            return Ok(failure(StatusCode::UNAUTHORIZED, MISSING_KEY));
        }
        begun => begun?,
    };
    let answered = chat.wait(&session, &mut begun.asked).await;
    let message = answered?;
    let members = Members::parse_owned(message.text()).unwrap_or_default();
    let text = |value: Option<&RawValue>| {
        let text = value.and_then(string);
        text.unwrap_or_default().into_owned()
    };
    Ok(Json(OriginalResponse {
        response: text(members.content.as_deref()),
        skills_used: skills_of(members.metadata.as_deref()),
        trace_id: format!(
            "trace_{}_{}",
            now().format("%Y%m%d_%H%M%S"),
            begun.asked.turn
        ),
        session_id: if is_kept {
            session.to_string()
        } else {
            NO_SESSION.to_owned()
        },
        model_used: text(members.model.as_deref()),
    })
    .into_response())
}

/// Returns the ids of the skills in the metadata of an answer.
fn skills_of(metadata: Option<&RawValue>) -> Vec<String> {
    #[derive(Deserialize)]
    struct Metadata {
        #[serde(default)]
        skills: Vec<Skill>,
    }
    #[derive(Deserialize)]
    struct Skill {
        id: String,
    }
    let metadata =
        metadata.and_then(|metadata| serde_json::from_str::<Metadata>(metadata.get()).ok());
    let skills = metadata.map(|metadata| metadata.skills).unwrap_or_default();
    skills.into_iter().map(|skill| skill.id).collect()
}

/// Returns an error as clients of the Python version read it.
fn failure(status: StatusCode, detail: &str) -> Response {
    #[derive(Serialize)]
    struct Failure<'a> {
        detail: &'a str,
    }
    (status, Json(Failure { detail })).into_response()
}
