//! The store: blobs as files, their index in memory, and atomic changes of both.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{SubsecRound, Utc};
use uuid::Uuid;

use super::blob::Blob;
use super::disk::{blocking, sync_directory};
use super::error::BlobApiError;
use super::index::{Index, Page, PageQuery, page};
use super::metadata::{BlobMetadata, Condition};
use super::pathname::Pathname;
use super::upload_body::UploadBody;
use crate::util::secret::Secret;

/// A Blob store in a folder. Cloning it makes another handle to the same store.
#[derive(Clone, Debug)]
pub struct BlobStore(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    directory: PathBuf,
    token: Secret,
    /// The lock covers every change of index and files.
    index: Mutex<Index>,
    unreadable: Vec<PathBuf>,
    /// Locks the folder while the store is open.
    _lock: File,
}

/// A change that is committed together with the new blob.
#[derive(Debug)]
pub(super) enum AfterCommit {
    Nothing,
    /// Removes the source of a rename, unless it was overwritten since it was read.
    RemoveSource(Blob),
    /// Removes the multipart upload in this folder. The commit fails if the folder is missing.
    RemoveUpload(PathBuf),
}

impl BlobStore {
    /// Creates the store of a recovered and locked folder.
    pub(super) fn new(
        directory: PathBuf,
        token: Secret,
        index: Index,
        unreadable: Vec<PathBuf>,
        lock: File,
    ) -> Self {
        Self(Arc::new(Inner {
            directory,
            token,
            index: Mutex::new(index),
            unreadable,
            _lock: lock,
        }))
    }

    /// Returns the folder of the data.
    pub fn directory(&self) -> &Path {
        &self.0.directory
    }

    /// Returns the files in the blob folder that are not valid blobs. The store does not change them.
    pub fn unreadable(&self) -> &[PathBuf] {
        &self.0.unreadable
    }

    pub(super) fn token(&self) -> &str {
        self.0.token.reveal()
    }

    pub(super) fn temporary(&self) -> PathBuf {
        self.0.directory.join("temporary")
    }

    pub(super) fn uploads(&self) -> PathBuf {
        self.0.directory.join("uploads")
    }

    fn blobs(&self) -> PathBuf {
        self.0.directory.join("blobs")
    }

    fn path(&self, pathname: &Pathname) -> PathBuf {
        self.blobs().join(pathname.file_name())
    }

    /// Returns a new path in the temporary folder, which is emptied when the store is opened.
    fn new_temporary(&self) -> PathBuf {
        self.temporary().join(Uuid::now_v7().simple().to_string())
    }

    fn index(&self) -> MutexGuard<'_, Index> {
        // A panic cannot leave the index inconsistent: files are changed first, then the map in one call.
        self.0.index.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the metadata of a blob.
    pub(super) fn find(&self, pathname: &Pathname) -> Option<Arc<Blob>> {
        self.index().get(pathname).cloned()
    }

    /// Returns a page of the list.
    pub(super) fn page(&self, query: &PageQuery) -> Page {
        page(&self.index(), query)
    }

    /// Opens a blob. The open file stays the same version even if the blob is overwritten or deleted.
    pub(super) async fn open_blob(
        &self,
        pathname: &Pathname,
    ) -> Result<(Blob, File), BlobApiError> {
        let path = self.path(pathname);
        blocking(move || {
            let mut file = match File::open(path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    return Err(BlobApiError::NotFound);
                }
                result => result?,
            };
            Ok((Blob::read_from(&mut file)?, file))
        })
        .await
    }

    /// Checks the precondition before the body is read. [`Self::commit`] checks it again.
    pub(super) fn check(
        &self,
        pathname: &Pathname,
        condition: &Condition,
    ) -> Result<(), BlobApiError> {
        condition.check(self.index().get(pathname).map(Arc::as_ref))
    }

    /// Writes a blob and applies `after`, atomically.
    pub(super) async fn commit(
        &self,
        body: UploadBody,
        metadata: BlobMetadata,
        after: AfterCommit,
    ) -> Result<Arc<Blob>, BlobApiError> {
        let store = self.clone();
        blocking(move || store.commit_now(body, metadata, &after)).await
    }

    fn commit_now(
        &self,
        mut body: UploadBody,
        metadata: BlobMetadata,
        after: &AfterCommit,
    ) -> Result<Arc<Blob>, BlobApiError> {
        let blob = Arc::new(Blob {
            pathname: metadata.pathname,
            access: metadata.access,
            content_type: metadata.content_type,
            cache_max_age: metadata.cache_max_age,
            uploaded_at: Utc::now().trunc_subsecs(3),
            etag: body.etag,
            size: body.size,
        });
        blob.write_to(&mut body.file)?;
        body.file.sync_all()?;
        let mut index = self.index();
        let present = index.get(&blob.pathname).map(Arc::as_ref);
        metadata.condition.check(present)?;
        if let AfterCommit::RemoveUpload(upload) = after
            && !upload.is_dir()
        {
            return Err(BlobApiError::NoSuchUpload);
        }
        body.temporary.persist(&self.path(&blob.pathname))?;
        index.insert(blob.pathname.clone(), blob.clone());
        match after {
            AfterCommit::Nothing => {}
            AfterCommit::RemoveSource(source) => {
                let is_unchanged = index.get(&source.pathname).map(Arc::as_ref) == Some(source);
                if is_unchanged && source.pathname != blob.pathname {
                    self.remove(&mut index, &source.pathname)?;
                }
            }
            AfterCommit::RemoveUpload(upload) => fs::rename(upload, self.new_temporary())?,
        }
        drop(index);
        sync_directory(&self.blobs())?;
        Ok(blob)
    }

    /// Writes a blob with the content of an open file.
    pub(super) async fn copy(
        &self,
        file: File,
        size: u64,
        metadata: BlobMetadata,
        after: AfterCommit,
    ) -> Result<Arc<Blob>, BlobApiError> {
        let directory = self.temporary();
        let body =
            blocking(move || Ok(UploadBody::from_readers(&directory, [Ok(file.take(size))])?));
        self.commit(body.await?, metadata, after).await
    }

    /// Deletes blobs. A missing blob is an error only if the condition has an entity tag.
    pub(super) async fn delete(
        &self,
        pathnames: Vec<Pathname>,
        condition: Condition,
    ) -> Result<(), BlobApiError> {
        let store = self.clone();
        blocking(move || {
            for pathname in &pathnames {
                let mut index = store.index();
                condition.check(index.get(pathname).map(Arc::as_ref))?;
                store.remove(&mut index, pathname)?;
            }
            Ok(sync_directory(&store.blobs())?)
        })
        .await
    }

    fn remove(&self, index: &mut Index, pathname: &Pathname) -> io::Result<()> {
        if index.contains_key(pathname) {
            match fs::remove_file(self.path(pathname)) {
                // The file was deleted by hand.
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            index.remove(pathname);
        }
        Ok(())
    }
}
