//! The clients of language models, on a scripted model server.

mod answers;
mod failures;
mod limits;
mod requests;
mod stop;

use std::time::Duration;

use llmos::provider::error::ProviderError;
use llmos::provider::event::ModelEvent;
use llmos::provider::request::{ModelMessage, ModelPart, ModelRequest, ModelRole};
use llmos::provider::{ModelStream, Provider, Settings, Timeouts, Wire};
use llmos::util::secret::Secret;

use crate::support::{ModelAnswer, ModelServer, Script};

const WIRES: [Wire; 2] = [Wire::Anthropic, Wire::ChatCompletions];

/// A key that must not appear in any text.
const KEY: &str = "hidden-test-key";

/// Settings with the server as the only provider, and short time-outs.
fn settings(server: &ModelServer, wire: Wire) -> Settings {
    let mut settings = Settings::default();
    settings.base_url = Some(Secret::new(server.base_url()));
    settings.wire = Some(wire);
    settings.api_key = Some(Secret::new(KEY.to_owned()));
    settings.timeouts = Timeouts {
        first_byte: Duration::from_secs(20),
        silence: Duration::from_secs(20),
    };
    settings
}

fn provider(server: &ModelServer, wire: Wire) -> Provider {
    settings(server, wire).select(None, None).unwrap()
}

/// A provider that waits only this long.
fn impatient(server: &ModelServer, wire: Wire, first_byte: u64, silence: u64) -> Provider {
    let mut settings = settings(server, wire);
    settings.timeouts = Timeouts {
        first_byte: Duration::from_millis(first_byte),
        silence: Duration::from_millis(silence),
    };
    settings.select(None, None).unwrap()
}

/// A question of the user.
fn question() -> ModelRequest {
    ModelRequest {
        model: "test-model".to_owned(),
        messages: vec![message(
            ModelRole::User,
            vec![ModelPart::Text("Hi".to_owned())],
        )],
        ..ModelRequest::default()
    }
}

fn message(role: ModelRole, parts: Vec<ModelPart>) -> ModelMessage {
    ModelMessage {
        role,
        parts,
        is_stable: false,
    }
}

fn answer(wire: Wire, answer: &ModelAnswer) -> String {
    match wire {
        Wire::Anthropic => answer.anthropic(),
        Wire::ChatCompletions => answer.chat_completions(),
    }
}

/// Reads a stream to its end.
async fn rest(stream: &mut ModelStream) -> (Vec<ModelEvent>, Option<ProviderError>) {
    let mut events = Vec::new();
    while let Some(event) = stream.next().await {
        match event {
            Ok(event) => events.push(event),
            Err(error) => {
                assert!(stream.next().await.is_none());
                return (events, Some(error));
            }
        }
    }
    (events, None)
}

/// Asks the model, and returns all events and the error at the end.
async fn ask(provider: &Provider) -> (Vec<ModelEvent>, Option<ProviderError>) {
    match provider.stream(&question()).await {
        Ok(mut stream) => rest(&mut stream).await,
        Err(error) => (Vec::new(), Some(error)),
    }
}

/// Asks a server that follows this script, and returns the events of an answer that must be whole.
async fn events(wire: Wire, script: Script) -> Vec<ModelEvent> {
    let server = ModelServer::start().await;
    server.push(script);
    let (events, error) = ask(&provider(&server, wire)).await;
    assert!(error.is_none(), "{error:?}");
    events
}

/// The text of an answer.
fn text(events: &[ModelEvent]) -> String {
    let texts = events.iter().filter_map(|event| match event {
        ModelEvent::Text { delta, .. } => Some(delta.as_str()),
        _ => None,
    });
    texts.collect()
}
