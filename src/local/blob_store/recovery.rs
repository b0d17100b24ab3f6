//! Recovery on opening: removes the remains of a killed process and builds the index from the files.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::blob::Blob;
use super::disk::sync_directory;
use super::index::Index;
use super::multipart;

/// Creates missing folders, empties the temporary folder, removes abandoned uploads, and returns the index and the
/// unreadable files.
pub(super) fn prepare(directory: &Path) -> io::Result<(Index, Vec<PathBuf>)> {
    let temporary = directory.join("temporary");
    match fs::remove_dir_all(&temporary) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    fs::create_dir(&temporary)?;
    let uploads = directory.join("uploads");
    fs::create_dir_all(&uploads)?;
    multipart::remove_abandoned(&uploads)?;
    let blobs = directory.join("blobs");
    fs::create_dir_all(&blobs)?;
    sync_directory(directory)?;

    let (mut index, mut unreadable) = (Index::new(), Vec::new());
    for entry in fs::read_dir(&blobs)? {
        let entry = entry?;
        let blob = File::open(entry.path()).and_then(|mut file| Blob::read_from(&mut file));
        match blob {
            // A blob under another file name is a copy made by hand.
            Ok(blob) if *entry.file_name() == *blob.pathname.file_name() => {
                index.insert(blob.pathname.clone(), Arc::new(blob));
            }
            _ => unreadable.push(entry.path()),
        }
    }
    Ok((index, unreadable))
}
