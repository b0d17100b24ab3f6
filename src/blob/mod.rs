//! Vercel Blob over REST: put, get, head, list, delete and copy of blobs.

pub mod client_token;
