//! Configuration of language models.

use std::sync::Arc;

use super::variable::parse_base_url;
use super::{ConfigError, Environment};
use crate::provider::{
    AnthropicSettings, LOCAL_MODEL_URL, LocalModel, Prices, Settings, Timeouts, Wire, is_model_name,
};
use crate::util::secret::Secret;

pub(super) fn read(
    environment: &Environment<'_>,
    is_on_vercel: bool,
) -> Result<Settings, ConfigError> {
    let wires = [
        ("anthropic", Wire::Anthropic),
        ("chat_completions", Wire::ChatCompletions),
    ];
    // A literal would have to name the private HTTP client.
    let mut settings = Settings::default();
    settings.base_url = base_url(environment, "LLMOS_MODEL_BASE_URL")?;
    settings.wire =
        environment.parse_choice("LLMOS_MODEL_WIRE", wires, "anthropic or chat_completions")?;
    settings.api_key = key(environment, "LLMOS_MODEL_API_KEY")?;
    settings.gateway_api_key = key(environment, "AI_GATEWAY_API_KEY")?;
    settings.anthropic = AnthropicSettings {
        api_key: key(environment, "ANTHROPIC_API_KEY")?,
        auth_token: key(environment, "ANTHROPIC_AUTH_TOKEN")?,
        base_url: base_url(environment, "ANTHROPIC_BASE_URL")?,
        version: environment.parse_with("ANTHROPIC_VERSION", "a date such as 2023-06-01", date)?,
    };
    settings.openai_api_key = key(environment, "OPENAI_API_KEY")?;
    settings.openai_base_url = base_url(environment, "OPENAI_BASE_URL")?;
    settings.openrouter_api_key = key(environment, "OPENROUTER_API_KEY")?;
    settings.model = environment.parse_with("LLMOS_MODEL", "the name of a model", |text| {
        is_model_name(text).then(|| text.to_owned())
    })?;
    settings.models = environment.parse_list(
        "LLMOS_MODELS",
        "comma-separated entries model or model=tokens, with 1 to 1000000 output tokens",
    )?;
    settings.prices = prices(environment)?;
    settings.system_prompt = environment.variable("LLMOS_SYSTEM_PROMPT");
    settings.is_on_vercel = is_on_vercel;
    settings.deployment_url = environment
        .variable("VERCEL_PROJECT_PRODUCTION_URL")
        .map(|host| format!("https://{host}"));
    settings.timeouts = Timeouts::default();
    Ok(settings)
}

/// Returns the model server for which the local server looks.
pub(super) fn local(environment: &Environment<'_>) -> Result<Option<Arc<LocalModel>>, ConfigError> {
    let expected = "an http URL such as http://127.0.0.1:11435, or off";
    let url = environment.parse_with("LLMOS_LOCAL_MODEL", expected, |text| match text {
        "off" => Some(None),
        text => parse_base_url(text).map(Some),
    })?;
    let url = url.unwrap_or_else(|| Some(LOCAL_MODEL_URL.to_owned()));
    Ok(url.map(|url| Arc::new(LocalModel::new(url))))
}

fn base_url(
    environment: &Environment<'_>,
    name: &'static str,
) -> Result<Option<Secret>, ConfigError> {
    let expected = "an http or https URL without user and query, such as http://127.0.0.1:8080/v1";
    environment.parse_with(name, expected, |text| {
        // HTTP clients send the user of a URL as credentials, beside the key.
        let is_without_user = !text.contains('@');
        let url = parse_base_url(text).filter(|_| is_without_user);
        url.map(Secret::new)
    })
}

/// Returns a key, which is sent in a header.
fn key(environment: &Environment<'_>, name: &'static str) -> Result<Option<Secret>, ConfigError> {
    environment.parse_with(name, "visible ASCII characters without spaces", |text| {
        let is_key = text.bytes().all(|byte| byte.is_ascii_graphic());
        is_key.then(|| Secret::new(text.to_owned()))
    })
}

fn date(text: &str) -> Option<String> {
    let date = chrono::NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
    (date.to_string() == text).then(|| text.to_owned())
}

fn prices(environment: &Environment<'_>) -> Result<Prices, ConfigError> {
    let expected = "JSON such as {\"model\": {\"input\": 3, \"output\": 15, \"cached_input\": 0.3}}, in dollars per \
        million tokens";
    let prices = environment.parse_with("LLMOS_PRICES", expected, |text| Prices::parse(text).ok());
    Ok(prices?.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_one(name: &str, value: &str) -> Option<Settings> {
        let lookup = |variable: &str| (variable == name).then(|| value.into());
        read(&Environment(&lookup), false).ok()
    }

    #[test]
    fn invalid_values_are_rejected() {
        for (name, valid, invalid) in [
            ("LLMOS_MODEL_BASE_URL", "http://h:8080/v1/", "h:8080/v1"),
            (
                "LLMOS_MODEL_BASE_URL",
                "https://h",
                "https://user:pass@h/v1",
            ),
            ("LLMOS_MODEL_WIRE", "anthropic", "openai"),
            ("LLMOS_MODEL_API_KEY", "test-key", "test key"),
            ("ANTHROPIC_API_KEY", "test-key", "test\nkey"),
            ("ANTHROPIC_VERSION", "2026-10-21", "2026-10-1"),
            ("OPENAI_BASE_URL", "https://h/v1", "https://h/v1?a=b"),
            ("LLMOS_MODEL", "vendor/model:free", "a model"),
            ("LLMOS_MODELS", "a, b=100,c/d:e", "a,b=0"),
            ("LLMOS_MODELS", "a", "a,b=1=2"),
            (
                "LLMOS_PRICES",
                r#"{"a": {"input": 3, "output": 15}}"#,
                "{a: 1}",
            ),
        ] {
            assert!(read_one(name, valid).is_some(), "{name}={valid}");
            assert!(read_one(name, invalid).is_none(), "{name}={invalid}");
        }
    }

    #[test]
    fn debug_output_contains_no_keys() {
        for name in [
            "LLMOS_MODEL_API_KEY",
            "AI_GATEWAY_API_KEY",
            "ANTHROPIC_API_KEY",
            "ANTHROPIC_AUTH_TOKEN",
            "OPENAI_API_KEY",
            "OPENROUTER_API_KEY",
        ] {
            let settings = read_one(name, "hidden").unwrap();
            assert!(!format!("{settings:?}").contains("hidden"), "{name}");
            let provider = settings.select(None, None);
            assert!(!format!("{provider:?}").contains("hidden"), "{name}");
        }
    }
}
