//! Configuration of access: credentials, origins, rate limit.

use reqwest::Url;

use super::{ConfigError, Environment};
use crate::auth::{ApiKey, AuthConfig, is_secure_url};
use crate::util::host::HostPattern;
use crate::util::origin::OriginPattern;
use crate::util::secret::Secret;

/// The default of `RATE_LIMIT` on Vercel, in requests per minute.
const DEFAULT_RATE_LIMIT: u32 = 600;
/// The highest `RATE_LIMIT`.
const MAX_RATE_LIMIT: u32 = 1_000_000;
/// The shortest `AUTH_JWT_SECRET`, in bytes: the size of an HS256 hash (RFC 7518, section 3.2).
const MIN_SECRET_BYTES: usize = 32;

/// Configuration of access. The default is that of the local server: open, without a rate limit.
#[derive(Clone, Debug, Default)]
pub struct AccessConfig {
    /// The accepted credentials.
    pub auth: AuthConfig,
    /// `ALLOW_ANONYMOUS`: whether requests without credentials have full access if no credentials are configured.
    pub allow_anonymous: bool,
    /// Whether other machines can reach the service: on Vercel, and if the local server listens on more than a
    /// loopback address.
    pub is_network_reachable: bool,
    /// `RATE_LIMIT`: the number of requests per caller and minute. Default: 600 on Vercel, otherwise no limit.
    pub rate_limit: Option<u32>,
    /// `CORS_ALLOWED_ORIGINS`: the origins that may send cross-origin requests. Default: none.
    pub cors_allowed_origins: Vec<OriginPattern>,
    /// `ALLOWED_HOSTS`: the hosts that requests may name while access control is off, besides local ones. Default: none.
    pub allowed_hosts: Vec<HostPattern>,
}

impl AccessConfig {
    pub(super) fn read(
        environment: &Environment<'_>,
        is_on_vercel: bool,
    ) -> Result<Self, ConfigError> {
        let switch = [("true", true), ("false", false)];
        Ok(Self {
            auth: auth(environment)?,
            allow_anonymous: environment
                .parse_choice("ALLOW_ANONYMOUS", switch, "true or false")?
                .unwrap_or(false),
            rate_limit: rate_limit(environment, is_on_vercel)?,
            cors_allowed_origins: environment.parse_list(
                "CORS_ALLOWED_ORIGINS",
                "comma-separated origins such as https://app.example.com, https://*.example.com or tauri://localhost",
            )?,
            allowed_hosts: environment.parse_list(
                "ALLOWED_HOSTS",
                "comma-separated names such as dev.example.com or *.example.com, without scheme and port",
            )?,
            is_network_reachable: is_on_vercel,
        })
    }
}

fn auth(environment: &Environment<'_>) -> Result<AuthConfig, ConfigError> {
    let config = AuthConfig {
        jwks_url: jwks_url(environment)?,
        jwt_secret: jwt_secret(environment)?,
        issuer: environment.variable("AUTH_ISSUER"),
        audiences: environment.parse_list("AUTH_AUDIENCE", "comma-separated names")?,
        teams_claim: environment.variable("AUTH_TEAMS_CLAIM"),
        role_claim: environment.variable("AUTH_ROLE_CLAIM"),
        api_keys: api_keys(environment)?,
    };
    validate(&config)?;
    Ok(config)
}

/// Rejects settings of tokens without a key for them. Without this check, a typo in the name of `AUTH_JWKS_URL` could
/// turn access control off.
fn validate(config: &AuthConfig) -> Result<(), ConfigError> {
    let has_token_settings = config.issuer.is_some()
        || !config.audiences.is_empty()
        || config.teams_claim.is_some()
        || config.role_claim.is_some();
    if has_token_settings && !config.accepts_tokens() {
        return Err(ConfigError::new(
            "AUTH_JWKS_URL",
            None,
            "set, or AUTH_JWT_SECRET must be set, because another AUTH_ variable is set",
        ));
    }
    Ok(())
}

fn jwks_url(environment: &Environment<'_>) -> Result<Option<String>, ConfigError> {
    environment.parse_with("AUTH_JWKS_URL", "an https URL", |text| {
        let url = Url::parse(text).ok()?;
        is_secure_url(&url).then(|| text.to_owned())
    })
}

fn jwt_secret(environment: &Environment<'_>) -> Result<Option<Secret>, ConfigError> {
    let expected =
        "at least 32 bytes of UTF-8 text, and not a PEM key: a public key is not a secret";
    environment.parse_with("AUTH_JWT_SECRET", expected, |text| {
        // Bytes that are not UTF-8 became replacement characters, which are easy to guess.
        let is_usable =
            text.len() >= MIN_SECRET_BYTES && !text.contains(char::REPLACEMENT_CHARACTER);
        let is_usable = is_usable && !text.contains("-----BEGIN ");
        is_usable.then(|| Secret::new(text.to_owned()))
    })
}

fn api_keys(environment: &Environment<'_>) -> Result<Vec<ApiKey>, ConfigError> {
    let keys: Vec<ApiKey> = environment.parse_list(
        "API_KEYS",
        "comma-separated entries name:sha256-hex:scope, as `cargo run -- keys new` prints them",
    )?;
    // Keys of the same name would be the same caller.
    for (index, key) in keys.iter().enumerate() {
        if keys[..index].iter().any(|other| other.name() == key.name()) {
            let value = environment.variable("API_KEYS");
            let expected = "entries with different names";
            return Err(ConfigError::new("API_KEYS", value.as_deref(), expected));
        }
    }
    Ok(keys)
}

fn rate_limit(
    environment: &Environment<'_>,
    is_on_vercel: bool,
) -> Result<Option<u32>, ConfigError> {
    let expected = "off, or 1 to 1000000 requests per minute";
    let limit = environment.parse_with("RATE_LIMIT", expected, |text| match text {
        "off" => Some(None),
        text => {
            let limit = text.parse().ok();
            limit
                .filter(|limit| (1..=MAX_RATE_LIMIT).contains(limit))
                .map(Some)
        }
    })?;
    Ok(limit.unwrap_or_else(|| is_on_vercel.then_some(DEFAULT_RATE_LIMIT)))
}
