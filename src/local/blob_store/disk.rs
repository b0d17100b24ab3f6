//! File operations of the store: temporary files, durable folders, and blocking work off the async threads.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use uuid::Uuid;

use super::error::BlobApiError;

/// A temporary file. It is deleted on drop unless it was moved to its final path.
#[derive(Debug)]
pub(super) struct Temporary {
    path: PathBuf,
    is_persisted: bool,
}

impl Temporary {
    /// Creates an empty file with a new name in `directory`.
    pub(super) fn create(directory: &Path) -> io::Result<(Self, File)> {
        let path = directory.join(Uuid::now_v7().simple().to_string());
        let file = File::options()
            .read(true)
            .write(true)
            .create_new(true)
            .open(&path)?;
        let temporary = Self {
            path,
            is_persisted: false,
        };
        Ok((temporary, file))
    }

    /// Moves the file to its final path, atomically.
    pub(super) fn persist(mut self, path: &Path) -> io::Result<()> {
        fs::rename(&self.path, path)?;
        self.is_persisted = true;
        Ok(())
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if !self.is_persisted {
            // A file that remains is deleted when the store is opened again.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Makes changes of names in a folder durable. Syncing a file covers only its content.
pub(super) fn sync_directory(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

/// Runs blocking work on tokio's blocking threads. The work runs to its end even if the request is cancelled.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, BlobApiError> + Send + 'static,
) -> Result<T, BlobApiError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => Err(io::Error::other(error).into()),
    }
}
