//! Variables of the environment.

use std::ffi::OsString;
use std::str::FromStr;

use reqwest::Url;

/// The variables that people set, in the order of `.env.example`. Values of secret ones are never shown; a URL may
/// contain a password.
pub(super) const VARIABLES: &[(&str, Visibility)] = &[
    ("REDIS_URL", Visibility::Secret),
    ("REDIS_CA_CERT", Visibility::Secret),
    ("STORAGE_FALLBACK", Visibility::Public),
    ("REQUEST_LOG", Visibility::Public),
    ("LLMOS_MODEL_BASE_URL", Visibility::Secret),
    ("LLMOS_MODEL_WIRE", Visibility::Public),
    ("LLMOS_MODEL_API_KEY", Visibility::Secret),
    ("AI_GATEWAY_API_KEY", Visibility::Secret),
    ("ANTHROPIC_API_KEY", Visibility::Secret),
    ("ANTHROPIC_AUTH_TOKEN", Visibility::Secret),
    ("ANTHROPIC_BASE_URL", Visibility::Secret),
    ("ANTHROPIC_VERSION", Visibility::Public),
    ("OPENAI_API_KEY", Visibility::Secret),
    ("OPENAI_BASE_URL", Visibility::Secret),
    ("OPENROUTER_API_KEY", Visibility::Secret),
    ("LLMOS_MODEL", Visibility::Public),
    ("LLMOS_MODELS", Visibility::Public),
    ("LLMOS_PRICES", Visibility::Public),
    ("LLMOS_SYSTEM_PROMPT", Visibility::Secret),
    ("CHAT_LIMITS", Visibility::Public),
    ("ALLOW_ANONYMOUS_CHAT", Visibility::Public),
    ("LLMOS_TITLES", Visibility::Public),
    ("LLMOS_TITLE_MODEL", Visibility::Public),
    ("LLMOS_SERVER_TOOLS", Visibility::Public),
    ("LLMOS_APPROVALS", Visibility::Public),
    ("LLMOS_MAX_DURATION_S", Visibility::Public),
    ("BLOB_READ_WRITE_TOKEN", Visibility::Secret),
    ("BLOB_STORE_ID", Visibility::Public),
    ("BLOB_ACCESS", Visibility::Public),
    ("VERCEL_BLOB_API_URL", Visibility::Secret),
    ("BLOB_CONTENT_URL", Visibility::Secret),
    ("AUTH_JWKS_URL", Visibility::Secret),
    ("AUTH_JWT_SECRET", Visibility::Secret),
    ("AUTH_ISSUER", Visibility::Public),
    ("AUTH_AUDIENCE", Visibility::Public),
    ("AUTH_TEAMS_CLAIM", Visibility::Public),
    ("AUTH_ROLE_CLAIM", Visibility::Public),
    ("API_KEYS", Visibility::Secret),
    ("ALLOW_ANONYMOUS", Visibility::Public),
    ("RATE_LIMIT", Visibility::Public),
    ("CORS_ALLOWED_ORIGINS", Visibility::Public),
    ("ALLOWED_HOSTS", Visibility::Public),
    ("PORT", Visibility::Public),
    ("HOST", Visibility::Public),
    ("LLMOS_DIR", Visibility::Public),
    ("LLMOS_LOCAL_MODEL", Visibility::Secret),
];

/// The longest value that is shown as a whole, in characters. No secret is that short.
const MAX_SHOWN_CHARS: usize = 4;
/// The number of characters that are shown of a longer value.
const SHOWN_PREFIX_CHARS: usize = 2;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Visibility {
    Public,
    Secret,
}

/// A variable with an invalid value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{variable} is {}: {problem}", quoted(.value.as_deref()))]
pub struct ConfigError {
    /// The name of the variable.
    pub variable: &'static str,
    /// The value, masked; `None` if the variable is not set.
    pub value: Option<String>,
    /// The values that the variable can have, or the cause and the remedy.
    pub problem: String,
}

impl ConfigError {
    pub(super) fn new(variable: &'static str, value: Option<&str>, expected: &'static str) -> Self {
        Self::with_problem(variable, value, format!("must be {expected}"))
    }

    pub(super) fn with_problem(
        variable: &'static str,
        value: Option<&str>,
        problem: String,
    ) -> Self {
        Self {
            variable,
            value: value.map(|value| masked(variable, value)),
            problem,
        }
    }
}

fn quoted(value: Option<&str>) -> String {
    value.map_or_else(|| "not set".to_owned(), |value| format!("\"{value}\""))
}

/// Returns the part of a value that an error may show. Long values are cut, because people paste secrets into the wrong
/// variable.
fn masked(variable: &str, value: &str) -> String {
    let is_public = VARIABLES.contains(&(variable, Visibility::Public));
    if is_public && value.chars().count() <= MAX_SHOWN_CHARS {
        return value.to_owned();
    }
    let shown = if is_public { SHOWN_PREFIX_CHARS } else { 0 };
    let prefix: String = value.chars().take(shown).collect();
    format!("{prefix}***")
}

/// Returns a URL to which paths are appended, without the slash at its end, or `None` if the text is not such a URL.
pub(super) fn parse_base_url(text: &str) -> Option<String> {
    let url = Url::parse(text).ok()?;
    let is_base = ["http", "https"].contains(&url.scheme())
        && url.query().is_none()
        && url.fragment().is_none();
    is_base.then(|| text.trim_end_matches('/').to_owned())
}

/// The variables of the process, or of a test.
pub(super) struct Environment<'a>(pub(super) &'a dyn Fn(&'static str) -> Option<OsString>);

impl Environment<'_> {
    /// Returns the value of a variable. An empty value counts as not set, as for `KEY=` in a file.
    pub(super) fn variable(&self, name: &'static str) -> Option<String> {
        // A value that is not UTF-8 must not look like a variable that is not set.
        (self.0)(name)
            .map(|value| value.to_string_lossy().trim().to_owned())
            .filter(|value| !value.is_empty())
    }

    /// Returns the value of a variable, parsed.
    pub(super) fn parse<T: FromStr>(
        &self,
        name: &'static str,
        expected: &'static str,
    ) -> Result<Option<T>, ConfigError> {
        self.parse_with(name, expected, |text| text.parse().ok())
    }

    /// Returns the choice that a variable names.
    pub(super) fn parse_choice<T>(
        &self,
        name: &'static str,
        choices: [(&str, T); 2],
        expected: &'static str,
    ) -> Result<Option<T>, ConfigError> {
        self.parse_with(name, expected, |text| {
            let mut choices = choices.into_iter();
            choices.find_map(|(choice, value)| (choice == text).then_some(value))
        })
    }

    /// Returns the parts of a comma-separated value, parsed. A variable that is set must have at least one part.
    pub(super) fn parse_list<T: FromStr>(
        &self,
        name: &'static str,
        expected: &'static str,
    ) -> Result<Vec<T>, ConfigError> {
        let list = self.parse_with(name, expected, |text| {
            let parts = text
                .split(',')
                .map(str::trim)
                .filter(|part| !part.is_empty());
            let parts: Option<Vec<T>> = parts.map(|part| part.parse().ok()).collect();
            parts.filter(|parts| !parts.is_empty())
        })?;
        Ok(list.unwrap_or_default())
    }

    /// Returns the value of a variable, parsed by `parse`, which returns `None` for an invalid value.
    pub(super) fn parse_with<T>(
        &self,
        name: &'static str,
        expected: &'static str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, ConfigError> {
        let Some(text) = self.variable(name) else {
            return Ok(None);
        };
        let value = parse(&text);
        let value = value.ok_or_else(|| ConfigError::new(name, Some(&text), expected))?;
        Ok(Some(value))
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;
    use crate::config::{Config, LocalConfig, Sources};

    #[test]
    fn variables_are_read_and_listed_in_the_order_of_env_example() {
        let example = include_str!("../../.env.example");
        let in_example: Vec<&str> = example
            .lines()
            .filter_map(|line| line.trim_start_matches("# ").split_once('='))
            .map(|(name, _)| name)
            .filter(|name| name.chars().all(|c| c.is_ascii_uppercase() || c == '_'))
            .collect();
        let listed: Vec<&str> = VARIABLES.iter().map(|(name, _)| *name).collect();
        assert_eq!(listed, in_example);

        let read = RefCell::new(Vec::new());
        let lookup = |name: &'static str| {
            // Vercel sets the others.
            let is_set_by_people = !name.starts_with("VERCEL") || name == "VERCEL_BLOB_API_URL";
            if is_set_by_people && !read.borrow().contains(&name) {
                read.borrow_mut().push(name);
            }
            None
        };
        let environment = Environment(&lookup);
        Config::read(&environment).unwrap();
        LocalConfig::read(&environment, &Sources::default()).unwrap();
        crate::config::model::local(&environment).unwrap();
        assert_eq!(read.into_inner(), listed);
    }

    #[test]
    fn error_names_the_variable_and_shows_no_secret() {
        let error = |name, value| ConfigError::new(name, value, "valid").to_string();
        for (name, value, expected) in [
            ("PORT", Some("x"), "PORT is \"x\": must be valid"),
            ("PORT", Some("65536"), "PORT is \"65***\": must be valid"),
            ("API_KEYS", Some("x"), "API_KEYS is \"***\": must be valid"),
            ("UNLISTED", Some("x"), "UNLISTED is \"***\": must be valid"),
            (
                "AUTH_JWKS_URL",
                None,
                "AUTH_JWKS_URL is not set: must be valid",
            ),
        ] {
            assert_eq!(error(name, value), expected);
        }
    }

    #[test]
    fn empty_value_counts_as_not_set() {
        let lookup = |name: &str| Some(if name == "PORT" { " " } else { "," }.into());
        let environment = Environment(&lookup);
        assert_eq!(environment.parse::<u16>("PORT", ""), Ok(None));
        assert!(
            environment
                .parse_list::<String>("AUTH_AUDIENCE", "")
                .is_err()
        );
    }
}
