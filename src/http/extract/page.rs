//! Limits of pages in the query.

use std::ops::RangeInclusive;
use std::str::FromStr;

use serde_json::json;
use utoipa::openapi::{RefOr, Schema};

use crate::http::error::{Error, Result};
use crate::http::schema::parameters::or_empty;

/// The number of items on a page without `limit`.
pub(crate) const DEFAULT_LIMIT: usize = 50;

/// Parses the number of items that the caller wants on a page.
pub(crate) fn limit(name: &str, text: Option<&str>, range: RangeInclusive<usize>) -> Result<usize> {
    Ok(number(name, text, range)?.unwrap_or(DEFAULT_LIMIT))
}

/// Returns the schema of the number of items on a page.
pub(crate) fn page_limit<const MAX: usize>() -> RefOr<Schema> {
    or_empty(&json!({"type": "integer", "minimum": 1, "maximum": MAX, "default": DEFAULT_LIMIT}))
}

/// Parses a number of the query within `range`. An empty value counts as missing.
///
/// # Errors
/// If the value is not a number or is out of range.
pub(crate) fn number<T>(
    name: &str,
    text: Option<&str>,
    range: RangeInclusive<T>,
) -> Result<Option<T>>
where
    T: FromStr + PartialOrd + std::fmt::Display,
{
    let Some(text) = text.filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    let number = text.parse().ok().filter(|number| range.contains(number));
    number.map(Some).ok_or_else(|| {
        Error::InvalidRequest(format!(
            "{name} must be a number from {} to {}.",
            range.start(),
            range.end()
        ))
    })
}
