//! A Blob store on disk that speaks the protocol of Vercel Blob, for `cargo run` and for tests.
//!
//! The API is at `/_blob`, contents are at `/_blob/content`. A program that uses the official client connects to it
//! with `VERCEL_BLOB_API_URL` and `BLOB_READ_WRITE_TOKEN`.
//!
//! | path in the folder | content |
//! |---|---|
//! | `blobs/{hash of the pathname}` | a blob, content and metadata in one file |
//! | `uploads/{id}/` | an incomplete multipart upload: `upload.json`, and a file for each part |
//! | `temporary/` | files that are being written; emptied on opening |
//! | `lock` | locked by the process that has the store open |
//!
//! A write creates a temporary file, syncs it, and renames it. The index of all blobs is in memory and is built from
//! the files on opening. A lock covers the check of the precondition and the rename. A crash therefore leaves either
//! the old or the new blob.

mod api;
mod blob;
mod callback;
mod caller;
mod content;
mod disk;
mod drain;
mod error;
mod extract;
mod headers;
mod index;
mod limits;
mod metadata;
mod multipart;
mod multipart_api;
mod options;
mod parts;
mod pathname;
mod recovery;
mod require_loopback;
mod router;
mod store;
mod upload_body;
mod written;

use std::io;
use std::path::{Path, PathBuf};

use super::lock;
use crate::util::secret::Secret;

pub use self::limits::{MAX_PARTS, MAX_PUT_BYTES, MIN_PART_BYTES};
pub use self::router::{router, router_with_hosts};
pub use self::store::BlobStore;

/// Token of the local server's store. It is public: the store accepts requests from its own machine only.
pub const LOCAL_TOKEN: &str = "vercel_blob_rw_local_development";

/// Failure to open the store.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The folder cannot be locked.
    #[error(transparent)]
    Lock(#[from] lock::Error),
    /// The folder cannot be read.
    #[error("cannot use {0}")]
    Io(PathBuf, #[source] io::Error),
}

impl BlobStore {
    /// Opens the store in `directory`, which is created if it is missing, for clients with `token`
    /// (`vercel_blob_rw_{store id}_{secret}`). Blocks while it reads the blobs.
    ///
    /// # Errors
    /// [`Error::Lock`] if another process has the store open, [`Error::Io`] if the folder cannot be read.
    pub fn open(directory: &Path, token: &str) -> Result<Self, Error> {
        let (directory, lock) = lock::acquire(directory)?;
        let (index, unreadable) =
            recovery::prepare(&directory).map_err(|error| Error::Io(directory.clone(), error))?;
        let token = Secret::new(token.to_owned());
        Ok(Self::new(directory, token, index, unreadable, lock))
    }
}
