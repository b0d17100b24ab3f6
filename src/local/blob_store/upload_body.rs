//! The content of a write: copied from a request body, another blob or parts into a temporary file.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use axum::body::{Body, HttpBody};
use http_body_util::BodyExt;
use ring::digest::{Context, SHA256};
use tokio::io::{AsyncWriteExt, BufWriter};

use super::disk::{Temporary, blocking};
use super::error::BlobApiError;

/// Buffer size of reads and writes.
const CHUNK_BYTES: usize = 256 * 1024;

/// A complete content in a temporary file that is not synced yet.
#[derive(Debug)]
pub(super) struct UploadBody {
    pub(super) temporary: Temporary,
    pub(super) file: File,
    pub(super) size: u64,
    /// Hash of the content, in quotes.
    pub(super) etag: String,
}

impl UploadBody {
    /// Stores a request body of at most `limit` bytes, and of exactly `length` bytes if that is given.
    pub(super) async fn from_body(
        directory: PathBuf,
        mut body: Body,
        limit: u64,
        length: Option<u64>,
    ) -> Result<Self, BlobApiError> {
        if body.size_hint().lower() > limit {
            return Err(BlobApiError::TooLarge(limit));
        }
        let (temporary, file) = blocking(move || Ok(Temporary::create(&directory)?)).await?;
        let mut writer = BufWriter::with_capacity(CHUNK_BYTES, tokio::fs::File::from_std(file));
        let mut hash = Context::new(&SHA256);
        let mut size = 0;
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|_| BlobApiError::bad_request("the body ended early"))?;
            let Ok(data) = frame.into_data() else {
                continue;
            };
            size += data.len() as u64;
            if size > limit {
                return Err(BlobApiError::TooLarge(limit));
            }
            hash.update(&data);
            writer.write_all(&data).await?;
        }
        if length.is_some_and(|length| length != size) {
            return Err(BlobApiError::bad_request(
                "the body length differs from x-content-length",
            ));
        }
        writer.flush().await?;
        Ok(Self {
            temporary,
            file: writer.into_inner().into_std().await,
            size,
            etag: etag(hash),
        })
    }

    /// Stores the concatenated content of `sources`. Blocks.
    pub(super) fn from_readers<R: Read>(
        directory: &Path,
        sources: impl IntoIterator<Item = io::Result<R>>,
    ) -> io::Result<Self> {
        let (temporary, mut file) = Temporary::create(directory)?;
        let mut hash = Context::new(&SHA256);
        let mut size = 0;
        let mut chunk = vec![0; CHUNK_BYTES];
        for source in sources {
            let mut source = source?;
            loop {
                let length = source.read(&mut chunk)?;
                if length == 0 {
                    break;
                }
                hash.update(&chunk[..length]);
                file.write_all(&chunk[..length])?;
                size += length as u64;
            }
        }
        Ok(Self {
            temporary,
            file,
            size,
            etag: etag(hash),
        })
    }
}

fn etag(hash: Context) -> String {
    format!("\"{}\"", hex::encode(&hash.finish().as_ref()[..16]))
}
