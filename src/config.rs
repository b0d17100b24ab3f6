//! The environment, read once: what is configured, and what each variable means.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::str::FromStr;

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

/// Whether reads answer sample sessions while Redis is down.
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
    /// `BLOB_READ_WRITE_TOKEN`: for skills and files in Vercel Blob.
    pub blob_read_write_token: Option<Secret>,
    /// `ANTHROPIC_API_KEY`: for chat.
    pub anthropic_api_key: Option<Secret>,
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
            blob_read_write_token: variable("BLOB_READ_WRITE_TOKEN").map(Secret::new),
            anthropic_api_key: variable("ANTHROPIC_API_KEY").map(Secret::new),
            vercel_env: variable("VERCEL_ENV"),
            vercel_region: variable("VERCEL_REGION"),
            commit: variable("VERCEL_GIT_COMMIT_SHA"),
            has_log_channel: variable("VERCEL_IPC_PATH").is_some(),
        })
    }

    /// Whether reads answer samples where Redis is set up but does not work: not in production, where
    /// invented sessions would mislead.
    pub fn samples_while_redis_is_down(&self) -> bool {
        match self.storage_fallback {
            Some(choice) => choice == StorageFallback::Samples,
            None => self.vercel_env.as_deref() != Some("production"),
        }
    }

    /// Whether reads answer samples where `REDIS_URL` is not set.
    pub fn samples_without_redis(&self) -> bool {
        self.storage_fallback != Some(StorageFallback::Off)
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
        // Those of Vercel are not for people to set.
        let read: Vec<&str> = literals
            .filter(is_name)
            .filter(|name| !name.starts_with("VERCEL_"))
            .collect();
        assert_eq!(listed, read);
    }
}
