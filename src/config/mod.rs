//! The environment, read once: what is configured, and what each variable means.

mod access;
mod blob;
mod local;
mod variable;

use self::variable::{one_of, variable};
use crate::blob::BlobConfig;
use crate::util::secret::Secret;

pub use self::access::AccessConfig;
pub use self::local::LocalConfig;
pub use self::variable::{DotenvError, load_dotenv};

/// A variable whose value is none that it can have.
#[derive(Debug, thiserror::Error)]
#[error("{variable} must be {expected}")]
pub struct ConfigError {
    variable: &'static str,
    expected: &'static str,
}

impl ConfigError {
    /// Returns the name of the variable.
    pub fn variable(&self) -> &'static str {
        self.variable
    }
}

/// Whether reads answer samples while what they read is down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StorageFallback {
    /// They answer samples, marked as such.
    Samples,
    /// They answer 503.
    Off,
}

/// What a function needs to know. `.env.example` lists the same variables in the same order.
///
/// The default is for tests: nothing set, and no log.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// `REDIS_URL`: `redis://`, `rediss://` or `redis+unix://`, of a cluster with several hosts. Unset: nothing is stored.
    pub redis_url: Option<Secret>,
    /// `REDIS_CA_CERT`: PEM text of the authority behind the server's certificate, if it is not a public one;
    /// then only it is trusted.
    pub redis_ca_cert: Option<String>,
    /// `STORAGE_FALLBACK`: `samples` or `off`. Unset: samples everywhere but in production.
    pub storage_fallback: Option<StorageFallback>,
    /// `REQUEST_LOG`: `on` or `off`. Unset: on, a line of JSON for each request.
    pub request_log: bool,
    /// `ANTHROPIC_API_KEY`: for chat.
    pub anthropic_api_key: Option<Secret>,
    /// Vercel Blob, where skills and files are kept.
    pub blob: BlobConfig,
    /// Who may call, from where, and how often.
    pub access: AccessConfig,
    /// `VERCEL`: whether this is a deployment; set by Vercel.
    pub is_on_vercel: bool,
    /// `VERCEL_ENV`: `production`, `preview` or `development`; set by Vercel.
    pub vercel_env: Option<String>,
    /// `VERCEL_REGION`: where the function runs; set by Vercel.
    pub vercel_region: Option<String>,
    /// `VERCEL_GIT_COMMIT_SHA`: what is deployed; set by Vercel.
    pub commit: Option<String>,
    /// `VERCEL_IPC_PATH`: whether Vercel takes log lines one by one; set by Vercel.
    pub has_log_channel: bool,
}

impl Config {
    /// Reads the environment.
    ///
    /// # Errors
    /// Names the variable whose value is none it can have.
    pub fn from_env() -> Result<Self, ConfigError> {
        let is_on_vercel = is_on_vercel();
        Ok(Self {
            redis_url: variable("REDIS_URL").map(Secret::new),
            // Dashboards and .env files often hold a PEM text on one line.
            redis_ca_cert: variable("REDIS_CA_CERT").map(|pem| pem.replace("\\n", "\n")),
            storage_fallback: one_of(
                "STORAGE_FALLBACK",
                [
                    ("samples", StorageFallback::Samples),
                    ("off", StorageFallback::Off),
                ],
                "samples or off",
            )?,
            request_log: one_of("REQUEST_LOG", [("on", true), ("off", false)], "on or off")?
                .unwrap_or(true),
            anthropic_api_key: variable("ANTHROPIC_API_KEY").map(Secret::new),
            blob: blob::from_env()?,
            access: AccessConfig::from_env(is_on_vercel)?,
            is_on_vercel,
            vercel_env: variable("VERCEL_ENV"),
            vercel_region: variable("VERCEL_REGION"),
            commit: variable("VERCEL_GIT_COMMIT_SHA"),
            has_log_channel: has_log_channel(),
        })
    }

    /// Whether reads answer samples where storage is set up but does not work: not in production, where
    /// invented data would mislead.
    pub fn samples_while_storage_is_down(&self) -> bool {
        match self.storage_fallback {
            Some(choice) => choice == StorageFallback::Samples,
            None => self.vercel_env.as_deref() != Some("production"),
        }
    }

    /// Whether reads answer samples where the variable that leads to the storage is not set.
    pub fn samples_without_storage(&self) -> bool {
        self.storage_fallback != Some(StorageFallback::Off)
    }
}

/// Returns whether Vercel takes log lines through a channel of its own. Needs no valid configuration.
pub fn has_log_channel() -> bool {
    variable("VERCEL_IPC_PATH").is_some()
}

/// `VERCEL` is only there where a project shows its system variables to its functions; the runtime's own
/// channel is there in every deployment, and would be open if it were not taken for one. On one's own machine
/// there may be a copy of a project's variables, for development.
fn is_on_vercel() -> bool {
    if variable("VERCEL_DEV").is_some() {
        return false;
    }
    let is_copy = variable("VERCEL_ENV").is_some_and(|it| it == "development");
    let is_marked = variable("VERCEL").is_some() && !is_copy;
    is_marked || has_log_channel()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_do_not_print() {
        let config = Config {
            redis_url: Some(Secret::new("redis://:hidden@host".to_owned())),
            ..Config::default()
        };
        assert!(!format!("{config:?}").contains("hidden"));
    }

    #[test]
    fn env_example_lists_the_variables_in_the_order_they_are_read() {
        let example = include_str!("../../.env.example");
        let listed: Vec<&str> = example
            .lines()
            .filter_map(|line| line.trim_start_matches("# ").split_once('='))
            .map(|(name, _)| name)
            .filter(|name| name.chars().all(|c| c.is_ascii_uppercase() || c == '_'))
            .collect();
        let (source, _) = include_str!("mod.rs").split_once("mod tests").unwrap();
        let sources = [
            source,
            include_str!("blob.rs"),
            include_str!("access.rs"),
            include_str!("local.rs"),
        ];
        let literals = sources.map(|source| source.split('"').skip(1).step_by(2));
        let is_name = |text: &&str| {
            text.len() > 2 && text.chars().all(|c| c.is_ascii_uppercase() || c == '_')
        };
        // Those of Vercel are not for people to set, but for the one that its own client knows, too.
        let mut read: Vec<&str> = literals
            .into_iter()
            .flatten()
            .filter(is_name)
            .filter(|name| !name.starts_with("VERCEL") || *name == "VERCEL_BLOB_API_URL")
            .collect();
        // An error names a variable again.
        let mut seen = std::collections::HashSet::new();
        read.retain(|name| seen.insert(*name));
        assert_eq!(listed, read);
    }
}
