//! The store itself: opened from its folder, changed in single steps.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{SubsecRound, Utc};
use uuid::Uuid;

use super::blob::Blob;
use super::error::Refusal;
use super::index::{Index, Page, PageQuery, page};
use super::options::{Condition, Properties};
use super::pathname::Pathname;
use super::recovery::{prepare, sync_directory};
use super::upload_body::{Incoming, blocking};
use crate::local::lock;
use crate::util::secret::Secret;

/// Why the store cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The folder is not ours.
    #[error(transparent)]
    Lock(#[from] lock::Error),
    /// The folder cannot be read.
    #[error("cannot use {0}")]
    Io(PathBuf, #[source] io::Error),
}

/// A Blob store in a folder. Cloning it makes another handle to the same store.
#[derive(Clone, Debug)]
pub struct BlobStore(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    directory: PathBuf,
    token: Secret,
    /// Changed together with the files, under this lock.
    index: Mutex<Index>,
    unreadable: Vec<PathBuf>,
    /// Held as long as the store is open.
    _lock: File,
}

/// What is done together with the writing of a blob.
#[derive(Debug)]
pub(super) enum Also {
    Nothing,
    /// Removes the blob that was copied, if it is still as it was: else it was written anew after the
    /// renaming, so to say.
    Remove(Blob),
    /// Ends the upload in this folder, which must still be there.
    EndUpload(PathBuf),
}

impl BlobStore {
    /// Opens the store in `directory`, which is made if it is not there, for those who have `token`
    /// (`vercel_blob_rw_{store id}_{secret}`). Blocks while it reads what blobs there are.
    ///
    /// # Errors
    /// If another process has it open, or it cannot be read.
    pub fn open(directory: &Path, token: &str) -> Result<Self, Error> {
        let (directory, lock) = lock::take(directory)?;
        let (index, unreadable) =
            prepare(&directory).map_err(|error| Error::Io(directory.clone(), error))?;
        Ok(Self(Arc::new(Inner {
            directory,
            token: Secret::new(token.to_owned()),
            index: Mutex::new(index),
            unreadable,
            _lock: lock,
        })))
    }

    /// Where the data lies.
    pub fn directory(&self) -> &Path {
        &self.0.directory
    }

    /// Files among the blobs that are none. They are left alone.
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

    /// A place for what goes on the next opening at the latest.
    pub(super) fn new_temporary(&self) -> PathBuf {
        self.temporary().join(Uuid::now_v7().simple().to_string())
    }

    fn index(&self) -> MutexGuard<'_, Index> {
        // Nothing that holds it can be half done when it panics: files first, then one change of the map.
        self.0.index.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn find(&self, pathname: &Pathname) -> Option<Arc<Blob>> {
        self.index().get(pathname).cloned()
    }

    pub(super) fn page(&self, query: &PageQuery) -> Page {
        page(&self.index(), query)
    }

    /// The blob and its content. What is read is one version, whatever happens to the name meanwhile.
    pub(super) async fn open_blob(&self, pathname: &Pathname) -> Result<(Blob, File), Refusal> {
        let path = self.path(pathname);
        blocking(move || {
            let mut file = match File::open(path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    return Err(Refusal::NotFound);
                }
                result => result?,
            };
            Ok((Blob::read_from(&mut file)?, file))
        })
        .await
    }

    /// Whether the blob could be written now. Asked before a body is read; [`Self::commit`] asks again.
    pub(super) fn check(&self, pathname: &Pathname, condition: &Condition) -> Result<(), Refusal> {
        condition.check(self.index().get(pathname).map(Arc::as_ref))
    }

    /// Makes a content the blob of this name, and does what belongs to it, in one step.
    pub(super) async fn commit(
        &self,
        incoming: Incoming,
        properties: Properties,
        also: Also,
    ) -> Result<Arc<Blob>, Refusal> {
        let store = self.clone();
        blocking(move || store.commit_now(incoming, properties, &also)).await
    }

    fn commit_now(
        &self,
        mut incoming: Incoming,
        properties: Properties,
        also: &Also,
    ) -> Result<Arc<Blob>, Refusal> {
        let blob = Arc::new(Blob {
            pathname: properties.pathname,
            access: properties.access,
            content_type: properties.content_type,
            cache_max_age: properties.cache_max_age,
            uploaded_at: Utc::now().trunc_subsecs(3),
            etag: incoming.etag,
            size: incoming.size,
        });
        blob.write_to(&mut incoming.file)?;
        incoming.file.sync_all()?;
        let mut index = self.index();
        let present = index.get(&blob.pathname).map(Arc::as_ref);
        properties.condition.check(present)?;
        if let Also::EndUpload(upload) = also
            && !upload.is_dir()
        {
            return Err(Refusal::NoSuchUpload);
        }
        incoming.temporary.place(&self.path(&blob.pathname))?;
        index.insert(blob.pathname.clone(), blob.clone());
        match also {
            Also::Nothing => {}
            Also::Remove(source) => {
                let is_as_it_was = index.get(&source.pathname).map(Arc::as_ref) == Some(source);
                if is_as_it_was && source.pathname != blob.pathname {
                    self.remove(&mut index, &source.pathname)?;
                }
            }
            Also::EndUpload(upload) => fs::rename(upload, self.new_temporary())?,
        }
        drop(index);
        sync_directory(&self.blobs())?;
        Ok(blob)
    }

    /// Writes another blob with the content of one.
    pub(super) async fn copy(
        &self,
        file: File,
        size: u64,
        properties: Properties,
        also: Also,
    ) -> Result<Arc<Blob>, Refusal> {
        let directory = self.temporary();
        let incoming =
            blocking(move || Ok(Incoming::from_readers(&directory, [Ok(file.take(size))])?));
        self.commit(incoming.await?, properties, also).await
    }

    /// Deletes blobs; those that are not there are no error, unless one must have an entity tag.
    pub(super) async fn delete(
        &self,
        pathnames: Vec<Pathname>,
        condition: Condition,
    ) -> Result<(), Refusal> {
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
                // Somebody was faster, by hand.
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            index.remove(pathname);
        }
        Ok(())
    }
}
