//! From a folder, whatever a killed run left in it, to an index of the blobs in it.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::blob::Blob;
use super::index::Index;
use super::multipart;

/// Makes what is missing, removes what a killed run left behind, and reads what blobs there are.
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
            // The name and the content belong together, or it is a copy that somebody made.
            Ok(blob) if *entry.file_name() == *blob.pathname.file_name() => {
                index.insert(blob.pathname.clone(), Arc::new(blob));
            }
            _ => unreadable.push(entry.path()),
        }
    }
    Ok((index, unreadable))
}

/// Makes names durable, as syncing a file does its content.
pub(super) fn sync_directory(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}
