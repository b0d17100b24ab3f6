//! What a request asks for a blob that it writes: by headers, or by the client token that overrides them.

use axum::http::HeaderMap;
use serde::{Deserialize, Serialize};

use super::MAX_PUT_BYTES;
use super::blob::Blob;
use super::caller::Caller;
use super::error::Refusal;
use super::pathname::Pathname;
use crate::blob::BlobAccess;
use crate::blob::client_token::ClientTokenPayload;
use crate::util::etag::strong;

/// How long caches may keep a blob where nothing is said: a month.
const DEFAULT_CACHE_MAX_AGE: u64 = 30 * 24 * 60 * 60;
/// The shortest time that caches may keep a blob.
const MIN_CACHE_MAX_AGE: u64 = 60;
/// What a blob is whose name says nothing.
const UNKNOWN_CONTENT_TYPE: &str = "application/octet-stream";

/// What must hold for a blob to be written or deleted.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Condition {
    pub(super) allow_overwrite: bool,
    pub(super) if_match: Option<String>,
}

impl Condition {
    /// For deleting.
    pub(super) fn if_match(headers: &HeaderMap) -> Result<Self, Refusal> {
        Ok(Self {
            allow_overwrite: true,
            if_match: text(headers, "x-if-match")?.map(ToOwned::to_owned),
        })
    }

    pub(super) fn check(&self, present: Option<&Blob>) -> Result<(), Refusal> {
        if let Some(wanted) = &self.if_match {
            let matches = present.is_some_and(|blob| strong(&blob.etag) == strong(wanted));
            if !matches {
                return Err(Refusal::PreconditionFailed);
            }
        }
        match present {
            Some(_) if !self.allow_overwrite => Err(Refusal::Exists),
            _ => Ok(()),
        }
    }
}

/// What a blob is going to be.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Properties {
    pub(super) pathname: Pathname,
    pub(super) access: BlobAccess,
    pub(super) content_type: String,
    pub(super) cache_max_age: u64,
    pub(super) condition: Condition,
    /// The most bytes of the content, if the caller's token says so.
    pub(super) maximum: Option<u64>,
}

impl Properties {
    /// What `caller` asks of the blob `pathname`, which is the copy of another one or not.
    pub(super) fn new(
        pathname: &Pathname,
        headers: &HeaderMap,
        caller: &Caller,
        source: Option<&Blob>,
    ) -> Result<Self, Refusal> {
        let access = match text(headers, "x-vercel-blob-access")? {
            Some("private") => BlobAccess::Private,
            Some("public") => BlobAccess::Public,
            _ => {
                return Err(Refusal::bad_request(
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
        let wishes = match caller {
            Caller::Owner => Wishes::from_headers(headers)?,
            Caller::Client(payload) => Wishes::from_token(payload, pathname, &content_type)?,
        };
        let pathname = match wishes.random_suffix {
            true => pathname.with_random_suffix()?,
            false => pathname.clone(),
        };
        let age = wishes.cache_max_age.unwrap_or(DEFAULT_CACHE_MAX_AGE);
        Ok(Self {
            pathname,
            access,
            content_type,
            cache_max_age: age.max(MIN_CACHE_MAX_AGE),
            condition: wishes.condition,
            maximum: wishes.maximum,
        })
    }

    /// The most bytes that one body may bring.
    pub(super) fn body_limit(&self) -> u64 {
        self.maximum.unwrap_or(MAX_PUT_BYTES).min(MAX_PUT_BYTES)
    }
}

/// What headers and client tokens say both.
struct Wishes {
    random_suffix: bool,
    cache_max_age: Option<u64>,
    condition: Condition,
    maximum: Option<u64>,
}

impl Wishes {
    fn from_headers(headers: &HeaderMap) -> Result<Self, Refusal> {
        Ok(Self {
            random_suffix: flag(headers, "x-add-random-suffix")?,
            cache_max_age: number(headers, "x-cache-control-max-age")?,
            condition: Condition {
                allow_overwrite: flag(headers, "x-allow-overwrite")?,
                ..Condition::if_match(headers)?
            },
            maximum: None,
        })
    }

    /// What the token does not grant, a header cannot.
    fn from_token(
        payload: &ClientTokenPayload,
        pathname: &Pathname,
        content_type: &str,
    ) -> Result<Self, Refusal> {
        if payload.pathname != pathname.as_str() {
            return Err(Refusal::PathnameMismatch);
        }
        if !payload.allows_content_type(content_type) {
            return Err(Refusal::ContentTypeNotAllowed(content_type.to_owned()));
        }
        Ok(Self {
            random_suffix: payload.add_random_suffix.unwrap_or_default(),
            cache_max_age: payload.cache_control_max_age,
            condition: Condition {
                allow_overwrite: payload.allow_overwrite.unwrap_or_default(),
                if_match: payload.if_match.clone(),
            },
            maximum: payload.maximum_size_in_bytes,
        })
    }
}

/// A header's value; one that is set to nothing counts as unset.
pub(super) fn text<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>, Refusal> {
    let Some(value) = headers.get(name) else {
        return Ok(None);
    };
    let value = value
        .to_str()
        .map_err(|_| Refusal::BadRequest(format!("{name} is not ASCII")))?;
    Ok(Some(value.trim()).filter(|value| !value.is_empty()))
}

pub(super) fn number(headers: &HeaderMap, name: &str) -> Result<Option<u64>, Refusal> {
    text(headers, name)?
        .map(|text| {
            text.parse()
                .map_err(|_| Refusal::BadRequest(format!("{name} is not a number")))
        })
        .transpose()
}

fn flag(headers: &HeaderMap, name: &str) -> Result<bool, Refusal> {
    match text(headers, name)? {
        Some("1" | "true") => Ok(true),
        None | Some("0" | "false") => Ok(false),
        Some(_) => Err(Refusal::BadRequest(format!("{name} is neither 1 nor 0"))),
    }
}
