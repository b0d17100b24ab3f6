//! Operations on the files of a volume.

pub(in crate::service) mod file;
mod list;
mod put;
mod upload;

use bytes::Bytes;

pub use self::file::File;
pub use self::list::{FileList, ListFiles};
pub use self::put::{ExpectedFile, NewFile, PutPrecondition};
pub use self::upload::{MAX_UPLOAD_BYTES, UploadRequest, UploadToken};
use super::error::{Current, Error, Resource, Result};
use super::volume::{VolumeSelection, readable, writable};
use crate::blob::{Blob, Blobs, ContentRequest, Fetched, paths};
use crate::domain::file_path::{FilePath, StoredPath};
use crate::domain::request_context::RequestContext;
use crate::domain::volume::Volume;

const NOT_FOUND: Error = Error::NotFound(Resource::File);

/// The files that one request may access.
#[derive(Debug)]
pub struct FileService<'a> {
    blobs: Blobs,
    context: &'a RequestContext,
}

impl<'a> FileService<'a> {
    /// Returns the files behind `blobs` as the caller of a request may access them.
    pub(crate) fn new(blobs: Blobs, context: &'a RequestContext) -> Self {
        Self { blobs, context }
    }

    /// Reads a file, or a part of it.
    ///
    /// # Errors
    /// If the caller may not read the volume.
    pub async fn get(
        &self,
        volume: Option<VolumeSelection>,
        path: &StoredPath,
        request: &ContentRequest,
    ) -> Result<Fetched> {
        let volume = self.readable(volume)?;
        for (_, pathname) in pathnames(&volume, path) {
            match self.blobs.get(&pathname, request).await? {
                Fetched::Missing => {}
                found => return Ok(found),
            }
        }
        Ok(Fetched::Missing)
    }

    /// Reads a whole file of at most `max_bytes`; `None` if it does not exist.
    ///
    /// # Errors
    /// If the caller may not read the volume, or the file is larger.
    pub(in crate::service) async fn read(
        &self,
        volume: Option<VolumeSelection>,
        path: &StoredPath,
        max_bytes: usize,
    ) -> Result<Option<Bytes>> {
        let volume = self.readable(volume)?;
        for (_, pathname) in pathnames(&volume, path) {
            if let Some(found) = self.blobs.read(&pathname, max_bytes).await? {
                return Ok(Some(found.body));
            }
        }
        Ok(None)
    }

    /// Returns the properties of a file.
    ///
    /// # Errors
    /// If the file is missing or the caller may not read it.
    pub async fn head(&self, volume: Option<VolumeSelection>, path: &StoredPath) -> Result<File> {
        let volume = self.readable(volume)?;
        let (path, _, blob) = self.find(&volume, path).await?;
        Ok(File::new(&volume, path.as_str(), blob))
    }

    /// Returns the path, the pathname and the metadata of a stored file.
    async fn find(&self, volume: &Volume, path: &StoredPath) -> Result<(StoredPath, String, Blob)> {
        for (path, pathname) in pathnames(volume, path) {
            if let Some(blob) = self.blobs.head(&pathname).await? {
                return Ok((path, pathname, blob));
            }
        }
        Err(NOT_FOUND)
    }

    /// Returns the path that a link to `path` contains. A path that this service would not store must belong to a stored
    /// file.
    ///
    /// # Errors
    /// If the path is invalid.
    pub async fn path_for_link(&self, volume: &Volume, path: &str) -> Result<StoredPath> {
        let stored = StoredPath::parse(path);
        match (FilePath::parse(path), stored) {
            (Ok(path), stored) => Ok(stored.unwrap_or_else(|| path.into())),
            (Err(rule), None) => Err(Error::field("path", rule)),
            (Err(rule), Some(stored)) => match self.find(volume, &stored).await {
                Err(Error::NotFound(_)) => Err(Error::field("path", rule)),
                found => found.map(|(path, ..)| path),
            },
        }
    }

    /// Deletes a file. With `expected`, only if the file is in this state.
    ///
    /// # Errors
    /// If the file is missing or the caller may not change it, or it has another entity tag.
    pub async fn delete(
        &self,
        volume: Option<VolumeSelection>,
        path: &StoredPath,
        expected: Option<&ExpectedFile>,
    ) -> Result<()> {
        let volume = writable(&self.context.caller, volume)?;
        let (path, pathname, blob) = self.find(&volume, path).await?;
        if expected.is_some_and(|expected| !expected.includes(&blob)) {
            return Err(stale(&volume, &path, blob));
        }
        let if_match = expected.map(|_| blob.etag.as_str());
        if !self.blobs.delete(&[&pathname], if_match).await? {
            // If the file is gone, our own call deleted it and its first reply was lost.
            if let Some(current) = self.blobs.head(&pathname).await? {
                return Err(stale(&volume, &path, current));
            }
        }
        Ok(())
    }

    fn readable(&self, volume: Option<VolumeSelection>) -> Result<Volume> {
        let caller = &self.context.caller;
        readable(caller, volume, caller.default_volume())
    }
}

/// Returns the paths and pathnames under which a file may be stored. A pathname that does not fit cannot exist.
fn pathnames(volume: &Volume, path: &StoredPath) -> impl Iterator<Item = (StoredPath, String)> {
    let named = path.candidates().map(|path| {
        let pathname = paths::stored_file(volume, &path);
        (path, pathname)
    });
    named.filter(|(_, pathname)| paths::fits(pathname))
}

fn stale(volume: &Volume, path: &StoredPath, current: Blob) -> Error {
    let current = File::new(volume, path.as_str(), current);
    Error::stale(Current::File(Some(current)))
}
