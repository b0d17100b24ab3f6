//! The check of `llmos doctor` for the model provider: a request for one token.

use std::time::{Duration, Instant};

use llmos::config::Config;
use llmos::local::report::Report;
use llmos::provider::request::{ModelMessage, ModelPart, ModelRequest, ModelRole};
use llmos::provider::{Provider, Timeouts};
use llmos::util::diagnosis::Diagnosis;

/// The time limit of an attempt. There are at most two.
const TIME_LIMIT: Duration = Duration::from_secs(10);

/// Asks the configured provider for one token, or reports that none is configured.
pub(super) async fn check(config: &Config, report: &mut Report) {
    let mut settings = config.model.clone();
    settings.timeouts = Timeouts {
        first_byte: TIME_LIMIT,
        silence: TIME_LIMIT,
    };
    // Not a failure: only chat needs a model.
    let Some(provider) = settings.find(None, None).await else {
        return report.note(
            "no model is checked: no provider is configured, and no local model is running (`make model`)",
        );
    };
    report.note(&format!("model provider {}", provider.name()));
    report.outcome("model", first_token(&provider).await);
}

/// Returns the model, and the time to its first token.
async fn first_token(provider: &Provider) -> Result<String, Diagnosis> {
    let question = ModelMessage {
        role: ModelRole::User,
        parts: vec![ModelPart::Text("Say OK.".to_owned())],
        is_stable: false,
    };
    let request = ModelRequest {
        model: provider.default_model().to_owned(),
        messages: vec![question],
        max_output_tokens: Some(1),
        ..ModelRequest::default()
    };
    let started = Instant::now();
    // The stream begins with the first content. Dropping it stops the model.
    drop(provider.stream(&request).await?);
    let milliseconds = started.elapsed().as_millis();
    Ok(format!(
        "{}, first token after {milliseconds} ms",
        request.model
    ))
}
