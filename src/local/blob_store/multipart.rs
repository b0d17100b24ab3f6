//! Multipart uploads: parts that lie in a folder of their own until they become a blob.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::MAX_PARTS;
use super::blob::Blob;
use super::error::Refusal;
use super::options::Properties;
use super::parts::{Part, choose, file_name, gone, parts};
use super::pathname::Pathname;
use super::store::{Also, BlobStore};
use super::upload_body::{Incoming, blocking};

/// After which time an upload that was not completed is given up.
const ABANDONED_AFTER: Duration = Duration::from_secs(24 * 60 * 60);
/// What holds what was asked for when the upload began.
const RECORD: &str = "upload.json";

/// An upload that has begun.
#[derive(Debug)]
pub(super) struct Upload {
    pub(super) id: Uuid,
    directory: PathBuf,
    record: Record,
}

#[derive(Debug, Serialize, Deserialize)]
struct Record {
    /// The name that was asked for, which every call repeats; the blob's own may have a random suffix.
    pathname: Pathname,
    properties: Properties,
}

impl Upload {
    /// Begins an upload.
    pub(super) async fn create(
        store: &BlobStore,
        pathname: Pathname,
        properties: Properties,
    ) -> Result<Self, Refusal> {
        let (id, temporary) = (Uuid::now_v7(), store.temporary());
        let directory = store.uploads().join(id.simple().to_string());
        blocking(move || {
            // Made elsewhere and then renamed: an upload is there with its record, or not at all.
            let record = Record {
                pathname,
                properties,
            };
            let made = temporary.join(id.simple().to_string());
            fs::create_dir(&made)?;
            fs::write(
                made.join(RECORD),
                serde_json::to_vec(&record).map_err(io::Error::from)?,
            )?;
            fs::rename(&made, &directory)?;
            Ok(Self {
                id,
                directory,
                record,
            })
        })
        .await
    }

    /// An upload that has begun under this id, name and key.
    pub(super) async fn find(
        store: &BlobStore,
        id: &str,
        pathname: &Pathname,
        key: &str,
    ) -> Result<Self, Refusal> {
        let id = Uuid::parse_str(id).map_err(|_| Refusal::NoSuchUpload)?;
        let directory = store.uploads().join(id.simple().to_string());
        let path = directory.join(RECORD);
        let text = blocking(move || fs::read(path).map_err(gone)).await?;
        let record: Record = serde_json::from_slice(&text).map_err(io::Error::from)?;
        if record.pathname != *pathname || record.properties.pathname.as_str() != key {
            return Err(Refusal::NoSuchUpload);
        }
        Ok(Self {
            id,
            directory,
            record,
        })
    }

    /// The name that the blob is going to have.
    pub(super) fn key(&self) -> &str {
        self.record.properties.pathname.as_str()
    }

    /// Takes a part, in place of one with its number that was sent before, and gives its entity tag.
    pub(super) async fn receive(
        &self,
        store: &BlobStore,
        number: u64,
        body: Body,
    ) -> Result<String, Refusal> {
        if !(1..=MAX_PARTS).contains(&number) {
            return Err(Refusal::bad_request("part number must be from 1 to 10000"));
        }
        let maximum = self.record.properties.maximum;
        let limit = self.record.properties.body_limit();
        let part = Incoming::from_body(store.temporary(), body, limit, None).await?;
        let directory = self.directory.clone();
        blocking(move || {
            let others = parts(&directory)?;
            let (replaced, kept): (Vec<_>, Vec<_>) =
                others.into_iter().partition(|other| other.number == number);
            let total: u64 = kept.iter().map(|other| other.size).sum();
            if let Some(maximum) = maximum.filter(|maximum| total + part.size > *maximum) {
                return Err(Refusal::TooLarge(maximum));
            }
            let path = directory.join(file_name(number, &part.etag));
            part.temporary.place(&path).map_err(gone)?;
            for other in replaced.iter().filter(|other| other.path != path) {
                fs::remove_file(&other.path)?;
            }
            Ok(part.etag)
        })
        .await
    }

    /// Makes the parts one blob. The client names them in the order in which they arrived; what counts is
    /// their number.
    pub(super) async fn complete(
        self,
        store: &BlobStore,
        mut named: Vec<Part>,
    ) -> Result<Arc<Blob>, Refusal> {
        named.sort_by_key(|part| part.part_number);
        if named.is_empty()
            || named
                .windows(2)
                .any(|pair| pair[0].part_number == pair[1].part_number)
        {
            return Err(Refusal::bad_request(
                "parts must be at least one, each once",
            ));
        }
        let properties = self.record.properties;
        store.check(&properties.pathname, &properties.condition)?;
        let (directory, temporary) = (self.directory.clone(), store.temporary());
        let maximum = properties.maximum;
        let incoming = blocking(move || {
            let stored = parts(&directory)?;
            let chosen = choose(&stored, &named)?;
            let total: u64 = chosen.iter().map(|part| part.size).sum();
            if let Some(maximum) = maximum.filter(|maximum| total > *maximum) {
                return Err(Refusal::TooLarge(maximum));
            }
            let files = chosen.iter().map(|part| File::open(&part.path));
            Incoming::from_readers(&temporary, files).map_err(gone)
        })
        .await?;
        let also = Also::EndUpload(self.directory);
        store.commit(incoming, properties, also).await
    }
}

/// Removes the uploads that nobody is going to complete.
pub(super) fn remove_abandoned(uploads: &Path) -> io::Result<()> {
    for entry in fs::read_dir(uploads)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        // Each part that arrives changes the folder.
        let age = metadata.modified()?.elapsed();
        if metadata.is_dir() && age.is_ok_and(|age| age > ABANDONED_AFTER) {
            fs::remove_dir_all(entry.path())?;
        }
    }
    Ok(())
}
