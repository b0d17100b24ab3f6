//! The content of files that messages name: files of this deployment are read as the caller may read them; other web
//! addresses are left to the provider, and never read by this service.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode_str;
use reqwest::Url;

use super::prompt::{FileSource, Files, PromptFile};
use super::started::StartedTurn;
use crate::domain::file_path::StoredPath;
use crate::domain::volume::{VolumeId, VolumeKind};
use crate::provider::request::FileData;
use crate::service::volume::VolumeSelection;

/// The largest file.
const MAX_FILE_BYTES: usize = 4 * 1024 * 1024;
/// The largest sum of the files of one prompt.
const MAX_FILES_BYTES: usize = 16 * 1024 * 1024;
/// The most files that are read for one prompt.
const MAX_FILES: usize = 32;
/// The path of files.
const PREFIX: &str = "/api/files/";

/// A file of this deployment.
struct OwnFile {
    volume: Option<VolumeSelection>,
    path: StoredPath,
}

impl StartedTurn {
    /// Finds the files of a conversation, the newest first, as far as they fit.
    pub(super) async fn prompt_files(&self, wanted: &[&PromptFile]) -> Files {
        let mut files = Files::new();
        let (mut room, mut count) = (MAX_FILES_BYTES, 0);
        for file in wanted.iter().rev().filter(|file| file.kind.is_some()) {
            let (FileSource::Web(url) | FileSource::Path(url)) = &file.source else {
                continue;
            };
            if files.contains_key(url) {
                continue;
            }
            let deployment = self.deps.models.deployment_url.as_deref();
            match own_file(url, deployment) {
                Some(own) if count < MAX_FILES => {
                    count += 1;
                    let limit = room.min(MAX_FILE_BYTES);
                    match self.files().read(own.volume, &own.path, limit).await {
                        Ok(Some(body)) => {
                            room -= body.len();
                            files.insert(url.clone(), FileData::Base64(STANDARD.encode(&body)));
                        }
                        Ok(None) => {}
                        Err(error) => {
                            tracing::info!(error = %error, "a file of a conversation cannot be read");
                        }
                    }
                }
                None if is_public(url) => {
                    files.insert(url.clone(), FileData::Url(url.clone()));
                }
                _ => {}
            }
        }
        files
    }
}

/// Returns whether a provider may read the URL.
fn is_public(url: &str) -> bool {
    let url = Url::parse(url).ok();
    url.is_some_and(|url| {
        url.scheme() == "https"
            && url.username().is_empty()
            && url.password().is_none()
            && url.domain().is_some_and(|name| name.contains('.'))
    })
}

/// Returns the file of this deployment that a URL names.
fn own_file(url: &str, deployment: Option<&str>) -> Option<OwnFile> {
    let local = deployment.and_then(|deployment| url.strip_prefix(deployment));
    let local = local.unwrap_or(url);
    let (path, query) = local.split_once('?').unwrap_or((local, ""));
    let path = path.split('#').next()?.strip_prefix(PREFIX)?;
    let path = percent_decode_str(path).decode_utf8().ok()?;
    let path = StoredPath::parse(&path)?;
    // Only the query is read of this URL.
    let query = Url::parse(&format!("http://localhost/?{query}")).ok()?;
    let parameter = |name: &str| {
        let mut pairs = query.query_pairs();
        let (_, value) = pairs.find(|(key, _)| key == name)?;
        (!value.is_empty()).then(|| value.into_owned())
    };
    let volume = match parameter("volume") {
        Some(kind) => Some(VolumeSelection {
            kind: VolumeKind::try_from(kind).ok()?,
            id: match parameter("volume_id") {
                Some(id) => Some(VolumeId::try_from(id).ok()?),
                None => None,
            },
        }),
        None => None,
    };
    Some(OwnFile { volume, path })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_of_this_deployment_are_own() {
        let deployment = Some("https://app.example.com");
        let path = |url: &str| own_file(url, deployment).map(|own| own.path.as_str().to_owned());
        for (url, expected) in [
            ("/api/files/a%20b.png?volume=user", Some("a b.png")),
            ("https://app.example.com/api/files/a.png#x", Some("a.png")),
            ("https://app.example.com.evil.example/api/files/a.png", None),
            ("https://other.example.com/api/files/a.png", None),
            ("//app.example.com/api/files/a.png", None),
            ("/api/sessions/a", None),
            ("/api/files/a.png?volume=planet", None),
        ] {
            assert_eq!(path(url).as_deref(), expected, "{url}");
        }
    }

    #[test]
    fn providers_read_only_public_https_urls() {
        for (url, expected) in [
            ("https://example.com/a.png", true),
            ("http://example.com/a.png", false),
            ("https://127.0.0.1/a.png", false),
            ("https://[::1]/a.png", false),
            ("https://localhost/a.png", false),
            ("https://user:x@example.com/a.png", false),
        ] {
            assert_eq!(is_public(url), expected, "{url}");
        }
    }
}
