//! Percent-encoding of URL paths.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, PercentEncode, percent_encode};

/// The characters that are encoded in a path: all but `/` and the unreserved ones (RFC 3986, section 2.3).
const ENCODED_IN_PATHS: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'/')
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// The characters that are encoded in a segment of a path: all but the unreserved ones.
const ENCODED_IN_SEGMENTS: &AsciiSet = &ENCODED_IN_PATHS.add(b'/');

/// Percent-encodes a segment of a path for a URL.
pub fn encode_segment(segment: &str) -> PercentEncode<'_> {
    percent_encode(segment.as_bytes(), ENCODED_IN_SEGMENTS)
}

/// Percent-encodes a path for a URL.
pub fn encode_path<T: AsRef<[u8]> + ?Sized>(path: &T) -> PercentEncode<'_> {
    percent_encode(path.as_ref(), ENCODED_IN_PATHS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_keeps_slashes_and_unreserved_characters() {
        assert_eq!(
            encode_path("a-b._~/ä b?#%").to_string(),
            "a-b._~/%C3%A4%20b%3F%23%25"
        );
    }
}
