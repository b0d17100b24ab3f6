//! Tokens with which a browser uploads a file directly to Blob.

use chrono::{TimeDelta, Utc};

use super::FileService;
use crate::blob::client_token::{self, ClientTokenPayload};
use crate::blob::{self, CACHE_SECONDS, paths};
use crate::service::error::{Error, Result};
use crate::util::media_type::{is_client_default, is_media_type};

/// The lifetime of a token: long enough for a large file on a slow connection.
const TOKEN_LIFETIME: TimeDelta = TimeDelta::hours(1);
/// The largest upload, in bytes.
pub const MAX_UPLOAD_BYTES: u64 = 500 * 1024 * 1024;

/// The upload to authorize.
#[derive(Debug)]
pub struct UploadRequest {
    /// The pathname, `volumes/{volume}/{volume_id}/files/{path}`.
    pub pathname: String,
    /// The size in bytes; [`MAX_UPLOAD_BYTES`] if it is missing.
    pub size: Option<u64>,
    /// The media type; derived from the pathname if it is missing.
    pub content_type: Option<String>,
}

/// A token for one upload.
#[derive(Debug)]
pub struct UploadToken {
    /// The token.
    pub token: String,
    /// The pathname to upload to, with the caller's own volume id in place of `default`.
    pub pathname: String,
    /// The base URL of the Blob API, as browsers reach it.
    pub url: String,
    /// The media type that the upload must declare.
    pub content_type: String,
    /// The access of the store: `private` or `public`.
    pub access: &'static str,
}

impl FileService<'_> {
    /// Returns a token that allows one upload, for an hour: to this pathname, with this size and media type.
    ///
    /// # Errors
    /// If the caller may not write to the volume, a field is invalid, or the read-write token is missing: an OIDC
    /// token cannot sign.
    pub fn upload_token(&self, upload: UploadRequest) -> Result<UploadToken> {
        let pathname = self.upload_pathname(&upload.pathname)?;
        let size = upload.size.unwrap_or(MAX_UPLOAD_BYTES);
        if size > MAX_UPLOAD_BYTES {
            return Err(Error::field("clientPayload.size", "must be at most 500 MB"));
        }
        let content_type = upload_media_type(upload.content_type, &pathname)?;
        let payload = ClientTokenPayload {
            pathname: pathname.clone(),
            maximum_size_in_bytes: Some(size),
            allowed_content_types: Some(vec![content_type.clone()]),
            valid_until: Some((Utc::now() + TOKEN_LIFETIME).timestamp_millis()),
            add_random_suffix: Some(false),
            allow_overwrite: Some(true),
            cache_control_max_age: Some(CACHE_SECONDS.into()),
            ..ClientTokenPayload::default()
        };
        let token = client_token::mint(&payload, self.read_write_token()?);
        let (url, access) = self.blobs.for_browsers();
        Ok(UploadToken {
            token: token.ok_or(blob::Error::NotConfigured)?,
            pathname,
            url: url.to_owned(),
            content_type,
            access,
        })
    }

    /// Returns whether Blob signed this message about a completed upload.
    ///
    /// # Errors
    /// If the read-write token is missing.
    pub fn is_signed_by_blob(&self, message: &[u8], signature: &str) -> Result<bool> {
        let token = self.read_write_token()?;
        Ok(client_token::is_signed(message, signature, token))
    }

    fn upload_pathname(&self, pathname: &str) -> Result<String> {
        let Some((volume, path)) = paths::file_at(pathname) else {
            return Err(Error::field(
                "pathname",
                "must be volumes/{volume}/{volume_id}/files/{path}",
            ));
        };
        let caller = &self.context.caller;
        let volume = caller.resolve(volume.kind, volume.id);
        caller.may_write(&volume)?;
        let pathname = paths::file(&volume, &path);
        if !paths::fits(&pathname) {
            return Err(Error::field("pathname", "is too long"));
        }
        Ok(pathname)
    }

    fn read_write_token(&self) -> Result<&str> {
        let token = self.blobs.read_write_token();
        Ok(token.ok_or(blob::Error::NotConfigured)?)
    }
}

fn upload_media_type(media_type: Option<String>, pathname: &str) -> Result<String> {
    match media_type.filter(|text| !is_client_default(text)) {
        Some(text) if !is_media_type(&text) || text.contains(['*', ',']) => Err(Error::field(
            "clientPayload.content_type",
            "must be a media type of at most 255 characters",
        )),
        Some(text) => Ok(text),
        None => Ok(mime_guess::from_path(pathname)
            .first_or_octet_stream()
            .to_string()),
    }
}
