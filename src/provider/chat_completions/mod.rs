//! The wire of OpenAI's Chat Completions, which most other providers and servers speak as well.

mod body;
mod calls;
mod json;
mod reader;
mod usage;

pub(super) use self::body::body;
pub(super) use self::reader::Reader;

/// The services that differ from the common wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Service {
    /// `api.openai.com`.
    OpenAi,
    /// `openrouter.ai`.
    OpenRouter,
    /// All others.
    Common,
}

impl Service {
    /// Returns the service at a base URL.
    pub(super) fn at(base_url: &str) -> Self {
        let url = reqwest::Url::parse(base_url).ok();
        match url.as_ref().and_then(reqwest::Url::host_str) {
            Some("api.openai.com") => Self::OpenAi,
            Some("openrouter.ai") => Self::OpenRouter,
            _ => Self::Common,
        }
    }
}
