//! Classification of what providers report as an error.

use serde_json::Value;

use super::error::ErrorKind;
use super::sse::EventTooLarge;

/// A failure, before it is known which provider and response it belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) kind: ErrorKind,
    pub(super) is_retryable: bool,
}

/// Parts of error types and codes, with what they mean. The first one that occurs decides.
const CODES: &[(&str, ErrorKind, bool)] = &[
    ("insufficient_quota", ErrorKind::Quota, false),
    ("billing", ErrorKind::Quota, false),
    ("payment_required", ErrorKind::Quota, false),
    ("insufficient_credits", ErrorKind::Quota, false),
    ("context_length_exceeded", ErrorKind::TooLong, false),
    ("exceed_context_size", ErrorKind::TooLong, false),
    ("invalid_api_key", ErrorKind::Auth, false),
    ("authentication", ErrorKind::Auth, false),
    ("permission", ErrorKind::Auth, false),
    ("forbidden", ErrorKind::Auth, false),
    ("model_not_found", ErrorKind::UnknownModel, false),
    ("not_found", ErrorKind::UnknownModel, false),
    ("rate_limit", ErrorKind::RateLimited, true),
    ("overloaded", ErrorKind::Overloaded, true),
    ("unavailable", ErrorKind::Overloaded, true),
    ("timeout", ErrorKind::Timeout, true),
    ("request_too_large", ErrorKind::Invalid, false),
    ("invalid_request", ErrorKind::Invalid, false),
    ("bad_request", ErrorKind::Invalid, false),
    ("badrequest", ErrorKind::Invalid, false),
    ("api_error", ErrorKind::Upstream, true),
    ("server_error", ErrorKind::Upstream, true),
    ("internal", ErrorKind::Upstream, true),
];

/// Phrases by which providers say that a conversation is too long, where no code says it.
const TOO_LONG: &[&str] = &[
    "prompt is too long",
    "maximum context length",
    "context length exceeded",
    "available context size",
    "context window",
    "input is too long",
    "too many tokens",
];

impl Failure {
    pub(super) const fn new(kind: ErrorKind, is_retryable: bool) -> Self {
        Self { kind, is_retryable }
    }

    /// Returns the failure of an answer that is malformed or over a limit.
    pub(super) const fn malformed() -> Self {
        Self::new(ErrorKind::Upstream, false)
    }

    /// Classifies the status of a response.
    pub(super) fn of_status(status: u16) -> Self {
        match status {
            401 | 403 => Self::new(ErrorKind::Auth, false),
            402 => Self::new(ErrorKind::Quota, false),
            404 => Self::new(ErrorKind::UnknownModel, false),
            408 | 504 => Self::new(ErrorKind::Timeout, true),
            429 => Self::new(ErrorKind::RateLimited, true),
            503 | 529 => Self::new(ErrorKind::Overloaded, true),
            409 | 424 | 425 | 500.. => Self::new(ErrorKind::Upstream, true),
            400.. => Self::new(ErrorKind::Invalid, false),
            _ => Self::new(ErrorKind::Upstream, false),
        }
    }

    /// Classifies the body of an error response, or an error event.
    pub(super) fn of_body(status: Option<u16>, body: &Value) -> Self {
        let error = body.get("error").filter(|error| !error.is_null());
        let error = error.unwrap_or(body);
        let text = |name: &str| error.get(name).and_then(Value::as_str).unwrap_or_default();
        let message = match error {
            Value::String(message) => message,
            _ => text("message"),
        };
        let message = message.to_ascii_lowercase();
        let codes = [text("code"), text("type")].map(str::to_ascii_lowercase);
        let by_code = CODES.iter().find(|(code, ..)| {
            let code: &str = code;
            codes.iter().any(|it| it.contains(code))
        });
        let number = error.get("code").and_then(|code| match code {
            Value::String(digits) => digits.parse().ok(),
            number => number.as_u64(),
        });
        let number = number.and_then(|number| u16::try_from(number).ok());
        let number = number.filter(|number| (400..600).contains(number));
        let failure = match (by_code, number.or(status)) {
            (Some((_, kind, is_retryable)), _) => Self::new(*kind, *is_retryable),
            (None, Some(status)) => Self::of_status(status),
            (None, None) => Self::new(ErrorKind::Upstream, true),
        };
        let says = |phrases: &[&str]| phrases.iter().any(|phrase| message.contains(phrase));
        match failure.kind {
            ErrorKind::Invalid if says(TOO_LONG) => Self::new(ErrorKind::TooLong, false),
            ErrorKind::Invalid if says(&["credit balance"]) => Self::new(ErrorKind::Quota, false),
            _ => failure,
        }
    }
}

impl From<EventTooLarge> for Failure {
    fn from(_: EventTooLarge) -> Self {
        Self::malformed()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn errors_of_all_providers_are_classified() {
        use ErrorKind::{
            Auth, Invalid, Overloaded, Quota, RateLimited, TooLong, UnknownModel, Upstream,
        };
        let anthropic = |name: &str, message: &str| json!({"type": "error", "error": {"type": name, "message": message}});
        let openai = |name: &str, code: Value| json!({"error": {"message": "m", "type": name, "param": null, "code": code}});
        for (status, body, kind, is_retryable) in [
            (
                Some(529),
                anthropic("overloaded_error", "x"),
                Overloaded,
                true,
            ),
            (None, anthropic("overloaded_error", "x"), Overloaded, true),
            (None, anthropic("api_error", "x"), Upstream, true),
            (Some(400), anthropic("billing_error", "x"), Quota, false),
            (
                Some(400),
                anthropic("invalid_request_error", "Your credit balance is too low"),
                Quota,
                false,
            ),
            (
                Some(400),
                anthropic("invalid_request_error", "prompt is too long: 9 > 8"),
                TooLong,
                false,
            ),
            (
                Some(413),
                anthropic("request_too_large", "x"),
                Invalid,
                false,
            ),
            (Some(403), anthropic("permission_error", "x"), Auth, false),
            (
                Some(404),
                anthropic("not_found_error", "model: x"),
                UnknownModel,
                false,
            ),
            (
                Some(429),
                openai("insufficient_quota", json!("insufficient_quota")),
                Quota,
                false,
            ),
            (
                Some(429),
                openai("requests", json!("rate_limit_exceeded")),
                RateLimited,
                true,
            ),
            (
                Some(400),
                openai("invalid_request_error", json!("context_length_exceeded")),
                TooLong,
                false,
            ),
            (
                Some(401),
                openai("invalid_request_error", json!("invalid_api_key")),
                Auth,
                false,
            ),
            (
                Some(404),
                openai("invalid_request_error", json!("model_not_found")),
                UnknownModel,
                false,
            ),
            // OpenRouter, also within an answer.
            (
                None,
                json!({"error": {"code": 502, "message": "x", "metadata": {"raw": "y"}}}),
                Upstream,
                true,
            ),
            (
                None,
                json!({"error": {"code": 402, "message": "x"}}),
                Quota,
                false,
            ),
            // vLLM.
            (
                Some(400),
                json!({"object": "error", "message": "This model's maximum context length is 8", "type": "BadRequestError", "code": 400}),
                TooLong,
                false,
            ),
            (
                Some(404),
                json!({"object": "error", "message": "x", "type": "NotFoundError", "code": 404}),
                UnknownModel,
                false,
            ),
            // Ollama and llama-server.
            (Some(400), json!({"error": "x"}), Invalid, false),
            (
                Some(503),
                json!({"error": {"code": 503, "message": "Loading model", "type": "unavailable_error"}}),
                Overloaded,
                true,
            ),
            (Some(502), Value::Null, Upstream, true),
            (Some(302), Value::Null, Upstream, false),
        ] {
            let failure = Failure::of_body(status, &body);
            assert_eq!(
                failure,
                Failure::new(kind, is_retryable),
                "{status:?} {body}"
            );
        }
    }
}
