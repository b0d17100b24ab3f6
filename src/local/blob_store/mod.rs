//! A Blob store on disk that speaks the protocol of Vercel Blob, for `cargo run` and for tests.
//!
//! The API lies at `/_blob`, contents at `/_blob/content`. Point a program that uses the official client at
//! it with `VERCEL_BLOB_API_URL` and `BLOB_READ_WRITE_TOKEN`.
//!
//! | below the folder | what |
//! |---|---|
//! | `blobs/{hash of the pathname}` | a blob, content and properties in one file |
//! | `uploads/{id}/` | a multipart upload that is not complete: `upload.json`, and a file for each part |
//! | `temporary/` | what is being written; emptied on opening |
//! | `lock` | held by the process that has the store open |
//!
//! A blob is written beside its place, synced, and renamed into it; the index of all blobs lives in memory
//! and is made from the files on opening. Conditions are checked and the rename is done under one lock. So a
//! blob is the old or the new one, whenever the process is killed.

mod api;
mod blob;
mod callback;
mod caller;
mod content;
mod drain;
mod error;
mod extract;
mod index;
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

pub use self::router::router;
pub use self::store::{BlobStore, Error};

/// The token of the local server's store. It is no secret: the store is only as open as its port.
pub const LOCAL_TOKEN: &str = "vercel_blob_rw_local_development";
/// The most bytes of a blob that is put in one request, and of a part.
pub const MAX_PUT_BYTES: u64 = 500 * 1024 * 1024;
/// The fewest bytes of a part, the last one aside.
pub const MIN_PART_BYTES: u64 = 5 * 1024 * 1024;
/// The most parts of a multipart upload.
pub const MAX_PARTS: u64 = 10_000;
