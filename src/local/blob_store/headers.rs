//! Values of request headers.

use axum::http::HeaderMap;

use super::error::BlobApiError;

/// Returns the trimmed value of a header; `None` if it is missing or empty.
pub(super) fn text<'a>(
    headers: &'a HeaderMap,
    name: &str,
) -> Result<Option<&'a str>, BlobApiError> {
    let Some(value) = headers.get(name) else {
        return Ok(None);
    };
    let value = value
        .to_str()
        .map_err(|_| BlobApiError::BadRequest(format!("{name} must be ASCII")))?;
    Ok(Some(value.trim()).filter(|value| !value.is_empty()))
}

/// Returns the value of a numeric header.
pub(super) fn number(headers: &HeaderMap, name: &str) -> Result<Option<u64>, BlobApiError> {
    text(headers, name)?
        .map(|text| {
            text.parse()
                .map_err(|_| BlobApiError::BadRequest(format!("{name} must be a number")))
        })
        .transpose()
}

/// Returns the value of a boolean header; `None` if it is missing.
pub(super) fn flag(headers: &HeaderMap, name: &str) -> Result<Option<bool>, BlobApiError> {
    match text(headers, name)? {
        None => Ok(None),
        Some("1" | "true") => Ok(Some(true)),
        Some("0" | "false") => Ok(Some(false)),
        Some(_) => Err(BlobApiError::BadRequest(format!("{name} must be 1 or 0"))),
    }
}
