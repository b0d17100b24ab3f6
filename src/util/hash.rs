//! Hashes: SHA-256, and SHA-1 where Redis computes the same.

use ring::digest::{Context, SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};

/// Returns the SHA-256 of `bytes`.
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest(&SHA256, bytes).as_ref());
    hash
}

/// Returns the SHA-1 of a text in hexadecimal: the only hash that Redis offers to scripts. It detects changes; nothing may
/// rely on it being hard to forge.
pub(crate) fn sha1(text: &str) -> String {
    hex::encode(digest(&SHA1_FOR_LEGACY_USE_ONLY, text.as_bytes()))
}

/// Returns the first `N` bytes (at most 32) of the SHA-256 of `parts`, in hexadecimal. The length of each part is
/// hashed with it, so `["ab", "c"]` and `["a", "bc"]` differ. For identifiers, not for secrets.
pub fn sha256_hex<const N: usize>(parts: &[&[u8]]) -> String {
    const { assert!(N <= 32) };
    let mut hash = Context::new(&SHA256);
    for part in parts {
        hash.update(&part.len().to_be_bytes());
        hash.update(part);
    }
    hex::encode(&hash.finish().as_ref()[..N])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hash_has_the_requested_length_and_depends_on_the_parts() {
        assert_eq!(sha256_hex::<8>(&[b"a"]).len(), 16);
        assert_eq!(sha256_hex::<16>(&[b"a"]).len(), 32);
        assert_ne!(
            sha256_hex::<16>(&[b"ab", b"c"]),
            sha256_hex::<16>(&[b"a", b"bc"])
        );
        assert_ne!(sha256_hex::<16>(&[b"a"]), sha256_hex::<16>(&[b"a", b""]));
    }
}
