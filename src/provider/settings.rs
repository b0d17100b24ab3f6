//! The choice of the provider.

use std::sync::Arc;

use super::anthropic;
use super::client::{Provider, Timeouts};
use super::http::{Credentials, Http};
use super::local::LocalModel;
use super::models::{AllowedModel, ModelChoice, NotAllowed};
use super::name::is_model_name;
use super::prices::Prices;
use super::wire::Wire;
use crate::util::secret::Secret;

/// The address of OpenRouter. Keys of callers are sent only to it.
const OPENROUTER_URL: &str = "https://openrouter.ai/api/v1";
/// The address of the Vercel AI Gateway.
const GATEWAY_URL: &str = "https://ai-gateway.vercel.sh/v1";
/// The address of OpenAI.
const OPENAI_URL: &str = "https://api.openai.com/v1";

/// The default model of OpenRouter and of the Vercel AI Gateway: that of the Python version.
const ROUTED_MODEL: &str = "anthropic/claude-opus-4.5";
/// The default model of Anthropic: the same model under its own name.
const ANTHROPIC_MODEL: &str = "claude-opus-4-5";
/// The default model of OpenAI.
const OPENAI_MODEL: &str = "gpt-5";
/// The default model of a configured address. Servers with one model ignore the name.
const CUSTOM_MODEL: &str = "default";

/// Settings of language models. The default is that no provider is configured.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// `LLMOS_MODEL_BASE_URL`: the address of a server. It is chosen before all other providers.
    pub base_url: Option<Secret>,
    /// `LLMOS_MODEL_WIRE`: the protocol of this server. Default: Chat Completions.
    pub wire: Option<Wire>,
    /// `LLMOS_MODEL_API_KEY`: the key for this server.
    pub api_key: Option<Secret>,
    /// `AI_GATEWAY_API_KEY`: the key for the Vercel AI Gateway.
    pub gateway_api_key: Option<Secret>,
    /// Anthropic.
    pub anthropic: AnthropicSettings,
    /// `OPENAI_API_KEY`: the key for OpenAI.
    pub openai_api_key: Option<Secret>,
    /// `OPENAI_BASE_URL`: another address than OpenAI's.
    pub openai_base_url: Option<Secret>,
    /// `OPENROUTER_API_KEY`: the key for OpenRouter.
    pub openrouter_api_key: Option<Secret>,
    /// The model server of `make model`, which only the local server looks for. It is chosen after all other providers.
    pub local: Option<Arc<LocalModel>>,
    /// `LLMOS_MODEL`: the model of requests that name none. Default: depends on the provider.
    pub model: Option<String>,
    /// `LLMOS_MODELS`: the models that requests may name. Empty: all.
    pub models: Vec<AllowedModel>,
    /// `LLMOS_PRICES`: the prices of models.
    pub prices: Prices,
    /// `LLMOS_SYSTEM_PROMPT`: the first instructions of every conversation.
    pub system_prompt: Option<String>,
    /// Whether this is a deployment on Vercel, whose OIDC token is a key for the Vercel AI Gateway.
    pub is_on_vercel: bool,
    /// The URL of the deployment.
    pub deployment_url: Option<String>,
    /// Time limits.
    pub timeouts: Timeouts,
    /// The HTTP client that all providers share.
    pub(super) http: Http,
}

/// Settings of Anthropic.
#[derive(Clone, Debug, Default)]
pub struct AnthropicSettings {
    /// `ANTHROPIC_API_KEY`: the key.
    pub api_key: Option<Secret>,
    /// `ANTHROPIC_AUTH_TOKEN`: a token instead of the key.
    pub auth_token: Option<Secret>,
    /// `ANTHROPIC_BASE_URL`: another address than Anthropic's.
    pub base_url: Option<Secret>,
    /// `ANTHROPIC_VERSION`: the version of the API.
    pub version: Option<String>,
}

impl Settings {
    /// Chooses the provider of a request, without asking it: OpenRouter with the key of the request; else the first one
    /// that is configured. `oidc` is the token that Vercel adds to requests.
    pub fn select(&self, request_key: Option<&Secret>, oidc: Option<&Secret>) -> Option<Provider> {
        if let Some(key) = request_key {
            return Some(self.openrouter(key, true));
        }
        if let Some(base_url) = &self.base_url {
            return Some(self.custom(base_url));
        }
        let oidc = oidc.filter(|_| self.is_on_vercel);
        if let Some(key) = self.gateway_api_key.as_ref().or(oidc) {
            let key = Credentials::Bearer(key.clone());
            return Some(self.provider("gateway", GATEWAY_URL, key, ROUTED_MODEL));
        }
        let from_anthropic = self.anthropic.credentials();
        if let Some(credentials) = from_anthropic {
            return Some(self.anthropic(credentials));
        }
        if let Some(key) = &self.openai_api_key {
            let base_url = self.openai_base_url.as_ref().map(Secret::reveal);
            let key = Credentials::Bearer(key.clone());
            let base_url = base_url.unwrap_or(OPENAI_URL);
            return Some(self.provider("openai", base_url, key, OPENAI_MODEL));
        }
        if let Some(key) = &self.openrouter_api_key {
            return Some(self.openrouter(key, false));
        }
        let local = self.local.as_ref()?;
        let base_url = format!("{}/v1", local.url());
        let model = local.model()?;
        let mut provider = self.provider("local", &base_url, Credentials::None, model);
        // LLMOS_MODEL may name a model of another provider. This server has one model.
        model.clone_into(&mut provider.default_model);
        Some(provider)
    }

    /// Chooses the provider as [`Self::select`] does. Without one, looks for the model server of `make model`, if this is
    /// the local server.
    pub async fn find(
        &self,
        request_key: Option<&Secret>,
        oidc: Option<&Secret>,
    ) -> Option<Provider> {
        let selected = self.select(request_key, oidc);
        if selected.is_some() {
            return selected;
        }
        self.local.as_ref()?.find(&self.http).await;
        self.select(request_key, oidc)
    }

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

    fn openrouter(&self, key: &Secret, is_of_request: bool) -> Provider {
        let key = Credentials::Bearer(key.clone());
        let mut provider = self.provider("openrouter", OPENROUTER_URL, key, ROUTED_MODEL);
        // LLMOS_MODEL may name a model of the configured provider. OpenRouter's names have a slash.
        if is_of_request && !provider.default_model.contains('/') {
            ROUTED_MODEL.clone_into(&mut provider.default_model);
        }
        provider
    }

    fn custom(&self, base_url: &Secret) -> Provider {
        let base_url = base_url.reveal();
        let key = self.api_key.clone();
        match self.wire {
            Some(Wire::Anthropic) => {
                let key = key.map_or(Credentials::None, Credentials::XApiKey);
                let base_url = anthropic::versioned(base_url);
                let mut provider = self.provider("custom", &base_url, key, CUSTOM_MODEL);
                provider.wire = Wire::Anthropic;
                provider.version.clone_from(&self.anthropic.version);
                provider
            }
            _ => {
                let key = key.map_or(Credentials::None, Credentials::Bearer);
                self.provider("custom", base_url, key, CUSTOM_MODEL)
            }
        }
    }

    fn anthropic(&self, credentials: Credentials) -> Provider {
        let base_url = self.anthropic.base_url.as_ref().map(Secret::reveal);
        let base_url = anthropic::versioned(base_url.unwrap_or(anthropic::BASE_URL));
        let mut provider = self.provider("anthropic", &base_url, credentials, ANTHROPIC_MODEL);
        provider.wire = Wire::Anthropic;
        provider.version.clone_from(&self.anthropic.version);
        provider
    }

    /// Returns a provider with the Chat Completions wire.
    fn provider(
        &self,
        name: &'static str,
        base_url: &str,
        credentials: Credentials,
        default_model: &str,
    ) -> Provider {
        let first_allowed = self.models.first().map(|model| &model.name);
        let model = self.model.as_ref().or(first_allowed);
        Provider {
            name,
            wire: Wire::ChatCompletions,
            base_url: Secret::new(base_url.trim_end_matches('/').to_owned()),
            credentials,
            version: None,
            deployment_url: self.deployment_url.clone(),
            default_model: model.map_or(default_model, String::as_str).to_owned(),
            timeouts: self.timeouts,
            http: self.http.clone(),
        }
    }
}

impl AnthropicSettings {
    /// Returns the key, or else the token.
    fn credentials(&self) -> Option<Credentials> {
        let key = self.api_key.clone().map(Credentials::XApiKey);
        key.or_else(|| self.auth_token.clone().map(Credentials::Bearer))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::models::{ModelChoice, NotAllowed};

    fn secret(text: &str) -> Option<Secret> {
        Some(Secret::new(text.to_owned()))
    }

    /// The name, address and key of a provider.
    fn shown(provider: Option<Provider>) -> Option<(&'static str, String, String)> {
        let provider = provider?;
        let key = provider.credentials.key().unwrap_or("none").to_owned();
        Some((provider.name(), provider.base_url.reveal().to_owned(), key))
    }

    #[test]
    fn first_configured_provider_is_chosen() {
        let mut settings = Settings {
            base_url: secret("http://h/v1/"),
            gateway_api_key: secret("gateway"),
            anthropic: AnthropicSettings {
                api_key: secret("anthropic"),
                auth_token: secret("token"),
                ..AnthropicSettings::default()
            },
            openai_api_key: secret("openai"),
            openrouter_api_key: secret("openrouter"),
            ..Settings::default()
        };
        let (own, oidc) = (secret("own"), secret("oidc"));
        let select = |settings: &Settings, key: Option<&Secret>| {
            let (name, base_url, key) = shown(settings.select(key, oidc.as_ref()))?;
            Some(format!("{name} {base_url} {key}"))
        };
        // A key of a request goes to no configured address.
        let found = select(&settings, own.as_ref()).unwrap();
        assert_eq!(found, format!("openrouter {OPENROUTER_URL} own"));
        let mut found = Vec::new();
        for clear in [
            |_: &mut Settings| {},
            |it: &mut Settings| it.base_url = None,
            |it: &mut Settings| it.gateway_api_key = None,
            |it: &mut Settings| it.anthropic.api_key = None,
            |it: &mut Settings| it.anthropic.auth_token = None,
            |it: &mut Settings| it.openai_api_key = None,
            |it: &mut Settings| it.openrouter_api_key = None,
            |it: &mut Settings| it.is_on_vercel = true,
        ] {
            clear(&mut settings);
            found.push(select(&settings, None).unwrap_or_default());
        }
        assert_eq!(
            found,
            [
                "custom http://h/v1 none",
                "gateway https://ai-gateway.vercel.sh/v1 gateway",
                "anthropic https://api.anthropic.com/v1 anthropic",
                "anthropic https://api.anthropic.com/v1 token",
                "openai https://api.openai.com/v1 openai",
                "openrouter https://openrouter.ai/api/v1 openrouter",
                "",
                "gateway https://ai-gateway.vercel.sh/v1 oidc",
            ]
        );
        assert!(settings.select(None, None).is_none());
        // A configured key is chosen before the token.
        settings.gateway_api_key = secret("gateway");
        assert!(select(&settings, None).unwrap().ends_with(" gateway"));
    }

    #[test]
    fn models_are_the_default_and_the_allowed_ones() {
        let mut settings = Settings {
            anthropic: AnthropicSettings {
                api_key: secret("key"),
                ..AnthropicSettings::default()
            },
            ..Settings::default()
        };
        let own = secret("own");
        let model = |settings: &Settings, key: Option<&Secret>, name: Option<&str>| {
            let provider = settings.select(key, None).unwrap();
            let choice = settings.model(name, &provider);
            choice.map(
                |ModelChoice {
                     name,
                     max_output_tokens,
                 }| (name, max_output_tokens),
            )
        };
        let named = |name: &str, tokens| Ok((name.to_owned(), tokens));
        assert_eq!(model(&settings, None, None), named(ANTHROPIC_MODEL, None));
        assert_eq!(model(&settings, None, Some("any")), named("any", None));
        for invalid in ["", "a b", "é", &"x".repeat(300)] {
            assert_eq!(model(&settings, None, Some(invalid)), Err(NotAllowed));
        }

        settings.model = Some("claude-x".to_owned());
        assert_eq!(model(&settings, None, None), named("claude-x", None));
        assert_eq!(
            model(&settings, own.as_ref(), None),
            named(ROUTED_MODEL, None)
        );

        settings.models = ["a=100", "b"].map(|it| it.parse().unwrap()).to_vec();
        assert_eq!(model(&settings, None, None), named("claude-x", None));
        assert_eq!(model(&settings, None, Some("a")), named("a", Some(100)));
        assert_eq!(model(&settings, None, Some("b")), named("b", None));
        assert_eq!(model(&settings, None, Some("c")), Err(NotAllowed));
        settings.model = None;
        assert_eq!(model(&settings, None, None), named("a", Some(100)));
    }
}
