//! Operations on the files of a volume.

pub(in crate::service) mod file;
mod list;
mod upload;

pub use self::file::File;
pub use self::list::{FileList, ListFiles};
pub use self::upload::{MAX_UPLOAD_BYTES, UploadRequest, UploadToken};
use super::error::{Current, Error, Resource, Result};
use super::volume::{VolumeSelection, readable, writable};
use super::warnings::warn_of_head_after_put;
use crate::blob::{
    Blob, Blobs, ContentRequest, Fetched, Put, PutBody, PutOptions, WriteCondition, paths,
};
use crate::domain::file_path::FilePath;
use crate::domain::request_context::RequestContext;
use crate::domain::volume::Volume;

/// The time for which caches may keep a file, in seconds: the shortest that Vercel accepts. Our reads bypass caches.
const CACHE_SECONDS: u32 = 60;

const NOT_FOUND: Error = Error::NotFound(Resource::File);

/// The files that one request may access.
#[derive(Debug)]
pub struct FileService<'a> {
    blobs: Blobs,
    context: &'a RequestContext,
}

/// When a file may be stored.
#[derive(Debug)]
pub enum PutPrecondition {
    /// Always.
    None,
    /// If there is no file at the path.
    Missing,
    /// If the file is in an expected state.
    Expected(ExpectedFile),
}

/// The state in which a file must be.
#[derive(Debug)]
pub enum ExpectedFile {
    /// It exists.
    Any,
    /// It has one of these entity tags.
    OneOf(Vec<String>),
}

impl ExpectedFile {
    fn includes(&self, blob: &Blob) -> bool {
        match self {
            Self::Any => true,
            Self::OneOf(tags) => tags.contains(&blob.etag),
        }
    }
}

/// A file to store.
#[derive(Debug)]
pub struct NewFile {
    /// The media type; derived from the path if it is missing.
    pub content_type: Option<String>,
    /// The contents.
    pub body: PutBody,
    /// When it may be stored.
    pub precondition: PutPrecondition,
}

impl<'a> FileService<'a> {
    /// Returns the files behind `blobs` as the caller of a request may access them.
    pub(crate) fn new(blobs: Blobs, context: &'a RequestContext) -> Self {
        Self { blobs, context }
    }

    /// Stores a file.
    ///
    /// # Errors
    /// If the caller may not write to the volume, the path is too long for it, or the precondition fails.
    pub async fn put(
        &self,
        volume: Option<VolumeSelection>,
        path: &FilePath,
        new: NewFile,
    ) -> Result<File> {
        let volume = writable(&self.context.caller, volume)?;
        let pathname = paths::file(&volume, path);
        if !paths::fits(&pathname) {
            return Err(Error::field("path", "is too long for this volume_id"));
        }
        let options = PutOptions {
            content_type: new.content_type,
            cache_control_max_age: CACHE_SECONDS,
            condition: self
                .write_condition(&volume, path, new.precondition)
                .await?,
        };
        match self.blobs.put(&pathname, new.body, &options).await? {
            Put::Done(stored) => {
                // The reply to a put has neither size nor time. The file is stored even if this call fails.
                let head = self.blobs.head(&pathname).await;
                let head = head.inspect_err(warn_of_head_after_put).ok().flatten();
                let blob = head
                    .filter(|head| head.etag == stored.etag)
                    .unwrap_or(stored);
                Ok(File::new(&volume, path.as_str(), blob))
            }
            Put::PreconditionFailed => Err(stale(&volume, path, self.blobs.head(&pathname).await?)),
        }
    }

    /// Returns the one condition that Blob checks for a precondition.
    async fn write_condition(
        &self,
        volume: &Volume,
        path: &FilePath,
        precondition: PutPrecondition,
    ) -> Result<WriteCondition> {
        let expected = match precondition {
            PutPrecondition::None => return Ok(WriteCondition::Always),
            PutPrecondition::Missing => return Ok(WriteCondition::IfMissing),
            PutPrecondition::Expected(expected) => expected,
        };
        match self.blobs.head(&paths::file(volume, path)).await? {
            Some(blob) if expected.includes(&blob) => Ok(WriteCondition::IfMatch(blob.etag)),
            found => Err(stale(volume, path, found)),
        }
    }

    /// Reads a file, or a part of it.
    ///
    /// # Errors
    /// If the caller may not read the volume.
    pub async fn get(
        &self,
        volume: Option<VolumeSelection>,
        path: &FilePath,
        request: &ContentRequest,
    ) -> Result<Fetched> {
        let volume = self.readable(volume)?;
        Ok(self.blobs.get(&paths::file(&volume, path), request).await?)
    }

    /// Returns the properties of a file.
    ///
    /// # Errors
    /// If there is no such file that the caller may read.
    pub async fn head(&self, volume: Option<VolumeSelection>, path: &FilePath) -> Result<File> {
        let volume = self.readable(volume)?;
        let blob = self.blobs.head(&paths::file(&volume, path)).await?;
        Ok(File::new(&volume, path.as_str(), blob.ok_or(NOT_FOUND)?))
    }

    /// Deletes a file. With `expected`, only if the file is in this state.
    ///
    /// # Errors
    /// If there is no such file that the caller may write to, or it has another entity tag.
    pub async fn delete(
        &self,
        volume: Option<VolumeSelection>,
        path: &FilePath,
        expected: Option<&ExpectedFile>,
    ) -> Result<()> {
        let volume = writable(&self.context.caller, volume)?;
        let pathname = paths::file(&volume, path);
        let blob = self.blobs.head(&pathname).await?.ok_or(NOT_FOUND)?;
        if expected.is_some_and(|expected| !expected.includes(&blob)) {
            return Err(stale(&volume, path, Some(blob)));
        }
        let if_match = expected.map(|_| blob.etag.as_str());
        if !self.blobs.delete(&[&pathname], if_match).await? {
            // If the file is gone, our own call deleted it and its first reply was lost.
            if let Some(current) = self.blobs.head(&pathname).await? {
                return Err(stale(&volume, path, Some(current)));
            }
        }
        Ok(())
    }

    fn readable(&self, volume: Option<VolumeSelection>) -> Result<Volume> {
        let caller = &self.context.caller;
        readable(caller, volume, caller.default_volume())
    }
}

fn stale(volume: &Volume, path: &FilePath, current: Option<Blob>) -> Error {
    let current = current.map(|blob| File::new(volume, path.as_str(), blob));
    Error::stale(Current::File(current))
}
