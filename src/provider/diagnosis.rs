//! Explanations of provider errors for operators: the cause and the remedy.

use super::error::{ErrorKind, ProviderError};
use crate::util::diagnosis::Diagnosis;

impl From<ProviderError> for Diagnosis {
    fn from(error: ProviderError) -> Self {
        diagnose(&error)
    }
}

/// Explains an error to the operator of the deployment.
pub fn diagnose(error: &ProviderError) -> Diagnosis {
    if error.is_unreachable {
        return Diagnosis {
            cause: format!("no connection to the provider {}", error.provider),
            remedy: address_remedy(error.provider),
        };
    }
    let mut cause = error.kind.sentence().trim_end_matches('.').to_owned();
    if let Some(status) = error.status {
        cause.push_str(&format!(" (status {status})"));
    }
    if let Some(id) = &error.request_id {
        cause.push_str(&format!(", request {id}"));
    }
    let remedy = match error.kind {
        ErrorKind::Auth => key_remedy(error.provider),
        ErrorKind::Quota => "add credit to the account of the provider, or use another provider",
        ErrorKind::RateLimited => "wait, or raise the rate limit of the account",
        ErrorKind::Overloaded => "try again later, or set LLMOS_MODEL to another model",
        ErrorKind::UnknownModel => "set LLMOS_MODEL to a model of this provider",
        ErrorKind::TooLong | ErrorKind::Invalid => {
            "check LLMOS_MODEL, and that LLMOS_MODEL_WIRE is the protocol of the server"
        }
        ErrorKind::Timeout => "check that the server responds; a model that is loading needs time",
        ErrorKind::Upstream | ErrorKind::Interrupted => {
            "try again; if it fails again, check that the address is that of a model server"
        }
    };
    Diagnosis { cause, remedy }
}

fn key_remedy(provider: &str) -> &'static str {
    match provider {
        "anthropic" => "set ANTHROPIC_API_KEY or ANTHROPIC_AUTH_TOKEN to a valid key",
        "openai" => "set OPENAI_API_KEY to a valid key",
        "openrouter" => "set OPENROUTER_API_KEY to a valid key",
        "gateway" => "set AI_GATEWAY_API_KEY to a valid key",
        _ => "set LLMOS_MODEL_API_KEY to the key of the server",
    }
}

fn address_remedy(provider: &str) -> &'static str {
    match provider {
        "anthropic" => "check the network of this machine, and ANTHROPIC_BASE_URL if it is set",
        "openai" => "check the network of this machine, and OPENAI_BASE_URL if it is set",
        "custom" => "start the server, or correct LLMOS_MODEL_BASE_URL",
        "local" => "start the local model with `make model`",
        _ => "check the network of this machine",
    }
}
