//! One process per folder: a lock file that the system releases when its holder is gone, however it ended.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

/// Why a folder is not ours.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Another local server uses the folder.
    #[error("another local server is running in {0}")]
    InUse(PathBuf),
    /// The folder cannot be used.
    #[error("cannot use {0}")]
    Io(PathBuf, #[source] io::Error),
}

/// Makes the folder if it is not there, and takes it: ours as long as the file that is returned stays open.
///
/// # Errors
/// If another process has it, or it cannot be used.
pub fn take(directory: &Path) -> Result<(PathBuf, File), Error> {
    let at = |path: &Path| {
        let path = path.to_owned();
        move |error| Error::Io(path, error)
    };
    fs::create_dir_all(directory).map_err(at(directory))?;
    let directory = directory.canonicalize().map_err(at(directory))?;
    let path = directory.join("lock");
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(at(&path))?;
    match file.try_lock() {
        Ok(()) => Ok((directory, file)),
        Err(TryLockError::WouldBlock) => Err(Error::InUse(directory)),
        Err(TryLockError::Error(error)) => Err(Error::Io(path, error)),
    }
}
