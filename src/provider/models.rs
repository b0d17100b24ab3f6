//! The models that requests may choose.

use std::str::FromStr;

use super::name::is_model_name;

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
