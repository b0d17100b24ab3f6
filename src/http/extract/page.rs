//! Paging: limits, and cursors that callers hand back without looking into them.

use std::ops::RangeInclusive;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::http::error::{Error, Result};
use crate::util::hash::hex_hash;
use crate::util::json;

/// How many items a page has unless the caller says.
pub(crate) const DEFAULT_LIMIT: usize = 50;

/// How many items the caller wants on a page.
pub(crate) fn limit(name: &str, text: Option<&str>, range: RangeInclusive<usize>) -> Result<usize> {
    Ok(number(name, text, range)?.unwrap_or(DEFAULT_LIMIT))
}

/// A number from the query within `range`; an empty one counts as not given.
pub(crate) fn number<T>(
    name: &str,
    text: Option<&str>,
    range: RangeInclusive<T>,
) -> Result<Option<T>>
where
    T: FromStr + PartialOrd + std::fmt::Display,
{
    let Some(text) = text.filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    let number = text.parse().ok().filter(|number| range.contains(number));
    number.map(Some).ok_or_else(|| {
        Error::InvalidRequest(format!(
            "{name} must be a number from {} to {}.",
            range.start(),
            range.end()
        ))
    })
}

/// The longest text of a cursor that is read, in bytes.
const MAX_CURSOR_BYTES: usize = 8 * 1024;

/// The text for `next_cursor` of the list that `list` names.
pub(crate) fn encode_cursor(list: &str, cursor: &impl Serialize) -> String {
    URL_SAFE_NO_PAD.encode(json::text(&(list_mark(list), cursor)))
}

/// Reads a cursor of ours that belongs to the same list; an empty one counts as not given.
pub(crate) fn decode_cursor<T: DeserializeOwned>(
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
        Some((mark, cursor)) if mark == list_mark(list) => Ok(Some(cursor)),
        _ => Err(Error::not_a_cursor()),
    }
}

/// What tells the cursors of one list from those of another.
fn list_mark(list: &str) -> String {
    hex_hash::<4>(&[list.as_bytes()])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Cursor;

    #[test]
    fn a_cursor_survives_the_way_to_the_caller_and_back() {
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
    fn what_is_no_cursor_is_refused() {
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
