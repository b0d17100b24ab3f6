//! Pathnames of blobs: validation, their form in URLs, and their file names.

use std::borrow::Borrow;

use percent_encoding::percent_decode_str;
use reqwest::Url;
use ring::rand::{SystemRandom, generate};
use serde::{Deserialize, Serialize};

use super::error::BlobApiError;
use crate::blob::BlobAccess;
use crate::util::hash::sha256_hex;
use crate::util::percent::encode_path;

/// Maximum length of a pathname in UTF-16 code units, as JavaScript counts.
const MAX_PATHNAME_CHARACTERS: usize = 950;
/// Path prefix of content URLs.
pub(super) const CONTENT_PATH: &str = "/_blob/content/";
/// Suffix of the content hosts of Vercel Blob.
const OFFICIAL_HOST: &str = ".blob.vercel-storage.com";
/// Length of a random suffix.
const SUFFIX_CHARACTERS: usize = 30;

/// The pathname of a blob, ordered by bytes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Pathname(String);

impl Borrow<str> for Pathname {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl Pathname {
    /// Validates a pathname from a request.
    pub(super) fn parse(text: &str) -> Result<Self, BlobApiError> {
        let reason = if text.is_empty() {
            "pathname is required"
        } else if text.encode_utf16().count() > MAX_PATHNAME_CHARACTERS {
            "pathname is too long, maximum length is 950"
        } else if text.contains("//") {
            "pathname cannot contain \"//\", please encode it if needed"
        } else if text.contains('\0') {
            "pathname cannot contain NUL"
        } else if text.split('/').any(|part| part == "." || part == "..") {
            // Clients resolve these segments in URLs before they send a request.
            "pathname cannot contain \".\" or \"..\" as a part"
        } else {
            return Ok(Self(text.to_owned()));
        };
        Err(BlobApiError::bad_request(reason))
    }

    /// Parses a pathname, or a content URL of this store or of Vercel Blob; `None` if it is neither.
    pub(super) fn from_reference(text: &str) -> Option<Self> {
        if !text.starts_with("http://") && !text.starts_with("https://") {
            return Self::parse(text).ok();
        }
        let url = Url::parse(text).ok()?;
        let is_official = url
            .host_str()
            .is_some_and(|host| host.ends_with(OFFICIAL_HOST));
        let path = match url.path().strip_prefix(CONTENT_PATH) {
            Some(path) => path,
            None if is_official => url.path().strip_prefix('/')?,
            None => return None,
        };
        Self::from_url_path(path)
    }

    /// Decodes a percent-encoded pathname from the path of a URL.
    pub(super) fn from_url_path(path: &str) -> Option<Self> {
        let text = percent_decode_str(path).decode_utf8().ok()?;
        Self::parse(&text).ok()
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the pathname with a random suffix before its extension.
    pub(super) fn with_random_suffix(&self) -> Result<Self, BlobApiError> {
        const ALPHABET: &[u8; 62] =
            b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
        let random: [u8; SUFFIX_CHARACTERS] = generate(&SystemRandom::new())
            .map_err(|_| std::io::Error::other("the system's random number generator failed"))?
            .expose();
        let characters = random.map(|byte| ALPHABET[usize::from(byte) % ALPHABET.len()]);
        let suffix = String::from_utf8_lossy(&characters);
        let name_start = self.0.rfind('/').map_or(0, |slash| slash + 1);
        let dot = self.0[name_start..].rfind('.').filter(|dot| *dot > 0);
        let (stem, extension) = self
            .0
            .split_at(dot.map_or(self.0.len(), |dot| name_start + dot));
        Self::parse(&format!("{stem}-{suffix}{extension}"))
    }

    /// Returns the last segment, which is the file name of a download.
    pub(super) fn name(&self) -> &str {
        let whole = self.0.trim_end_matches('/');
        whole.rsplit('/').next().unwrap_or(whole)
    }

    /// Returns the name of the blob's file: a hash, since a pathname may be too long or invalid as a file name.
    pub(super) fn file_name(&self) -> String {
        sha256_hex::<32>(&[self.0.as_bytes()])
    }

    /// Returns the URL on Vercel's content host of a store.
    pub(super) fn official_url(&self, store: &str, access: BlobAccess) -> String {
        let host = format!("{store}.{}{OFFICIAL_HOST}", access.as_str());
        format!("https://{host}/{}", encode_path(&self.0))
    }

    /// Returns the content URL below a base such as `http://127.0.0.1:3000`.
    pub(super) fn url(&self, base: &str) -> String {
        format!("{base}{CONTENT_PATH}{}", encode_path(&self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pathname_that_a_url_cannot_contain_is_rejected() {
        for text in ["", "a//b", "..", "../a", "a/../b", "a/..", "./a", "a\0b"] {
            assert!(Pathname::parse(text).is_err(), "{text:?}");
        }
        let longest = "ä".repeat(MAX_PATHNAME_CHARACTERS);
        assert!(Pathname::parse(&longest).is_ok());
        assert!(Pathname::parse(&format!("{longest}x")).is_err());
        for text in [
            "/a",
            "a/",
            "...",
            "a b#?%.txt",
            "\u{1F600}",
            "a\nb",
            "C:\\x",
        ] {
            let pathname = Pathname::parse(text).unwrap();
            let url = pathname.url("http://127.0.0.1:1");
            assert_eq!(Pathname::from_reference(&url), Some(pathname), "{url}");
        }
    }

    #[test]
    fn content_url_of_vercel_blob_is_parsed_and_other_urls_are_rejected() {
        let official = "https://x.private.blob.vercel-storage.com/a%20b/c.txt?download=1";
        let found = Pathname::from_reference(official).unwrap();
        assert_eq!(found.as_str(), "a b/c.txt");
        assert_eq!(Pathname::from_reference("https://example.com/a"), None);
        assert_eq!(Pathname::from_reference("http://"), None);
    }

    #[test]
    fn random_suffix_is_inserted_before_the_extension() {
        let suffixed = |text: &str| {
            let suffixed = Pathname::parse(text).unwrap().with_random_suffix().unwrap();
            let (start, rest) = suffixed.as_str().split_once('-').unwrap();
            format!("{start}-*{}", &rest[SUFFIX_CHARACTERS..])
        };
        assert_eq!(suffixed("a.b/c.tar.gz"), "a.b/c.tar-*.gz");
        assert_eq!(suffixed("a.b/c"), "a.b/c-*");
        assert_eq!(suffixed(".env"), ".env-*");
        let longest = Pathname::parse(&"x".repeat(MAX_PATHNAME_CHARACTERS)).unwrap();
        assert!(longest.with_random_suffix().is_err());
    }
}
