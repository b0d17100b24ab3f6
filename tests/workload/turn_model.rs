//! The model of the turns. The message of the user says how it answers.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use serde_json::json;

use crate::support::{ModelAnswer, ModelCall, ModelServer, Script, Step};

/// The pause between two pieces of an answer.
const PAUSE: Duration = Duration::from_millis(25);

/// How the model answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A second of text.
    Whole,
    /// Text without an end, until the client stops it.
    Endless,
    /// The connection is reset in the middle of the text.
    Reset,
    /// The model is overloaded once, then answers.
    Overloaded,
    /// The connection is closed once before the answer begins, then the model answers.
    Closed,
}

impl Kind {
    pub const ALL: [Self; 5] = [
        Self::Whole,
        Self::Endless,
        Self::Reset,
        Self::Overloaded,
        Self::Closed,
    ];

    fn name(self) -> String {
        format!("{self:?}")
    }

    /// How often the model may be asked.
    pub fn max_calls(self) -> usize {
        match self {
            Self::Overloaded | Self::Closed => 2,
            Self::Whole | Self::Endless | Self::Reset => 1,
        }
    }

    /// Returns the message that asks for this.
    pub fn prompt(self, id: &str) -> String {
        format!("{} {id}", self.name())
    }
}

/// Starts the model.
pub async fn start() -> ModelServer {
    let model = ModelServer::start().await;
    let asked: Mutex<HashMap<String, usize>> = Mutex::default();
    model.respond(move |call| {
        let prompt = prompt_of(call);
        let name = prompt.split(' ').next().unwrap_or_default().to_owned();
        let mut asked = asked.lock().unwrap();
        let before = asked.entry(prompt).or_default();
        *before += 1;
        let kind = Kind::ALL.into_iter().find(|kind| kind.name() == name);
        match kind {
            Some(Kind::Overloaded) if *before == 1 => {
                Script::error(503, &json!({"error": {"message": "overloaded"}}))
            }
            Some(Kind::Closed) if *before == 1 => Script {
                status: 0,
                ..Script::steps(vec![Step::Close])
            },
            Some(Kind::Reset) => text(20, Some(Step::Reset)),
            Some(Kind::Endless) => text(2_000, None),
            Some(_) => text(40, None),
            None => Script::error(400, &json!({"error": {"message": "unknown"}})),
        }
    });
    model
}

/// Returns the text of the last message of a request. Messages without an answer may be one message for the model.
pub fn prompt_of(call: &ModelCall) -> String {
    let messages = call.body["messages"].as_array();
    let last = messages.and_then(|messages| messages.last());
    let content = last
        .map(|last| &last["content"])
        .cloned()
        .unwrap_or_default();
    let parts = content.as_array();
    let text = match parts.and_then(|parts| parts.last()) {
        Some(part) => part["text"].as_str(),
        None => content.as_str(),
    };
    let line = text.and_then(|text| text.lines().last());
    line.unwrap_or_default().to_owned()
}

/// Returns numbered pieces of a text, which then ends with this step or as the wire says.
fn text(pieces: usize, end: Option<Step>) -> Script {
    let texts: Vec<String> = (0..pieces).map(|number| format!("{number} ")).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let whole = ModelAnswer::pieces(&texts).chat_completions();
    let mut steps = Vec::new();
    for (index, event) in whole.split_inclusive("\n\n").enumerate() {
        if index > pieces && end.is_some() {
            break;
        }
        if (1..=pieces).contains(&index) {
            steps.push(Step::Wait(PAUSE));
        }
        steps.push(Step::Send(event.to_owned().into()));
    }
    steps.extend(end);
    Script::steps(steps)
}
