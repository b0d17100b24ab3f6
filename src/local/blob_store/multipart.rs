//! Multipart uploads: the parts are files in a folder until the upload is completed.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::blob::Blob;
use super::disk::blocking;
use super::error::BlobApiError;
use super::limits::MAX_PARTS;
use super::metadata::BlobMetadata;
use super::parts::{Part, choose, file_name, missing_upload, parts};
use super::pathname::Pathname;
use super::store::{AfterCommit, BlobStore};
use super::upload_body::UploadBody;

/// Age at which an incomplete upload is removed.
const ABANDONED_AFTER: Duration = Duration::from_secs(24 * 60 * 60);
/// Name of the file with the upload's [`Record`].
const RECORD_FILE: &str = "upload.json";

/// An incomplete upload.
#[derive(Debug)]
pub(super) struct Upload {
    pub(super) id: Uuid,
    directory: PathBuf,
    record: Record,
}

#[derive(Debug, Serialize, Deserialize)]
struct Record {
    /// Requested pathname, which every call repeats. The blob's pathname may have a random suffix.
    pathname: Pathname,
    #[serde(rename = "properties")]
    metadata: BlobMetadata,
}

impl Upload {
    /// Creates an upload.
    pub(super) async fn create(
        store: &BlobStore,
        pathname: Pathname,
        metadata: BlobMetadata,
    ) -> Result<Self, BlobApiError> {
        let (id, temporary) = (Uuid::now_v7(), store.temporary());
        let directory = store.uploads().join(id.simple().to_string());
        blocking(move || {
            // Created elsewhere and then renamed, so that no upload exists without its record.
            let record = Record { pathname, metadata };
            let new = temporary.join(id.simple().to_string());
            fs::create_dir(&new)?;
            fs::write(
                new.join(RECORD_FILE),
                serde_json::to_vec(&record).map_err(io::Error::from)?,
            )?;
            fs::rename(&new, &directory)?;
            Ok(Self {
                id,
                directory,
                record,
            })
        })
        .await
    }

    /// Returns the upload with this id, pathname and key.
    pub(super) async fn find(
        store: &BlobStore,
        id: &str,
        pathname: &Pathname,
        key: &str,
    ) -> Result<Self, BlobApiError> {
        let id = Uuid::parse_str(id).map_err(|_| BlobApiError::NoSuchUpload)?;
        let directory = store.uploads().join(id.simple().to_string());
        let path = directory.join(RECORD_FILE);
        let text = blocking(move || fs::read(path).map_err(missing_upload)).await?;
        let record: Record = serde_json::from_slice(&text).map_err(io::Error::from)?;
        if record.pathname != *pathname || record.metadata.pathname.as_str() != key {
            return Err(BlobApiError::NoSuchUpload);
        }
        Ok(Self {
            id,
            directory,
            record,
        })
    }

    /// Returns the pathname that the blob will have.
    pub(super) fn key(&self) -> &str {
        self.record.metadata.pathname.as_str()
    }

    /// Stores a part, which replaces an earlier part of the same number, and returns its entity tag.
    pub(super) async fn receive(
        &self,
        store: &BlobStore,
        number: u64,
        body: Body,
    ) -> Result<String, BlobApiError> {
        if !(1..=MAX_PARTS).contains(&number) {
            return Err(BlobApiError::bad_request(
                "part number must be from 1 to 10000",
            ));
        }
        let max_bytes = self.record.metadata.max_bytes;
        let limit = self.record.metadata.body_limit();
        let part = UploadBody::from_body(store.temporary(), body, limit, None).await?;
        let directory = self.directory.clone();
        blocking(move || {
            let others = parts(&directory)?;
            let (replaced, kept): (Vec<_>, Vec<_>) =
                others.into_iter().partition(|other| other.number == number);
            let total: u64 = kept.iter().map(|other| other.size).sum();
            if let Some(max_bytes) = max_bytes.filter(|max_bytes| total + part.size > *max_bytes) {
                return Err(BlobApiError::TooLarge(max_bytes));
            }
            let path = directory.join(file_name(number, &part.etag));
            part.temporary.persist(&path).map_err(missing_upload)?;
            for other in replaced.iter().filter(|other| other.path != path) {
                fs::remove_file(&other.path)?;
            }
            Ok(part.etag)
        })
        .await
    }

    /// Concatenates the listed parts to a blob, in the order of their numbers. The client lists them in the order of
    /// their upload.
    pub(super) async fn complete(
        self,
        store: &BlobStore,
        mut listed: Vec<Part>,
    ) -> Result<Arc<Blob>, BlobApiError> {
        listed.sort_by_key(|part| part.part_number);
        if listed.is_empty()
            || listed
                .windows(2)
                .any(|pair| pair[0].part_number == pair[1].part_number)
        {
            return Err(BlobApiError::bad_request(
                "parts must not be empty or contain a part number twice",
            ));
        }
        let metadata = self.record.metadata;
        store.check(&metadata.pathname, &metadata.condition)?;
        let (directory, temporary) = (self.directory.clone(), store.temporary());
        let max_bytes = metadata.max_bytes;
        let body = blocking(move || {
            let stored = parts(&directory)?;
            let chosen = choose(&stored, &listed)?;
            let total: u64 = chosen.iter().map(|part| part.size).sum();
            if let Some(max_bytes) = max_bytes.filter(|max_bytes| total > *max_bytes) {
                return Err(BlobApiError::TooLarge(max_bytes));
            }
            let files = chosen.iter().map(|part| File::open(&part.path));
            UploadBody::from_readers(&temporary, files).map_err(missing_upload)
        })
        .await?;
        let after = AfterCommit::RemoveUpload(self.directory);
        store.commit(body, metadata, after).await
    }
}

/// Removes uploads that were not completed in time.
pub(super) fn remove_abandoned(uploads: &Path) -> io::Result<()> {
    for entry in fs::read_dir(uploads)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        // The modification time of the folder is that of its newest part.
        let age = metadata.modified()?.elapsed();
        if metadata.is_dir() && age.is_ok_and(|age| age > ABANDONED_AFTER) {
            fs::remove_dir_all(entry.path())?;
        }
    }
    Ok(())
}
