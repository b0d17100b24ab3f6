//! Single variables of the environment, and the file that may set them.

use std::str::FromStr;

use super::ConfigError;

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
pub(super) fn variable(name: &str) -> Option<String> {
    // What is no text is set all the same: that must not look as if it were not.
    std::env::var_os(name)
        .map(|value| value.to_string_lossy().trim().to_owned())
        .filter(|value| !value.is_empty())
}

pub(super) fn one_of<T>(
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

pub(super) fn parsed<T: FromStr>(
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

/// The parts of a value that has commas between them; where it is set, there is at least one.
pub(super) fn list<T: FromStr>(
    variable_name: &'static str,
    expected: &'static str,
) -> Result<Vec<T>, ConfigError> {
    let Some(text) = variable(variable_name) else {
        return Ok(Vec::new());
    };
    let parts = text.split(',').map(str::trim).filter(|it| !it.is_empty());
    let parsed: Option<Vec<T>> = parts.map(|part| part.parse().ok()).collect();
    let parsed = parsed.filter(|parts| !parts.is_empty());
    parsed.ok_or(ConfigError {
        variable: variable_name,
        expected,
    })
}
