//! Lists of files.

use super::{File, FileService};
use crate::blob::{Page, paths};
use crate::domain::file_path::MAX_PATH_BYTES;
use crate::domain::volume::Volume;
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
        let prefixes = prefixes(&list.prefix)?;
        let root = paths::files(&volume);
        let names = prefixes.iter().map(|prefix| {
            let name = format!("{} {root}{prefix}", list.folded);
            self.context.caller.scoped_key(&name)
        });
        let names: Vec<String> = names.collect();
        let (first, mut cursor) = position(&names, list.cursor.as_deref())?;
        for index in first..prefixes.len() {
            let prefix = format!("{root}{}", prefixes[index]);
            let page = self
                .blobs
                .list(&prefix, list.limit, cursor.as_deref(), list.folded)
                .await
                .map_err(|error| Error::of_list(error, cursor.is_some()))?;
            let is_last = index + 1 == prefixes.len();
            if page.cursor.is_none() && page.is_empty() && !is_last {
                cursor = None;
                continue;
            }
            let next = match page.cursor.clone() {
                Some(next) => Some(encode_cursor(&names[index], &next)),
                None if is_last => None,
                None => Some(encode_cursor(&names[index + 1], &"")),
            };
            return Ok(to_list(&volume, &root, page, next));
        }
        Err(Error::InvalidCursor)
    }
}

/// Returns the prefixes to list: the requested one, then its normal form if that differs. Another program may have
/// stored paths in another Unicode normal form.
fn prefixes(prefix: &str) -> Result<Vec<String>> {
    let normal = to_nfc(prefix).into_owned();
    if normal.len() > MAX_PATH_BYTES {
        return Err(Error::field(
            "prefix",
            format!("must be at most {MAX_PATH_BYTES} bytes"),
        ));
    }
    let mut prefixes = vec![prefix.to_owned(), normal];
    prefixes.dedup();
    Ok(prefixes)
}

/// Returns the index of the list that the cursor belongs to, and the position in it.
fn position(names: &[String], cursor: Option<&str>) -> Result<(usize, Option<String>)> {
    let decoded = names.iter().map(|name| decode_cursor(name, cursor));
    let decoded: Option<(usize, Option<String>)> = decoded
        .enumerate()
        .find_map(|(index, cursor)| Some((index, cursor.ok()?)));
    let (index, cursor) = decoded.ok_or(Error::InvalidCursor)?;
    Ok((index, cursor.filter(|cursor| !cursor.is_empty())))
}

fn to_list(volume: &Volume, root: &str, page: Page, next_cursor: Option<String>) -> FileList {
    // Blob decides what its cursor leads to, so entries outside of the volume are dropped.
    let files = page.blobs.into_iter().filter_map(|blob| {
        let path = blob.pathname.strip_prefix(root)?.to_owned();
        // A blob that marks a folder is not a file.
        (!path.ends_with('/')).then(|| File::new(volume, &path, blob))
    });
    let folders = page.folders.iter();
    let folders = folders.filter_map(|folder| folder.strip_prefix(root));
    FileList {
        files: files.collect(),
        folders: folders.map(ToOwned::to_owned).collect(),
        next_cursor,
    }
}
