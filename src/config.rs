//! The environment, read once: what is configured, and what each variable means.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A value that is never printed.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// Wraps a value.
    pub fn new(value: String) -> Self {
        Self(value)
    }

    /// The value itself, for the one place that needs it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("[redacted]")
    }
}

/// A variable whose value is none that it can have.
#[derive(Debug, thiserror::Error)]
#[error("{variable} must be {expected}")]
pub struct ConfigError {
    variable: &'static str,
    expected: &'static str,
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
    /// `REDIS_URL`: `redis://`, `rediss://` or `redis+unix://`. Unset: nothing is stored.
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
            blob: BlobConfig::from_env()?,
            vercel_env: variable("VERCEL_ENV"),
            vercel_region: variable("VERCEL_REGION"),
            commit: variable("VERCEL_GIT_COMMIT_SHA"),
            has_log_channel: variable("VERCEL_IPC_PATH").is_some(),
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

/// Who may read a blob by its URL. A store of Vercel Blob is of one kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BlobAccess {
    /// Whoever has the token.
    #[default]
    Private,
    /// Whoever knows the URL.
    Public,
}

impl BlobAccess {
    /// The access as the protocol and `BLOB_ACCESS` write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Private => "private",
            Self::Public => "public",
        }
    }
}

/// What is needed to speak to Vercel Blob. The default has no credentials: nothing can be stored.
#[derive(Clone, Debug, Default)]
pub struct BlobConfig {
    /// `BLOB_READ_WRITE_TOKEN`: `vercel_blob_rw_{store id}_{secret}`.
    pub read_write_token: Option<Secret>,
    /// `BLOB_STORE_ID`: the store, where Vercel's OIDC token takes the place of the read-write token.
    pub store_id: Option<String>,
    /// `BLOB_ACCESS`: `private` or `public`, whichever the store is. Unset: private.
    pub access: BlobAccess,
    /// `VERCEL_BLOB_API_URL`: the API's base address, in place of Vercel's.
    pub api_url: Option<String>,
    /// `BLOB_CONTENT_URL`: the base address of contents, in place of the store's own host. Unset:
    /// `/content` below `VERCEL_BLOB_API_URL`, if that is set.
    pub content_url: Option<String>,
    /// `VERCEL_OIDC_TOKEN`: names the deployment to the store; set by Vercel.
    pub oidc_token: Option<Secret>,
}

impl BlobConfig {
    fn from_env() -> Result<Self, ConfigError> {
        Ok(Self {
            read_write_token: variable("BLOB_READ_WRITE_TOKEN").map(Secret::new),
            store_id: variable("BLOB_STORE_ID"),
            access: one_of(
                "BLOB_ACCESS",
                [
                    ("private", BlobAccess::Private),
                    ("public", BlobAccess::Public),
                ],
                "private or public",
            )?
            .unwrap_or_default(),
            api_url: variable("VERCEL_BLOB_API_URL"),
            content_url: variable("BLOB_CONTENT_URL"),
            oidc_token: variable("VERCEL_OIDC_TOKEN").map(Secret::new),
        })
    }
}

/// What only the local server (`cargo run`) needs to know.
#[derive(Clone, Debug)]
pub struct LocalConfig {
    /// `PORT`: where to listen; 3000 if unset, 0 for any free port.
    pub port: u16,
    /// `HOST`: the address to listen on; 127.0.0.1 if unset.
    pub host: IpAddr,
    /// `LLMOS_DIR`: the folder for local data; `.llmos` if unset.
    pub directory: PathBuf,
}

impl LocalConfig {
    /// Reads the environment.
    ///
    /// # Errors
    /// Names the variable whose value is none it can have.
    pub fn from_env() -> Result<Self, ConfigError> {
        Ok(Self {
            port: parsed("PORT", "a number from 0 to 65535")?.unwrap_or(3000),
            host: parsed("HOST", "an IP address")?.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST)),
            directory: variable("LLMOS_DIR")
                .unwrap_or_else(|| ".llmos".to_owned())
                .into(),
        })
    }
}

/// A `.env` that cannot be read. The text repeats no value: it may be a secret.
#[derive(Debug, thiserror::Error)]
pub enum DotenvError {
    /// A line is not `NAME=value`.
    #[error("a line is not NAME=value: put a value that contains blanks between single quotes")]
    Line,
    /// The file is there and cannot be read.
    #[error(transparent)]
    File(dotenvy::Error),
}

/// Loads `.env` from the working directory, if there is one; what is set already stays.
///
/// # Errors
/// If the file is there and cannot be read as one.
pub fn load_dotenv() -> Result<(), DotenvError> {
    match dotenvy::from_filename(".env") {
        Err(error) if error.not_found() => Ok(()),
        Err(dotenvy::Error::LineParse(..)) => Err(DotenvError::Line),
        result => result.map(drop).map_err(DotenvError::File),
    }
}

/// A variable; one that is set to nothing counts as unset, as `KEY=` in a file means it.
fn variable(name: &str) -> Option<String> {
    std::env::var(name)
        .ok()
        .map(|value| value.trim().to_owned())
        .filter(|value| !value.is_empty())
}

fn one_of<T>(
    variable_name: &'static str,
    values: [(&str, T); 2],
    expected: &'static str,
) -> Result<Option<T>, ConfigError> {
    let Some(text) = variable(variable_name) else {
        return Ok(None);
    };
    let value = values
        .into_iter()
        .find_map(|(name, value)| (name == text).then_some(value));
    value.map(Some).ok_or(ConfigError {
        variable: variable_name,
        expected,
    })
}

fn parsed<T: FromStr>(
    variable_name: &'static str,
    expected: &'static str,
) -> Result<Option<T>, ConfigError> {
    variable(variable_name)
        .map(|text| {
            text.parse().map_err(|_| ConfigError {
                variable: variable_name,
                expected,
            })
        })
        .transpose()
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
        let example = include_str!("../.env.example");
        let listed: Vec<&str> = example
            .lines()
            .filter_map(|line| line.trim_start_matches("# ").split_once('='))
            .map(|(name, _)| name)
            .filter(|name| name.chars().all(|c| c.is_ascii_uppercase() || c == '_'))
            .collect();
        let (source, _) = include_str!("config.rs").split_once("mod tests").unwrap();
        let literals = source.split('"').skip(1).step_by(2);
        let is_name = |text: &&str| {
            text.len() > 2 && text.chars().all(|c| c.is_ascii_uppercase() || c == '_')
        };
        // Those of Vercel are not for people to set, but for the one that its own client knows, too.
        let read: Vec<&str> = literals
            .filter(is_name)
            .filter(|name| !name.starts_with("VERCEL_") || *name == "VERCEL_BLOB_API_URL")
            .collect();
        assert_eq!(listed, read);
    }
}
