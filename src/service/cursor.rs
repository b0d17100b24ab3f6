//! Cursors: positions in lists, as opaque text that belongs to one list of one caller.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::error::{Error, Result};
use crate::util::hash::sha256_hex;
use crate::util::json;

/// The longest accepted cursor, in bytes.
const MAX_CURSOR_BYTES: usize = 8 * 1024;

/// Returns the text of a position in the list with this name.
pub(super) fn encode_cursor(list: &str, cursor: &impl Serialize) -> String {
    URL_SAFE_NO_PAD.encode(json::text(&(list_digest(list), cursor)))
}

/// Parses a cursor of the list with this name. Empty text counts as no cursor.
///
/// # Errors
/// [`Error::InvalidCursor`] if the text is malformed or belongs to another list.
pub(super) fn decode_cursor<T: DeserializeOwned>(
    list: &str,
    text: Option<&str>,
) -> Result<Option<T>> {
    let Some(text) = text.filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    let bytes = (text.len() <= MAX_CURSOR_BYTES)
        .then(|| URL_SAFE_NO_PAD.decode(text).ok())
        .flatten();
    let cursor = bytes.and_then(|bytes| serde_json::from_slice::<(String, T)>(&bytes).ok());
    match cursor {
        Some((digest, cursor)) if digest == list_digest(list) => Ok(Some(cursor)),
        _ => Err(Error::InvalidCursor),
    }
}

fn list_digest(list: &str) -> String {
    sha256_hex::<4>(&[list.as_bytes()])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Cursor;

    #[test]
    fn encoded_cursor_decodes_to_the_same_position() {
        for (micros, id) in [
            (0, &b"x"[..]),
            (1_765_706_400_123_456, "sess_a:b/ü c_1".as_bytes()),
            (-1, b":"),
            (2, b"\xff\x80"),
        ] {
            let cursor = Cursor {
                micros,
                id: id.to_owned(),
            };
            let text = encode_cursor("list", &cursor);
            assert_eq!(decode_cursor("list", Some(&text)).unwrap(), Some(cursor));
            assert!(decode_cursor::<Cursor>("another", Some(&text)).is_err());
        }
    }

    #[test]
    fn malformed_cursor_is_rejected() {
        for text in [
            "x",
            "!!",
            "AAAA",
            "MTI",
            "MTI6",
            "OmE",
            "a".repeat(MAX_CURSOR_BYTES + 1).as_str(),
        ] {
            assert!(
                decode_cursor::<Cursor>("list", Some(text)).is_err(),
                "{text}"
            );
        }
        assert_eq!(decode_cursor::<Cursor>("list", Some("")).unwrap(), None);
    }
}
