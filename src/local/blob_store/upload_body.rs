//! Contents on their way in: from a body, another blob, or parts, to a file that has no name yet.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use axum::body::{Body, HttpBody};
use http_body_util::BodyExt;
use ring::digest::{Context, SHA256};
use tokio::io::{AsyncWriteExt, BufWriter};
use uuid::Uuid;

use super::error::Refusal;

/// How much is written at a time.
const CHUNK_BYTES: usize = 256 * 1024;

/// A file that goes again, unless it is given a place.
#[derive(Debug)]
pub(super) struct Temporary {
    path: PathBuf,
    is_placed: bool,
}

impl Temporary {
    pub(super) fn create(directory: &Path) -> io::Result<(Self, File)> {
        let path = directory.join(Uuid::now_v7().simple().to_string());
        let file = File::options()
            .read(true)
            .write(true)
            .create_new(true)
            .open(&path)?;
        let temporary = Self {
            path,
            is_placed: false,
        };
        Ok((temporary, file))
    }

    /// Gives the file its place, in one step.
    pub(super) fn place(mut self, path: &Path) -> io::Result<()> {
        fs::rename(&self.path, path)?;
        self.is_placed = true;
        Ok(())
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if !self.is_placed {
            // What stays goes when the store is opened the next time.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// A content as a whole, not durable yet.
#[derive(Debug)]
pub(super) struct Incoming {
    pub(super) temporary: Temporary,
    pub(super) file: File,
    pub(super) size: u64,
    /// A hash of the content, in quotes.
    pub(super) etag: String,
}

impl Incoming {
    /// Takes a body, which may have at most `limit` bytes and must have `length`, if that is said.
    pub(super) async fn from_body(
        directory: PathBuf,
        mut body: Body,
        limit: u64,
        length: Option<u64>,
    ) -> Result<Self, Refusal> {
        if body.size_hint().lower() > limit {
            return Err(Refusal::TooLarge(limit));
        }
        let (temporary, file) = blocking(move || Ok(Temporary::create(&directory)?)).await?;
        let mut writer = BufWriter::with_capacity(CHUNK_BYTES, tokio::fs::File::from_std(file));
        let mut hash = Context::new(&SHA256);
        let mut size = 0;
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|_| Refusal::bad_request("the body broke off"))?;
            let Ok(data) = frame.into_data() else {
                continue;
            };
            size += data.len() as u64;
            if size > limit {
                return Err(Refusal::TooLarge(limit));
            }
            hash.update(&data);
            writer.write_all(&data).await?;
        }
        if length.is_some_and(|length| length != size) {
            return Err(Refusal::bad_request(
                "the body has another length than it says",
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

    /// Takes what sources hold, one after the other. Blocks.
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

/// Runs what waits for the disk where waiting holds up nobody. It runs to its end, also when the caller is
/// gone.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Refusal> + Send + 'static,
) -> Result<T, Refusal> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => Err(io::Error::other(error).into()),
    }
}
