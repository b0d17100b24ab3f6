//! Hashes in hexadecimal, for telling things apart: not for keeping secrets.

use ring::digest::{Context, SHA256};

/// The first `N` bytes (at most 32) of a SHA-256 of `parts`. Where one part ends and the next begins counts.
pub fn sha256_hex<const N: usize>(parts: &[&[u8]]) -> String {
    const { assert!(N <= 32) };
    let mut hash = Context::new(&SHA256);
    for part in parts {
        hash.update(&part.len().to_be_bytes());
        hash.update(part);
    }
    hex(&hash.finish().as_ref()[..N])
}

/// Bytes in hexadecimal, lower-case.
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: [char; 16] = [
        '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f',
    ];
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        text.push(DIGITS[usize::from(byte >> 4)]);
        text.push(DIGITS[usize::from(byte & 15)]);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_has_the_length_asked_for_and_tells_where_parts_end() {
        assert_eq!(sha256_hex::<8>(&[b"a"]).len(), 16);
        assert_eq!(sha256_hex::<16>(&[b"a"]).len(), 32);
        assert_ne!(
            sha256_hex::<16>(&[b"ab", b"c"]),
            sha256_hex::<16>(&[b"a", b"bc"])
        );
        assert_ne!(sha256_hex::<16>(&[b"a"]), sha256_hex::<16>(&[b"a", b""]));
    }
}
