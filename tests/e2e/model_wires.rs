//! The clients of language models, with a mock server that others wrote: `@copilotkit/aimock`.

use std::fs;
use std::path::Path;
use std::time::Duration;

use llmos::provider::error::{ErrorKind, ProviderError};
use llmos::provider::event::{FinishReason, ModelEvent};
use llmos::provider::request::{ModelMessage, ModelPart, ModelRequest, ModelRole};
use llmos::provider::{Settings, Wire};
use llmos::util::secret::Secret;
use serde_json::json;
use tempfile::TempDir;
use tokio::process::{Child, Command};

use crate::support::ReservedPort;

/// A running mock server.
struct Aimock {
    base_url: String,
    _process: Child,
    _directory: TempDir,
}

impl Aimock {
    async fn start() -> Self {
        let program = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/node_modules/@copilotkit/aimock/dist/cli.js");
        assert!(
            program.exists(),
            "aimock is not installed: run `make setup`"
        );
        let arguments = json!({"city": "Zürich"}).to_string();
        let fixtures = json!({"fixtures": [
            {"match": {"userMessage": "text"}, "response": {"content": "Café 😀, and more."}, "chunkSize": 3},
            {"match": {"userMessage": "reasoning"}, "response": {"content": "42.", "reasoning": "Let me think é."}, "chunkSize": 4},
            {"match": {"userMessage": "tool"}, "response": {"toolCalls": [{"id": "call_1", "name": "weather", "arguments": arguments}]}},
            {"match": {"userMessage": "overloaded"}, "response": {"error": {"message": "Overloaded", "type": "overloaded_error"}, "status": 529}},
        ]});
        let directory = TempDir::new().unwrap();
        let file = directory.path().join("fixtures.json");
        fs::write(&file, fixtures.to_string()).unwrap();
        let port = ReservedPort::new();
        let process = Command::new("node")
            .arg(program)
            .args(["-p", &port.number().to_string(), "--strict", "-f"])
            .arg(&file)
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let address = ("127.0.0.1", port.number());
        for attempt in 0.. {
            if tokio::net::TcpStream::connect(address).await.is_ok() {
                break;
            }
            assert!(attempt < 300, "aimock does not listen");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        Self {
            base_url: format!("http://127.0.0.1:{}/v1", port.number()),
            _process: process,
            _directory: directory,
        }
    }

    /// Asks, and returns the events.
    async fn ask(&self, wire: Wire, text: &str) -> Result<Vec<ModelEvent>, ProviderError> {
        let mut settings = Settings::default();
        settings.base_url = Some(Secret::new(self.base_url.clone()));
        settings.wire = Some(wire);
        settings.api_key = Some(Secret::new("test-key".to_owned()));
        let provider = settings.select(None, None).unwrap();
        let request = ModelRequest {
            model: "claude-opus-4-5".to_owned(),
            messages: vec![ModelMessage {
                role: ModelRole::User,
                parts: vec![ModelPart::Text(text.to_owned())],
                is_stable: true,
            }],
            ..ModelRequest::default()
        };
        let mut stream = provider.stream(&request).await?;
        let mut events = Vec::new();
        while let Some(event) = stream.next().await {
            events.push(event?);
        }
        Ok(events)
    }
}

/// The text, the reasoning, and the name and input of the calls.
fn contents(events: &[ModelEvent]) -> (String, String, String) {
    let mut contents = (String::new(), String::new(), String::new());
    for event in events {
        match event {
            ModelEvent::Text { delta, .. } => contents.0.push_str(delta),
            ModelEvent::Reasoning { delta, .. } => contents.1.push_str(delta),
            ModelEvent::ToolStart { name, call_id, .. } => {
                contents.2.push_str(&format!("{call_id} {name} "));
            }
            ModelEvent::ToolInput { delta, .. } => contents.2.push_str(delta),
            _ => {}
        }
    }
    contents
}

#[tokio::test]
async fn answers_of_aimock_are_the_same_on_both_wires() {
    let server = Aimock::start().await;
    for wire in [Wire::Anthropic, Wire::ChatCompletions] {
        for (question, text, reasoning, call, reason) in [
            ("text", "Café 😀, and more.", "", "", FinishReason::Stop),
            (
                "reasoning",
                "42.",
                "Let me think é.",
                "",
                FinishReason::Stop,
            ),
            (
                "tool",
                "",
                "",
                "call_1 weather {\"city\":\"Zürich\"}",
                FinishReason::ToolCalls,
            ),
        ] {
            let events = server.ask(wire, question).await.unwrap();
            let expected = (text.to_owned(), reasoning.to_owned(), call.to_owned());
            assert_eq!(contents(&events), expected, "{wire:?}");
            assert_eq!(events.last(), Some(&ModelEvent::Finished(reason)));
            assert!(
                matches!(events[0], ModelEvent::Started { .. }),
                "{events:?}"
            );
        }
        let error = server.ask(wire, "overloaded").await.unwrap_err();
        assert_eq!(
            (error.kind, error.status),
            (ErrorKind::Overloaded, Some(529))
        );
        assert!(error.request_id.is_some());
    }
}
