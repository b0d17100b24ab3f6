//! Vercel Blob over REST: put, get, head, list, delete and copy of blobs.
