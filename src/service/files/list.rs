//! Lists of files.

use super::{File, FileService};
use crate::blob::paths;
use crate::domain::file_path::MAX_PATH_BYTES;
use crate::service::cursor::{decode_cursor, encode_cursor};
use crate::service::error::{Error, Result};
use crate::service::volume::VolumeSelection;
use crate::util::unicode::to_nfc;

/// Which page of which files to list.
#[derive(Debug)]
pub struct ListFiles {
    /// The volume; `None` for the caller's own.
    pub volume: Option<VolumeSelection>,
    /// The text that paths begin with.
    pub prefix: String,
    /// Whether to list folders up to the next `/` instead of their contents.
    pub folded: bool,
    /// The largest number of files and folders.
    pub limit: usize,
    /// The `next_cursor` of the previous page.
    pub cursor: Option<String>,
}

/// A page of files, ordered by path.
#[derive(Debug)]
pub struct FileList {
    /// The files.
    pub files: Vec<File>,
    /// The folders, each with its final `/`.
    pub folders: Vec<String>,
    /// The cursor of the next page; `None` on the last one.
    pub next_cursor: Option<String>,
}

impl FileService<'_> {
    /// Lists files, ordered by path.
    ///
    /// # Errors
    /// If the caller may not read the volume, the prefix is too long, or the cursor belongs to another list.
    pub async fn list(&self, list: ListFiles) -> Result<FileList> {
        let volume = self.readable(list.volume)?;
        // Paths are stored in NFC, so their prefixes are in NFC.
        let prefix = to_nfc(&list.prefix);
        if prefix.len() > MAX_PATH_BYTES {
            return Err(Error::field(
                "prefix",
                format!("must be at most {MAX_PATH_BYTES} bytes"),
            ));
        }
        let root = paths::files(&volume);
        let prefix = format!("{root}{prefix}");
        let name = format!("{} {prefix}", list.folded);
        let name = self.context.caller.scoped_key(&name);
        let cursor: Option<String> = decode_cursor(&name, list.cursor.as_deref())?;
        let page = self
            .blobs
            .list(&prefix, list.limit, cursor.as_deref(), list.folded)
            .await
            .map_err(|error| Error::of_list(error, cursor.is_some()))?;
        // Blob decides what its cursor leads to, so entries outside of the volume are dropped.
        let files = page.blobs.into_iter().filter_map(|blob| {
            let path = blob.pathname.strip_prefix(&root)?.to_owned();
            Some(File::new(&volume, &path, blob))
        });
        let folders = page
            .folders
            .iter()
            .filter_map(|folder| folder.strip_prefix(&root));
        Ok(FileList {
            files: files.collect(),
            folders: folders.map(ToOwned::to_owned).collect(),
            next_cursor: page.cursor.map(|next| encode_cursor(&name, &next)),
        })
    }
}
