//! What is configured of access: who may call, from where, and how often.

use reqwest::Url;

use super::ConfigError;
use super::variable::{list, one_of, variable};
use crate::auth::{ApiKey, AuthConfig};
use crate::util::origin::{OriginPattern, is_loopback};
use crate::util::secret::Secret;

/// How many requests a caller may make in a minute unless `RATE_LIMIT` says otherwise.
const DEFAULT_RATE_LIMIT: u32 = 600;
/// The highest `RATE_LIMIT`.
const MAX_RATE_LIMIT: u32 = 1_000_000;
/// The shortest `AUTH_JWT_SECRET`, in bytes: as long as what HS256 makes of it (RFC 7518, section 3.2).
const MIN_SECRET_BYTES: usize = 32;

/// Who may call, from where, and how often. The default is what the person at this machine has: everything.
#[derive(Clone, Debug, Default)]
pub struct AccessConfig {
    /// Which credentials are accepted.
    pub auth: AuthConfig,
    /// `ALLOW_ANONYMOUS`: whether everybody may do everything, where no credentials are configured.
    pub allow_anonymous: bool,
    /// Whether others than the person at this machine can call: on Vercel, and where the local server listens
    /// for other machines.
    pub is_public: bool,
    /// `RATE_LIMIT`: how many requests a caller may make in a minute. Unset: 600 on Vercel, none elsewhere.
    pub rate_limit: Option<u32>,
    /// `CORS_ALLOWED_ORIGINS`: pages of which other origins may call. Unset: none.
    pub cors_allowed_origins: Vec<OriginPattern>,
}

fn auth_from_env() -> Result<AuthConfig, ConfigError> {
    let config = AuthConfig {
        jwks_url: jwks_url("AUTH_JWKS_URL")?,
        jwt_secret: jwt_secret("AUTH_JWT_SECRET")?,
        issuer: variable("AUTH_ISSUER"),
        audiences: list("AUTH_AUDIENCE", "names with commas between them")?,
        teams_claim: variable("AUTH_TEAMS_CLAIM"),
        role_claim: variable("AUTH_ROLE_CLAIM"),
        api_keys: api_keys("API_KEYS")?,
    };
    check_whole(&config)?;
    Ok(config)
}

/// Who says whose tokens are accepted means some to be: a name that is mistyped must not open everything.
fn check_whole(config: &AuthConfig) -> Result<(), ConfigError> {
    let is_half = config.issuer.is_some()
        || !config.audiences.is_empty()
        || config.teams_claim.is_some()
        || config.role_claim.is_some();
    if is_half && !config.accepts_tokens() {
        return Err(ConfigError {
            variable: "AUTH_JWKS_URL",
            expected: "set, or AUTH_JWT_SECRET, where another variable says what tokens have to be",
        });
    }
    Ok(())
}

impl AccessConfig {
    pub(super) fn from_env(is_on_vercel: bool) -> Result<Self, ConfigError> {
        Ok(Self {
            auth: auth_from_env()?,
            allow_anonymous: one_of(
                "ALLOW_ANONYMOUS",
                [("true", true), ("false", false)],
                "true or false",
            )?
            .unwrap_or(false),
            rate_limit: rate_limit("RATE_LIMIT", is_on_vercel)?,
            cors_allowed_origins: list(
                "CORS_ALLOWED_ORIGINS",
                "origins such as https://app.example.com or https://*.example.com, with commas between them",
            )?,
            is_public: is_on_vercel,
        })
    }
}

/// Keys that came over an open line could be anybody's.
fn jwks_url(variable_name: &'static str) -> Result<Option<String>, ConfigError> {
    let Some(text) = variable(variable_name) else {
        return Ok(None);
    };
    let is_safe = Url::parse(&text).is_ok_and(|url| match url.scheme() {
        "https" => true,
        "http" => url.host_str().is_some_and(is_loopback),
        _ => false,
    });
    is_safe.then_some(Some(text)).ok_or(ConfigError {
        variable: variable_name,
        expected: "an https address",
    })
}

fn jwt_secret(variable_name: &'static str) -> Result<Option<Secret>, ConfigError> {
    let secret = variable(variable_name);
    // Bytes that are no text come as replacement characters, which others than the owner would guess.
    let is_unusable =
        |it: &String| it.len() < MIN_SECRET_BYTES || it.contains(char::REPLACEMENT_CHARACTER);
    if secret.as_ref().is_some_and(is_unusable) {
        return Err(ConfigError {
            variable: variable_name,
            expected: "a text of at least 32 bytes",
        });
    }
    Ok(secret.map(Secret::new))
}

fn api_keys(variable_name: &'static str) -> Result<Vec<ApiKey>, ConfigError> {
    let keys: Vec<ApiKey> = list(
        variable_name,
        "entries name:sha256-hex:scope with commas between them, as `cargo run -- keys new` prints them",
    )?;
    // Two keys of one name would be one caller.
    for (index, key) in keys.iter().enumerate() {
        if keys[..index].iter().any(|other| other.name() == key.name()) {
            return Err(ConfigError {
                variable: variable_name,
                expected: "entries of different names",
            });
        }
    }
    Ok(keys)
}

fn rate_limit(variable_name: &'static str, is_on_vercel: bool) -> Result<Option<u32>, ConfigError> {
    match variable(variable_name).as_deref() {
        None => Ok(is_on_vercel.then_some(DEFAULT_RATE_LIMIT)),
        Some("off") => Ok(None),
        Some(text) => {
            let limit = text.parse().ok();
            let limit = limit.filter(|limit| (1..=MAX_RATE_LIMIT).contains(limit));
            limit.map(Some).ok_or(ConfigError {
                variable: variable_name,
                expected: "off, or 1 to 1000000 requests a minute",
            })
        }
    }
}
