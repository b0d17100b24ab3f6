//! The tools with which a model uses the files of a session's volume, as the caller may use them.

use bytes::Bytes;
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;

use super::encode::ToolOutput;
use super::settlement::find_session;
use super::started::StartedTurn;
use super::tool_text::{MAX_OUTPUT_BYTES, bounded};
use crate::blob::PutBody;
use crate::domain::file_path::{FilePath, StoredPath};
use crate::domain::volume::VolumeId;
use crate::service::error::Error;
use crate::service::files::{FileService, ListFiles, NewFile, PutPrecondition};
use crate::service::volume::VolumeSelection;
use crate::util::json;

/// The largest file that a model reads: the beginning of it is returned.
const MAX_FILE_BYTES: usize = 4 * 1024 * 1024;
/// The largest text that a model writes.
const MAX_CONTENT_BYTES: usize = 1024 * 1024;
/// The most files of a list.
const MAX_LISTED: usize = 200;

#[derive(Deserialize)]
struct ReadFile {
    path: String,
}

#[derive(Deserialize)]
struct List {
    #[serde(default)]
    path: String,
}

#[derive(Deserialize)]
struct WriteFile {
    path: String,
    content: String,
}

impl StartedTurn {
    pub(super) fn files(&self) -> FileService<'_> {
        FileService::new(self.blobs(), &self.context)
    }

    /// Returns the volume of the session.
    async fn volume(&self) -> Result<VolumeSelection, ToolOutput> {
        let found = find_session(&self.deps.store, &self.session).await;
        let session = found.ok().flatten();
        let selection = session.and_then(|session| {
            Some(VolumeSelection {
                kind: session.volume,
                id: Some(VolumeId::try_from(session.volume_id).ok()?),
            })
        });
        selection.ok_or_else(|| error("The files of this conversation cannot be used."))
    }

    pub(super) async fn read_file(&self, input: &RawValue) -> ToolOutput {
        let Ok(ReadFile { path }) = serde_json::from_str(input.get()) else {
            return error("The argument `path` must be the path of a file.");
        };
        let Some(path) = StoredPath::parse(&path) else {
            return error("There is no file with this path.");
        };
        let volume = match self.volume().await {
            Ok(volume) => volume,
            Err(output) => return output,
        };
        match self.files().read(Some(volume), &path, MAX_FILE_BYTES).await {
            Ok(Some(body)) => match std::str::from_utf8(&body) {
                Ok(text) if text.len() > MAX_OUTPUT_BYTES => {
                    let begin = bounded(text);
                    let text = format!(
                        "{begin}\n[The file has {} bytes; this is its beginning.]",
                        text.len()
                    );
                    ToolOutput::Text(text)
                }
                Ok(text) => ToolOutput::Text(text.to_owned()),
                Err(_) => error("The file does not contain text."),
            },
            Ok(None) => error("There is no file with this path."),
            Err(failure) => failed(&failure),
        }
    }

    pub(super) async fn list_files(&self, input: &RawValue) -> ToolOutput {
        let Ok(List { path }) = serde_json::from_str(input.get()) else {
            return error("The argument `path` must be a text.");
        };
        let volume = match self.volume().await {
            Ok(volume) => volume,
            Err(output) => return output,
        };
        let list = ListFiles {
            volume: Some(volume),
            prefix: path,
            folded: false,
            limit: MAX_LISTED,
            cursor: None,
        };
        match self.files().list(list).await {
            Ok(list) => {
                let files = list.files.iter();
                let files: Vec<_> = files
                    .map(|file| json!({"path": file.path, "size_bytes": file.size_bytes}))
                    .collect();
                let has_more = list.next_cursor.is_some();
                ToolOutput::Json(json::raw(&json!({"files": files, "has_more": has_more})))
            }
            Err(failure) => failed(&failure),
        }
    }

    pub(super) async fn write_file(&self, input: &RawValue) -> ToolOutput {
        let Ok(WriteFile { path, content }) = serde_json::from_str(input.get()) else {
            return error("The arguments `path` and `content` must be texts.");
        };
        let path = match FilePath::parse(&path) {
            Ok(path) => path,
            Err(rule) => return error(&format!("The argument `path` {rule}.")),
        };
        if content.len() > MAX_CONTENT_BYTES {
            return error("The content must be at most 1 MB.");
        }
        let volume = match self.volume().await {
            Ok(volume) => volume,
            Err(output) => return output,
        };
        let new = NewFile {
            content_type: None,
            body: PutBody::Bytes(Bytes::from(content)),
            precondition: PutPrecondition::None,
            is_repeatable: false,
        };
        match self.files().put(Some(volume), &path, new).await {
            Ok(written) => ToolOutput::Json(json::raw(&json!({
                "path": written.value.path, "size_bytes": written.value.size_bytes,
            }))),
            Err(failure) => failed(&failure),
        }
    }
}

fn error(text: &str) -> ToolOutput {
    ToolOutput::Error(text.to_owned())
}

fn failed(failure: &Error) -> ToolOutput {
    match failure {
        Error::NotFound(_) => error("There is no file with this path."),
        Error::ReadOnly => error("The files of this conversation may not be changed."),
        Error::Unreadable(_) => error("The file is too large."),
        Error::InvalidField(field) => error(&format!("The argument `path` {}.", field.message)),
        failure => {
            tracing::warn!(error = %failure, "a tool cannot use a file");
            error("The files cannot be used now.")
        }
    }
}
