//! Configuration from the environment. No other module reads the environment.

mod access;
mod blob;
mod chat;
mod dotenv;
mod local;
mod model;
mod variable;

use std::time::Duration;

use self::variable::Environment;
use crate::blob::BlobConfig;
use crate::provider;
use crate::store::validate_url;
use crate::util::secret::Secret;

pub use self::access::AccessConfig;
pub use self::chat::ChatConfig;
pub use self::dotenv::{DotenvError, Sources, load_dotenv};
pub use self::local::{Host, LocalConfig};
pub use self::variable::ConfigError;

/// The variables by which a deployment is detected.
const DEPLOYMENT_VARIABLES: [&str; 2] = ["VERCEL", "VERCEL_IPC_PATH"];

/// The default of `LLMOS_MAX_DURATION_S`: that of Vercel's functions.
const DEFAULT_MAX_DURATION_S: u16 = 300;

/// The responses of reads while storage is down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StorageFallback {
    /// Reads return samples, marked as such.
    Samples,
    /// Reads fail with 503.
    Off,
}

/// Configuration of a function. `.env.example` lists the same variables in the same order.
///
/// The default is for tests: no variables, and no request log.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// `REDIS_URL`: `redis://`, `rediss://` or `redis+unix://`; several hosts for a cluster. Default: no storage.
    pub redis_url: Option<Secret>,
    /// `REDIS_CA_CERT`: PEM certificate of a private certificate authority. If set, only this authority is trusted.
    pub redis_ca_cert: Option<String>,
    /// `STORAGE_FALLBACK`: `samples` or `off`. Default: samples, but off in production.
    pub storage_fallback: Option<StorageFallback>,
    /// `REQUEST_LOG`: `on` or `off`. Default: on, a line of JSON for each request.
    pub request_log: bool,
    /// Language models: providers, models, prices.
    pub model: provider::Settings,
    /// Chat: limits, titles, tools of the server.
    pub chat: ChatConfig,
    /// `LLMOS_MAX_DURATION_S`: the time limit of a chat function, in seconds. Default: 300.
    pub max_duration_s: Option<u16>,
    /// Vercel Blob, the storage of skills and files.
    pub blob: BlobConfig,
    /// Credentials, origins and the rate limit.
    pub access: AccessConfig,
    /// `VERCEL`: whether this is a deployment; set by Vercel.
    pub is_on_vercel: bool,
    /// `VERCEL_ENV`: `production`, `preview` or `development`; set by Vercel.
    pub vercel_env: Option<String>,
    /// `VERCEL_REGION`: the region of the function; set by Vercel.
    pub vercel_region: Option<String>,
    /// `VERCEL_GIT_COMMIT_SHA`: the deployed commit; set by Vercel.
    pub commit: Option<String>,
    /// `VERCEL_IPC_PATH`: whether Vercel's runtime accepts log lines over its own channel; set by Vercel.
    pub has_log_channel: bool,
}

impl Config {
    /// Reads the environment of the process.
    ///
    /// # Errors
    /// The first variable with an invalid value.
    pub fn from_env() -> Result<Self, ConfigError> {
        Self::read(&Environment(&std::env::var_os))
    }

    /// Reads the environment of a process on a development machine. The variables by which a deployment is detected
    /// must not come from a file: `vercel env pull` copies them from the project.
    ///
    /// # Errors
    /// The first variable with an invalid value.
    pub fn from_local_env(sources: &Sources) -> Result<Self, ConfigError> {
        let lookup = |name: &str| {
            let is_hidden = DEPLOYMENT_VARIABLES.contains(&name) && sources.is_from_file(name);
            std::env::var_os(name).filter(|_| !is_hidden)
        };
        let environment = Environment(&lookup);
        let mut config = Self::read(&environment)?;
        config.model.local = model::local(&environment)?;
        Ok(config)
    }

    fn read(environment: &Environment<'_>) -> Result<Self, ConfigError> {
        let is_on_vercel = is_on_vercel(environment);
        let fallback = [
            ("samples", StorageFallback::Samples),
            ("off", StorageFallback::Off),
        ];
        let switch = [("on", true), ("off", false)];
        Ok(Self {
            redis_url: redis_url(environment)?,
            // Dashboards and .env files often contain a PEM text on one line.
            redis_ca_cert: environment
                .variable("REDIS_CA_CERT")
                .map(|pem| pem.replace("\\n", "\n")),
            storage_fallback: environment.parse_choice(
                "STORAGE_FALLBACK",
                fallback,
                "samples or off",
            )?,
            request_log: environment
                .parse_choice("REQUEST_LOG", switch, "on or off")?
                .unwrap_or(true),
            model: model::read(environment, is_on_vercel)?,
            chat: ChatConfig::read(environment)?,
            max_duration_s: max_duration_s(environment)?,
            blob: blob::read(environment)?,
            access: AccessConfig::read(environment, is_on_vercel)?,
            is_on_vercel,
            vercel_env: environment.variable("VERCEL_ENV"),
            vercel_region: environment.variable("VERCEL_REGION"),
            commit: environment.variable("VERCEL_GIT_COMMIT_SHA"),
            has_log_channel: has_log_channel_in(environment),
        })
    }

    /// Returns the time limit of a chat function, after which Vercel stops it.
    pub fn max_duration(&self) -> Duration {
        let seconds = self.max_duration_s.unwrap_or(DEFAULT_MAX_DURATION_S);
        Duration::from_secs(seconds.into())
    }

    /// Returns whether reads return samples while configured storage is down. By default they do not in production,
    /// where invented data would mislead.
    pub fn samples_while_storage_is_down(&self) -> bool {
        match self.storage_fallback {
            Some(choice) => choice == StorageFallback::Samples,
            None => self.vercel_env.as_deref() != Some("production"),
        }
    }

    /// Returns whether reads return samples if no storage is configured.
    pub fn samples_without_storage(&self) -> bool {
        self.storage_fallback != Some(StorageFallback::Off)
    }
}

fn max_duration_s(environment: &Environment<'_>) -> Result<Option<u16>, ConfigError> {
    let expected = "10 to 800 seconds";
    environment.parse_with("LLMOS_MAX_DURATION_S", expected, |text| {
        let seconds = text.parse().ok();
        seconds.filter(|seconds| (10..=800).contains(seconds))
    })
}

fn redis_url(environment: &Environment<'_>) -> Result<Option<Secret>, ConfigError> {
    let Some(url) = environment.variable("REDIS_URL") else {
        return Ok(None);
    };
    match validate_url(&url) {
        Ok(()) => Ok(Some(Secret::new(url))),
        Err(problem) => {
            let problem = problem.to_string();
            Err(ConfigError::with_problem("REDIS_URL", Some(&url), problem))
        }
    }
}

/// Returns whether this is a deployment. A project can hide `VERCEL` from its functions, and such a function must not
/// count as a local server, which is open; the runtime's own channel exists in every deployment. Local machines may
/// have a copy of the project's variables for development.
fn is_on_vercel(environment: &Environment<'_>) -> bool {
    if environment.variable("VERCEL_DEV").is_some() {
        return false;
    }
    let is_development = environment
        .variable("VERCEL_ENV")
        .is_some_and(|name| name == "development");
    let is_deployment = environment.variable("VERCEL").is_some() && !is_development;
    is_deployment || has_log_channel_in(environment)
}

/// Returns whether Vercel accepts log lines over its own channel, even if the configuration is invalid.
pub fn has_log_channel() -> bool {
    has_log_channel_in(&Environment(&std::env::var_os))
}

fn has_log_channel_in(environment: &Environment<'_>) -> bool {
    environment.variable("VERCEL_IPC_PATH").is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_output_contains_no_secrets() {
        let config = Config {
            redis_url: Some(Secret::new("redis://:hidden@host".to_owned())),
            ..Config::default()
        };
        assert!(!format!("{config:?}").contains("hidden"));
    }
}
