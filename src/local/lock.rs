//! An exclusive lock on a folder. The operating system releases it when the process ends, also after a crash.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

/// Failure to lock a folder.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Another local server has locked the folder.
    #[error("another local server is running in {0}")]
    InUse(PathBuf),
    /// The folder or the lock file cannot be created.
    #[error("cannot use {0}")]
    Io(PathBuf, #[source] io::Error),
}

/// Creates the folder if necessary and locks it for as long as the returned file stays open.
///
/// # Errors
/// [`Error::InUse`] if another process has locked the folder, [`Error::Io`] if the folder cannot be used.
pub fn acquire(directory: &Path) -> Result<(PathBuf, File), Error> {
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
