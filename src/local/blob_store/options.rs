//! The options of a write: from the headers of the owner's request, or from the client token, which overrides headers.

use axum::http::HeaderMap;

use super::blob::Blob;
use super::caller::Caller;
use super::error::BlobApiError;
use super::headers::{flag, number, text};
use super::metadata::{BlobMetadata, Condition};
use super::pathname::Pathname;
use crate::blob::BlobAccess;
use crate::blob::client_token::ClientTokenPayload;

/// Default maximum age in caches: a month, in seconds.
const DEFAULT_CACHE_MAX_AGE: u64 = 30 * 24 * 60 * 60;
/// Minimum value of the maximum age in caches, in seconds.
const MIN_CACHE_MAX_AGE: u64 = 60;
/// Content type of a blob whose extension is unknown.
const UNKNOWN_CONTENT_TYPE: &str = "application/octet-stream";
/// The first API version in which a write replaces nothing and adds no suffix unless it says so.
const FIRST_STRICT_VERSION: u64 = 10;

/// Returns the metadata that a request specifies; `source` is the blob that it copies.
pub(super) fn requested_metadata(
    pathname: &Pathname,
    headers: &HeaderMap,
    caller: &Caller,
    source: Option<&Blob>,
) -> Result<BlobMetadata, BlobApiError> {
    let access = match text(headers, "x-vercel-blob-access")? {
        Some("private") => BlobAccess::Private,
        // Clients before private stores existed send no access.
        Some("public") | None => BlobAccess::Public,
        Some(_) => {
            return Err(BlobApiError::bad_request(
                "access must be \"private\" or \"public\"",
            ));
        }
    };
    let content_type = match (text(headers, "x-content-type")?, source) {
        (Some(content_type), _) => content_type.to_owned(),
        (None, Some(source)) => source.content_type.clone(),
        (None, None) => mime_guess::from_path(pathname.as_str())
            .first_raw()
            .unwrap_or(UNKNOWN_CONTENT_TYPE)
            .to_owned(),
    };
    let defaults = Defaults::of_version(headers, source.is_some())?;
    let options = match caller {
        Caller::Owner => PutOptions::from_headers(headers, &defaults)?,
        Caller::Client(payload) => {
            PutOptions::from_token(payload, pathname, &content_type, &defaults)?
        }
    };
    let pathname = match options.random_suffix {
        true => pathname.with_random_suffix()?,
        false => pathname.clone(),
    };
    let age = options.cache_max_age.unwrap_or(DEFAULT_CACHE_MAX_AGE);
    Ok(BlobMetadata {
        pathname,
        access,
        content_type,
        cache_max_age: age.max(MIN_CACHE_MAX_AGE),
        condition: options.condition,
        max_bytes: options.max_bytes,
    })
}

/// The options of a write that names none.
struct Defaults {
    random_suffix: bool,
    allow_overwrite: bool,
}

impl Defaults {
    /// Returns the defaults of the API version that the client requests; without one, those of the current version.
    ///
    /// Version 10, of `@vercel/blob` 1.0, changed both: before it, a put added a random suffix and every write replaced.
    fn of_version(headers: &HeaderMap, is_copy: bool) -> Result<Self, BlobApiError> {
        let version = number(headers, "x-api-version")?;
        let is_old = version.is_some_and(|version| version < FIRST_STRICT_VERSION);
        Ok(Self {
            random_suffix: is_old && !is_copy,
            allow_overwrite: is_old,
        })
    }
}

/// Options of a write that the headers or the client token contain.
struct PutOptions {
    random_suffix: bool,
    cache_max_age: Option<u64>,
    condition: Condition,
    max_bytes: Option<u64>,
}

impl PutOptions {
    fn from_headers(headers: &HeaderMap, defaults: &Defaults) -> Result<Self, BlobApiError> {
        let random_suffix = flag(headers, "x-add-random-suffix")?;
        let allow_overwrite = flag(headers, "x-allow-overwrite")?;
        Ok(Self {
            random_suffix: random_suffix.unwrap_or(defaults.random_suffix),
            cache_max_age: number(headers, "x-cache-control-max-age")?,
            condition: Condition {
                allow_overwrite: allow_overwrite.unwrap_or(defaults.allow_overwrite),
                ..Condition::if_match(headers)?
            },
            max_bytes: None,
        })
    }

    /// Takes the options from the token alone: headers cannot extend them.
    fn from_token(
        payload: &ClientTokenPayload,
        pathname: &Pathname,
        content_type: &str,
        defaults: &Defaults,
    ) -> Result<Self, BlobApiError> {
        if payload.pathname != pathname.as_str() {
            return Err(BlobApiError::PathnameMismatch);
        }
        if !payload.allows_content_type(content_type) {
            return Err(BlobApiError::ContentTypeNotAllowed(content_type.to_owned()));
        }
        Ok(Self {
            random_suffix: payload.add_random_suffix.unwrap_or(defaults.random_suffix),
            cache_max_age: payload.cache_control_max_age,
            condition: Condition {
                allow_overwrite: payload.allow_overwrite.unwrap_or(defaults.allow_overwrite),
                if_match: payload.if_match.clone(),
            },
            max_bytes: payload.maximum_size_in_bytes,
        })
    }
}
