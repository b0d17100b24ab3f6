//! The service with a scripted model, and its event streams.

use std::time::Duration;

use llmos::config::Config;
use llmos::util::secret::Secret;
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use super::support::{
    Client, ModelAnswer, ModelServer, Process, Redis, Response, Script, Step, config, in_process,
};

/// The service in this process, with a scripted model.
pub(super) struct ChatApp {
    pub(super) api: Client,
    pub(super) redis: Redis,
    pub(super) model: ModelServer,
}

impl ChatApp {
    pub(super) async fn start() -> Self {
        Self::with(|_| {}).await
    }

    pub(super) async fn with(change: impl FnOnce(&mut Config)) -> Self {
        let redis = Redis::start().await;
        let model = ModelServer::start().await;
        let mut config = config(&redis.url());
        config.model.base_url = Some(Secret::new(model.base_url()));
        change(&mut config);
        Self {
            api: in_process(config),
            redis,
            model,
        }
    }

    /// Starts the function in a process of its own, with the same Redis and model.
    pub(super) async fn function(&self) -> (Process, Client) {
        let environment = [
            ("REDIS_URL", self.redis.url()),
            ("LLMOS_MODEL_BASE_URL", self.model.base_url()),
            ("LLMOS_TITLES", "off".to_owned()),
        ];
        let environment: Vec<(&str, &str)> = environment
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        Process::function(env!("CARGO_BIN_EXE_chat"), &environment).await
    }

    /// Sends a message of the AI SDK; the body has further members.
    pub(super) async fn ask(&self, session: &str, id: &str, text: &str) -> Response {
        self.api.post("/api/chat", &submit(session, id, text)).await
    }

    /// The messages of a session: role, text and status of each.
    pub(super) async fn history(&self, session: &str) -> Vec<(String, String, String)> {
        history(&self.api, session).await
    }

    pub(super) async fn turn(&self, session: &str) -> Value {
        let path = format!("/api/chat/{session}/turn");
        let found = self.api.get(&path).await.assert_status(200).json();
        found["turn"].clone()
    }

    /// Waits until the turn of a session has this status.
    pub(super) async fn wait_for_turn(&self, session: &str, status: &str) -> Value {
        let path = format!("/api/chat/{session}/turn");
        for _ in 0..600 {
            // The session may not be there yet.
            let found = self.api.get(&path).await.json();
            if found["turn"]["status"] == status {
                return found["turn"].clone();
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("the turn is not {status}: {}", self.turn(session).await);
    }
}

/// The body that `useChat` sends for a new message.
pub(super) fn submit(session: &str, id: &str, text: &str) -> Value {
    json!({
        "id": session, "trigger": "submit-message",
        "messages": [{"id": id, "role": "user", "parts": [{"type": "text", "text": text}]}],
    })
}

pub(super) async fn history(api: &Client, session: &str) -> Vec<(String, String, String)> {
    let path = format!("/api/sessions/{session}/messages?limit=200");
    let found = api.get(&path).await.assert_status(200).json();
    let messages = found["messages"].as_array().unwrap().iter();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    messages
        .map(|it| (text(&it["role"]), text(&it["content"]), text(&it["status"])))
        .collect()
}

/// The texts of a history.
pub(super) fn texts(history: &[(String, String, String)]) -> Vec<&str> {
    history.iter().map(|(_, text, _)| text.as_str()).collect()
}

/// Sends a chat request whose response is awaited later.
pub(super) fn ask_in_background(api: &Client, body: Value) -> JoinHandle<Response> {
    let api = api.clone();
    tokio::spawn(async move { api.post("/api/chat", &body).await })
}

/// The chunks of an event stream, without the end.
#[track_caller]
pub(super) fn chunks(body: &[u8]) -> Vec<Value> {
    let text = std::str::from_utf8(body).unwrap();
    let lines = text.lines().filter_map(|line| line.strip_prefix("data: "));
    lines
        .filter(|data| *data != "[DONE]")
        .map(|data| serde_json::from_str(data).unwrap())
        .collect()
}

/// The ids of the events.
pub(super) fn ids(body: &[u8]) -> Vec<String> {
    let text = std::str::from_utf8(body).unwrap();
    let lines = text.lines().filter_map(|line| line.strip_prefix("id: "));
    lines.map(str::to_owned).collect()
}

/// The body without comments.
pub(super) fn without_comments(body: &[u8]) -> String {
    let text = std::str::from_utf8(body).unwrap();
    let events = text.split("\n\n").filter(|event| !event.starts_with(':'));
    events.collect::<Vec<_>>().join("\n\n")
}

/// The text of the deltas.
pub(super) fn text_of(chunks: &[Value]) -> String {
    let deltas = chunks.iter().filter(|chunk| chunk["type"] == "text-delta");
    deltas.filter_map(|chunk| chunk["delta"].as_str()).collect()
}

pub(super) fn types(chunks: &[Value]) -> Vec<&str> {
    chunks
        .iter()
        .filter_map(|chunk| chunk["type"].as_str())
        .collect()
}

/// A script that sends the pieces of a text with a pause before each one after the first.
pub(super) fn slow(pieces: &[&str], pause: Duration) -> Script {
    let whole = ModelAnswer::pieces(pieces).chat_completions();
    let mut steps = Vec::new();
    for (index, event) in whole.split_inclusive("\n\n").enumerate() {
        if index > 1 && index <= pieces.len() {
            steps.push(Step::Wait(pause));
        }
        steps.push(Step::Send(event.to_owned().into()));
    }
    Script::steps(steps)
}

/// A script that sends the pieces of a text and then nothing, with the connection open.
pub(super) fn unfinished(pieces: &[&str]) -> Script {
    let whole = ModelAnswer::pieces(pieces).chat_completions();
    let events: String = whole
        .split_inclusive("\n\n")
        .take(pieces.len() + 1)
        .collect();
    Script::steps(vec![Step::Send(events.into()), Step::Stall])
}

pub(super) fn answer(text: &str) -> Script {
    Script::events(ModelAnswer::text(text).chat_completions())
}

/// Sends a new version of the message `u` of the session `s`.
pub(super) async fn edit(app: &ChatApp, text: &str) -> Response {
    let body = json!({
        "id": "s", "trigger": "submit-message", "messageId": "u",
        "messages": [{"id": "u", "role": "user", "parts": [{"type": "text", "text": text}]}],
    });
    app.api.post("/api/chat", &body).await
}
