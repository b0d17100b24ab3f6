//! Short hashes, for telling things apart: not for keeping secrets.

use ring::digest::{Context, SHA256};

/// The first 64 bits of a SHA-256 of `parts`, in hexadecimal. Where one part ends and the next begins counts.
pub fn short_hash(parts: &[&[u8]]) -> String {
    let mut hash = Context::new(&SHA256);
    for part in parts {
        hash.update(&part.len().to_be_bytes());
        hash.update(part);
    }
    let hash = hash.finish();
    hash.as_ref()[..8]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
