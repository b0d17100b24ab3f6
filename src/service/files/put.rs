//! Storing a file, with its preconditions.

use bytes::Bytes;

use super::{File, FileService};
use crate::blob::{Blob, CACHE_SECONDS, Put, PutBody, PutOptions, WriteCondition, paths};
use crate::domain::file_path::FilePath;
use crate::service::error::{Current, Error, Result};
use crate::service::volume::{VolumeSelection, writable};
use crate::service::warnings::warn_of_head_after_put;
use crate::service::written::Written;

/// When a file may be stored.
#[derive(Debug)]
pub enum PutPrecondition {
    /// Always.
    None,
    /// If the path has no file.
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
    pub(super) fn includes(&self, blob: &Blob) -> bool {
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
    /// Whether the request has an `Idempotency-Key`: if its precondition fails, a file that already has these contents
    /// and this type counts as the result of an earlier attempt.
    pub is_repeatable: bool,
}

impl FileService<'_> {
    /// Stores a file.
    ///
    /// # Errors
    /// If the caller may not write to the volume, the path is too long for it, or the precondition fails.
    pub async fn put(
        &self,
        volume: Option<VolumeSelection>,
        path: &FilePath,
        new: NewFile,
    ) -> Result<Written<File>> {
        let volume = writable(&self.context.caller, volume)?;
        let pathname = paths::file(&volume, path);
        if !paths::fits(&pathname) {
            return Err(Error::field("path", "is too long for this volume_id"));
        }
        let (body, expected) = match new.body {
            PutBody::Bytes(bytes) if new.is_repeatable => {
                (PutBody::Bytes(bytes.clone()), Some(bytes))
            }
            body => (body, None),
        };
        let mut options = PutOptions {
            content_type: new.content_type,
            cache_control_max_age: CACHE_SECONDS,
            condition: WriteCondition::Always,
        };
        let put = match self.write_condition(&pathname, new.precondition).await? {
            None => Put::PreconditionFailed,
            Some(condition) => {
                options.condition = condition;
                self.blobs.put(&pathname, body, &options).await?
            }
        };
        let to_file = |blob| File::new(&volume, path.as_str(), blob);
        if let Put::Done(stored) = put {
            return Ok(Written::now(to_file(self.with_properties(stored).await)));
        }
        let current = self.blobs.head(&pathname).await?;
        match (current, expected) {
            (Some(blob), Some(bytes)) if self.has_state(&blob, &options, &bytes).await? => {
                Ok(Written::replayed(to_file(blob)))
            }
            (current, _) => Err(Error::stale(Current::File(current.map(to_file)))),
        }
    }

    /// Adds the size and the time to a blob that was just stored: the reply to a put has neither.
    async fn with_properties(&self, stored: Blob) -> Blob {
        // The file is stored even if this call fails.
        let head = self.blobs.head(&stored.pathname).await;
        let head = head.inspect_err(warn_of_head_after_put).ok().flatten();
        head.filter(|head| head.etag == stored.etag)
            .unwrap_or(stored)
    }

    /// Returns whether a stored file already has these contents and the requested type.
    async fn has_state(&self, blob: &Blob, options: &PutOptions, contents: &Bytes) -> Result<bool> {
        let wanted = &options.content_type;
        if blob.size != contents.len() as u64 || (wanted.is_some() && blob.content_type != *wanted)
        {
            return Ok(false);
        }
        let read = self.blobs.read(&blob.pathname, contents.len()).await?;
        Ok(read.is_some_and(|read| read.etag == blob.etag && read.body == contents))
    }

    /// Returns the one condition that Blob checks for a precondition; `None` if it already fails.
    async fn write_condition(
        &self,
        pathname: &str,
        precondition: PutPrecondition,
    ) -> Result<Option<WriteCondition>> {
        let expected = match precondition {
            PutPrecondition::None => return Ok(Some(WriteCondition::Always)),
            PutPrecondition::Missing => return Ok(Some(WriteCondition::IfMissing)),
            PutPrecondition::Expected(expected) => expected,
        };
        let blob = self.blobs.head(pathname).await?;
        let blob = blob.filter(|blob| expected.includes(blob));
        Ok(blob.map(|blob| WriteCondition::IfMatch(blob.etag)))
    }
}
