//! Files in messages of users.

use std::collections::HashMap;

use crate::domain::message::Part;
use crate::provider::request::{FileData, ModelPart};

/// The kinds of files that models take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// An image.
    Image,
    /// A PDF document.
    Pdf,
}

/// Where the content of a file is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileSource {
    /// In the message, as Base64.
    Inline(String),
    /// At an `http` or `https` URL. It may be one of this deployment.
    Web(String),
    /// At another address, such as the path of a file of this deployment.
    Path(String),
}

/// What the caller found for the files of a conversation, by their URL. A file that is not here is sent as its name.
pub type Files = HashMap<String, FileData>;

/// A file of a message.
#[derive(Clone, Debug)]
pub struct PromptFile {
    /// The kind; `None` for a file that no model takes.
    pub kind: Option<FileKind>,
    /// Where the content is.
    pub source: FileSource,
    media_type: String,
    name: Option<String>,
}

impl PromptFile {
    /// Reads a part of type `file`.
    pub(super) fn of(part: &Part<'_>) -> Option<Self> {
        let url = part.text("url")?;
        let media_type = part
            .text("mediaType")
            .unwrap_or_default()
            .to_ascii_lowercase();
        let kind = match &*media_type {
            "image/png" | "image/jpeg" | "image/gif" | "image/webp" => Some(FileKind::Image),
            "application/pdf" => Some(FileKind::Pdf),
            _ => None,
        };
        let inline = url
            .strip_prefix("data:")
            .and_then(|rest| rest.split_once(','));
        let source = match inline {
            Some((head, data)) if head.ends_with(";base64") => FileSource::Inline(data.to_owned()),
            _ if url.starts_with("https://") || url.starts_with("http://") => FileSource::Web(url),
            _ => FileSource::Path(url),
        };
        Some(Self {
            kind,
            source,
            media_type,
            name: part.text("filename"),
        })
    }

    /// Returns the approximate number of characters of text that cost as much.
    pub(super) fn chars(&self) -> usize {
        match (self.kind, &self.source) {
            (None, _) => 100,
            (Some(FileKind::Image), _) => 6_400,
            (Some(FileKind::Pdf), FileSource::Inline(data)) => (data.len() / 8).max(6_400),
            (Some(FileKind::Pdf), _) => 40_000,
        }
    }

    /// Returns the file for a model that takes these kinds, or its name.
    pub(super) fn into_part(self, kinds: &[FileKind], files: &Files) -> ModelPart {
        let is_taken = self.kind.is_some_and(|kind| kinds.contains(&kind));
        let data = match &self.source {
            _ if !is_taken => None,
            FileSource::Inline(data) => Some(FileData::Base64(data.clone())),
            FileSource::Web(url) | FileSource::Path(url) => files.get(url).cloned(),
        };
        match data {
            Some(data) => ModelPart::File {
                media_type: self.media_type,
                name: self.name,
                data,
            },
            None => ModelPart::Text(self.description()),
        }
    }

    /// Returns a text that names the file.
    fn description(&self) -> String {
        let name = self.name.as_deref().or_else(|| match &self.source {
            FileSource::Inline(_) => None,
            FileSource::Web(url) | FileSource::Path(url) => Some(url),
        });
        let name = name.unwrap_or("without a name");
        format!(
            "[File {name}, {}; its content is not available]",
            self.media_type
        )
    }
}
