//! Rendering of errors as `application/problem+json` (RFC 9457).

use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::value::RawValue;

use super::Error;
use crate::domain::message::Message;
use crate::http::extract::etag::entity_tag;
use crate::http::location;
use crate::service;
use crate::service::error::{ChatError, Conflict, Current, FieldError};
use crate::store;
use crate::util::json;

/// The `Retry-After` of unavailable storage.
const STORAGE_PAUSE: Duration = Duration::from_secs(1);

#[derive(Serialize)]
struct Problem<'a> {
    r#type: &'static str,
    title: &'a str,
    status: u16,
    detail: &'a str,
    code: &'static str,
    request_id: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldError>,
    #[serde(skip_serializing_if = "Option::is_none")]
    current: Option<&'a RawValue>,
    #[serde(flatten)]
    turn: Option<ActiveTurn<'a>>,
}

/// The turn because of which a request failed.
#[derive(Serialize)]
struct ActiveTurn<'a> {
    turn_id: &'a str,
    message_id: &'a str,
    stream_url: &'a str,
}

/// Returns the response to a failed request.
pub(crate) fn render(error: &Error, request_id: &str) -> Response {
    let status = error.status();
    let body = json::text(&Problem {
        r#type: "about:blank",
        title: status.canonical_reason().unwrap_or_default(),
        status: status.as_u16(),
        detail: &error.detail(),
        code: error.code(),
        request_id,
        errors: error.invalid_fields(),
        current: current(error).map(current_json).as_deref(),
        turn: active_turn(error),
    });
    let content_type = HeaderValue::from_static("application/problem+json");
    let mut response = (status, [(header::CONTENT_TYPE, content_type)], body).into_response();
    add_headers(error, response.headers_mut());
    response
}

fn active_turn(error: &Error) -> Option<ActiveTurn<'_>> {
    match error {
        Error::Service(service::error::Error::Chat(ChatError::TurnInProgress {
            turn_id,
            message_id,
            stream_url,
        })) => Some(ActiveTurn {
            turn_id,
            message_id,
            stream_url,
        }),
        _ => None,
    }
}

fn current(error: &Error) -> Option<&Current> {
    match error {
        Error::Service(service::error::Error::PreconditionFailed(current)) => Some(current),
        _ => None,
    }
}

fn current_json(current: &Current) -> Box<RawValue> {
    match current {
        Current::Session(current) => json::raw(&current.session),
        Current::Message(message) => message.as_ref().map_or_else(json::null, message_json),
        Current::Skill(skill) => json::raw(skill),
        Current::File(file) => json::raw(file),
    }
}

fn current_version(current: &Current) -> Option<String> {
    match current {
        Current::Session(current) => Some(current.version.clone()),
        Current::Message(message) => message.as_ref().map(Message::version),
        Current::Skill(skill) => Some(skill.etag.clone()),
        Current::File(file) => file.as_ref().map(|file| file.etag.clone()),
    }
}

fn message_json(message: &Message) -> Box<RawValue> {
    let mut text = Vec::with_capacity(message.size());
    message.write_response(&mut text);
    let text = String::from_utf8(text).unwrap_or_default();
    RawValue::from_string(text).unwrap_or_else(|_| json::null())
}

/// Sets the headers that belong to an error.
fn add_headers(error: &Error, headers: &mut HeaderMap) {
    let mut insert = |name: HeaderName, value: String| {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(name, value);
        }
    };
    let seconds = |pause: Duration| pause.as_secs_f64().ceil().max(1.0).to_string();
    match error {
        Error::Service(service::error::Error::PreconditionFailed(current)) => {
            if let Some(version) = current_version(current) {
                insert(header::ETAG, entity_tag(&version));
            }
        }
        Error::Service(service::error::Error::Conflict(Conflict::SkillExists { volume, id })) => {
            insert(
                header::LOCATION,
                location::of_skill(volume.kind, volume.id.as_str(), id),
            );
        }
        Error::Service(service::error::Error::Chat(ChatError::TurnInProgress {
            stream_url,
            ..
        })) => insert(header::LOCATION, stream_url.clone()),
        Error::Service(service::error::Error::Chat(ChatError::BudgetExhausted {
            retry_after,
            ..
        })) => insert(header::RETRY_AFTER, seconds(*retry_after)),
        Error::EncodedBody => insert(header::ACCEPT_ENCODING, "identity".to_owned()),
        Error::RangeNotSatisfiable(Some(range)) => insert(header::CONTENT_RANGE, range.clone()),
        Error::Unauthorized {
            had_credentials, ..
        } => insert(header::WWW_AUTHENTICATE, challenge(*had_credentials)),
        Error::Service(service::error::Error::Store(store::Error::RateLimited(pause)))
        | Error::KeysUnavailable {
            retry_after: pause, ..
        } => insert(header::RETRY_AFTER, seconds(*pause)),
        // A retry cannot help until the deployment has another configuration.
        Error::Misconfigured(_)
        | Error::Service(service::error::Error::Chat(ChatError::NoProvider)) => {}
        error
            if [StatusCode::SERVICE_UNAVAILABLE, StatusCode::GATEWAY_TIMEOUT]
                .contains(&error.status()) =>
        {
            insert(header::RETRY_AFTER, seconds(STORAGE_PAUSE));
        }
        _ => {}
    }
}

/// Returns the `WWW-Authenticate` challenge (RFC 6750, section 3). The reason is in the body.
fn challenge(had_credentials: bool) -> String {
    let error = if had_credentials {
        ", error=\"invalid_token\""
    } else {
        ""
    };
    format!("Bearer realm=\"llmos\"{error}")
}
