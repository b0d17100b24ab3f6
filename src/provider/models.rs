//! The models that requests may choose.

use std::str::FromStr;

use super::client::Provider;
use super::output::MAX_NAME_BYTES;
use super::settings::Settings;

/// The highest number of output tokens that can be configured.
const MAX_OUTPUT_TOKENS: u32 = 1_000_000;

/// An entry of `LLMOS_MODELS`: `model` or `model=tokens`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AllowedModel {
    /// The name, as the provider names the model.
    pub name: String,
    /// The maximum number of output tokens. Default: that of the provider.
    pub max_output_tokens: Option<u32>,
}

/// An entry of `LLMOS_MODELS` is invalid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidModel;

impl FromStr for AllowedModel {
    type Err = InvalidModel;

    fn from_str(text: &str) -> Result<Self, InvalidModel> {
        let (name, tokens) = match text.split_once('=') {
            Some((name, tokens)) => (name.trim(), Some(tokens.trim())),
            None => (text, None),
        };
        let tokens = match tokens.map(str::parse) {
            None => None,
            Some(Ok(tokens)) if (1..=MAX_OUTPUT_TOKENS).contains(&tokens) => Some(tokens),
            Some(_) => return Err(InvalidModel),
        };
        if !is_model_name(name) {
            return Err(InvalidModel);
        }
        Ok(Self {
            name: name.to_owned(),
            max_output_tokens: tokens,
        })
    }
}

/// Returns whether a text can be the name of a model: visible ASCII of at most [`MAX_NAME_BYTES`].
pub(crate) fn is_model_name(name: &str) -> bool {
    (1..=MAX_NAME_BYTES).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_graphic())
}

/// The model of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelChoice {
    /// The name, as the provider names the model.
    pub name: String,
    /// The maximum number of output tokens. `None`: that of the provider.
    pub max_output_tokens: Option<u32>,
}

/// The requested model is not in `LLMOS_MODELS`, or its name is not the name of a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the model is not allowed")]
pub struct NotAllowed;

impl Settings {
    /// Returns the model of a request. Without a requested one it is the default: `LLMOS_MODEL`, else the first one of
    /// `LLMOS_MODELS`, else that of the provider.
    ///
    /// # Errors
    /// If the requested model is not allowed.
    pub fn model(
        &self,
        requested: Option<&str>,
        provider: &Provider,
    ) -> Result<ModelChoice, NotAllowed> {
        let name = requested.unwrap_or(&provider.default_model);
        let allowed = self.models.iter().find(|model| model.name == name);
        let is_default = name == provider.default_model;
        let is_free = self.models.is_empty() && is_model_name(name);
        if allowed.is_none() && !is_default && !is_free {
            return Err(NotAllowed);
        }
        Ok(ModelChoice {
            name: name.to_owned(),
            max_output_tokens: allowed.and_then(|model| model.max_output_tokens),
        })
    }
}
