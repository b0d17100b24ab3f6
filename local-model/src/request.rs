//! The body of `POST /v1/chat/completions`. Unknown members are ignored, as are `tools` and the members about them.

use serde::Deserialize;
use serde_json::Value;

use crate::MODEL;
use crate::error::ApiError;
use crate::llama::CONTEXT_TOKENS;

/// The most tokens of an answer, if the request has no limit: small models tend to repeat themselves.
const DEFAULT_MAX_TOKENS: usize = 512;
/// The settings that the authors of the model recommend.
const DEFAULT_TEMPERATURE: f32 = 0.2;
const DEFAULT_TOP_P: f32 = 0.9;
/// The most stop sequences of a request, as in OpenAI's API.
const MAX_STOP_SEQUENCES: usize = 4;

/// A valid request.
#[derive(Debug)]
pub(crate) struct ChatRequest {
    pub(crate) messages: Vec<Message>,
    pub(crate) stream: bool,
    pub(crate) include_usage: bool,
    pub(crate) options: Options,
}

/// How an answer is generated.
#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) max_tokens: usize,
    /// Zero is greedy: the most probable token always.
    pub(crate) temperature: f32,
    pub(crate) top_p: f32,
    pub(crate) seed: u64,
    pub(crate) stop: Vec<String>,
}

/// A message as the model reads it.
#[derive(Debug)]
pub(crate) struct Message {
    pub(crate) role: Role,
    pub(crate) text: String,
}

/// The author of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Role {
    System,
    Developer,
    User,
    Assistant,
    Tool,
}

impl Role {
    pub(crate) fn is_system(self) -> bool {
        matches!(self, Self::System | Self::Developer)
    }

    /// Returns the name in the prompt. The model was trained with three roles.
    pub(crate) fn in_prompt(self) -> &'static str {
        match self {
            Self::System | Self::Developer => "system",
            Self::User | Self::Tool => "user",
            Self::Assistant => "assistant",
        }
    }
}

#[derive(Deserialize)]
struct Body {
    model: Option<String>,
    messages: Vec<BodyMessage>,
    stream: Option<bool>,
    stream_options: Option<StreamOptions>,
    max_tokens: Option<i64>,
    max_completion_tokens: Option<i64>,
    temperature: Option<f32>,
    top_p: Option<f32>,
    seed: Option<i64>,
    stop: Option<Stop>,
    n: Option<i64>,
}

#[derive(Deserialize)]
struct BodyMessage {
    role: Role,
    content: Option<Content>,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "a text or a list of parts")]
enum Content {
    Text(String),
    Parts(Vec<Part>),
}

#[derive(Deserialize)]
struct Part {
    r#type: String,
    text: Option<String>,
}

#[derive(Deserialize)]
struct StreamOptions {
    include_usage: Option<bool>,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "a text or a list of texts")]
enum Stop {
    One(String),
    Many(Vec<String>),
}

impl ChatRequest {
    /// Parses a body. Malformed JSON is a 400, an invalid member a 422, an unknown model a 404.
    pub(crate) fn parse(body: &[u8]) -> Result<Self, ApiError> {
        let value: Value =
            serde_json::from_slice(body).map_err(|error| ApiError::malformed(&error))?;
        let body = Body::deserialize(&value)
            .map_err(|error| ApiError::invalid(None, format!("The body is invalid: {error}.")))?;
        if let Some(model) = body.model.filter(|model| model != MODEL) {
            return Err(ApiError::unknown_model(&model));
        }
        if body.messages.is_empty() {
            return Err(ApiError::invalid(
                Some("messages"),
                "messages must have at least one element.",
            ));
        }
        if body.n.is_some_and(|n| n != 1) {
            return Err(ApiError::invalid(Some("n"), "n must be 1."));
        }
        let messages = body
            .messages
            .into_iter()
            .enumerate()
            .map(read_message)
            .collect::<Result<_, _>>()?;
        let (max_tokens_name, max_tokens) = match (body.max_completion_tokens, body.max_tokens) {
            (Some(tokens), _) => ("max_completion_tokens", Some(tokens)),
            (None, tokens) => ("max_tokens", tokens),
        };
        let max_tokens = match max_tokens {
            None => DEFAULT_MAX_TOKENS,
            Some(tokens) if tokens < 1 => {
                let message = format!("{max_tokens_name} must be at least 1.");
                return Err(ApiError::invalid(Some(max_tokens_name), message));
            }
            Some(tokens) => usize::try_from(tokens)
                .unwrap_or(CONTEXT_TOKENS)
                .min(CONTEXT_TOKENS),
        };
        let options = Options {
            max_tokens,
            temperature: within("temperature", body.temperature, 2.0, DEFAULT_TEMPERATURE)?,
            top_p: within("top_p", body.top_p, 1.0, DEFAULT_TOP_P)?,
            seed: body.seed.unwrap_or(0).cast_unsigned(),
            stop: read_stop(body.stop)?,
        };
        Ok(Self {
            messages,
            stream: body.stream.unwrap_or(false),
            include_usage: body
                .stream_options
                .and_then(|options| options.include_usage)
                .unwrap_or(false),
            options,
        })
    }
}

/// Returns a number between 0 and `max`, or the default.
fn within(name: &'static str, value: Option<f32>, max: f32, default: f32) -> Result<f32, ApiError> {
    match value {
        None => Ok(default),
        Some(value) if (0.0..=max).contains(&value) => Ok(value),
        Some(_) => Err(ApiError::invalid(
            Some(name),
            format!("{name} must be from 0 to {max}."),
        )),
    }
}

fn read_stop(stop: Option<Stop>) -> Result<Vec<String>, ApiError> {
    let stop = match stop {
        None => Vec::new(),
        Some(Stop::One(text)) => vec![text],
        Some(Stop::Many(texts)) => texts,
    };
    if stop.len() > MAX_STOP_SEQUENCES || stop.iter().any(String::is_empty) {
        let message =
            format!("stop must have at most {MAX_STOP_SEQUENCES} texts, none of them empty.");
        return Err(ApiError::invalid(Some("stop"), message));
    }
    Ok(stop)
}

fn read_message((index, message): (usize, BodyMessage)) -> Result<Message, ApiError> {
    let invalid = |problem: &str| {
        ApiError::invalid(
            Some("messages"),
            format!("messages[{index}].content {problem}"),
        )
    };
    let text = match message.content {
        Some(Content::Text(text)) => text,
        Some(Content::Parts(parts)) => {
            let mut text = String::new();
            for part in parts {
                match (part.r#type.as_str(), part.text) {
                    ("text", Some(part)) => text.push_str(&part),
                    _ => {
                        return Err(invalid(
                            "has a part that is not text: this model reads text only.",
                        ));
                    }
                }
            }
            text
        }
        // An answer that only calls tools has no content.
        None if message.role == Role::Assistant => String::new(),
        None => return Err(invalid("is missing.")),
    };
    Ok(Message {
        role: message.role,
        text,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(body: &str) -> Result<ChatRequest, ApiError> {
        ChatRequest::parse(body.as_bytes())
    }

    #[test]
    fn parts_and_roles_are_read() {
        let request = parse(
            r#"{"model": "smollm2-135m-instruct", "tools": [{}], "messages": [
                {"role": "developer", "content": "Be brief."},
                {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]},
                {"role": "assistant", "content": null, "tool_calls": []},
                {"role": "tool", "tool_call_id": "1", "content": "4"}]}"#,
        )
        .unwrap();
        let messages: Vec<_> = request
            .messages
            .iter()
            .map(|message| (message.role.in_prompt(), message.text.as_str()))
            .collect();
        assert_eq!(
            messages,
            [
                ("system", "Be brief."),
                ("user", "ab"),
                ("assistant", ""),
                ("user", "4")
            ]
        );
        assert!(!request.stream && !request.include_usage);
    }

    #[test]
    fn max_completion_tokens_overrides_max_tokens() {
        let body = r#"{"messages": [{"role": "user", "content": "a"}], "max_tokens": 5, "max_completion_tokens": 7}"#;
        assert_eq!(parse(body).unwrap().options.max_tokens, 7);
    }

    #[test]
    fn invalid_members_are_rejected() {
        for (members, status) in [
            (r#""messages": []"#, 422),
            (r#""messages": "hi""#, 422),
            (r#""messages": [{"role": "robot", "content": "a"}]"#, 422),
            (r#""messages": [{"role": "user"}]"#, 422),
            (
                r#""messages": [{"role": "user", "content": [{"type": "image_url"}]}]"#,
                422,
            ),
            (
                r#""messages": [{"role": "user", "content": "a"}], "max_tokens": 0"#,
                422,
            ),
            (
                r#""messages": [{"role": "user", "content": "a"}], "temperature": 2.5"#,
                422,
            ),
            (
                r#""messages": [{"role": "user", "content": "a"}], "stop": [""]"#,
                422,
            ),
            (
                r#""messages": [{"role": "user", "content": "a"}], "n": 2"#,
                422,
            ),
            (
                r#""messages": [{"role": "user", "content": "a"}], "model": "gpt-5""#,
                404,
            ),
            (r#""messages": ["#, 400),
        ] {
            let error = parse(&format!("{{{members}}}")).unwrap_err();
            assert_eq!(error.status.as_u16(), status, "{members}");
        }
    }
}
