//! Characters that a server splits between two events: it cuts its text between the two halves of a surrogate pair, and JSON
//! with such a half cannot be parsed.

use crate::util::surrogate::{ESCAPE_BYTES, code_unit_at, without_lone_surrogates};

/// Joins the halves of characters.
#[derive(Debug, Default)]
pub(super) struct SplitCharacters {
    /// The escape of the first half at the end of a string in the event before.
    first_half: Option<String>,
}

impl SplitCharacters {
    /// Returns the JSON of an event with whole characters. A half without the other one becomes U+FFFD, or is left out at
    /// the end of a string.
    pub(super) fn join(&mut self, mut data: String) -> String {
        if !data.contains("\\u") && self.first_half.is_none() {
            return data;
        }
        if let Some(first) = self.first_half.take()
            && let Some(at) = find(&data, |text, at| {
                is_in(text, at, 0xdc00..0xe000) && text[..at].ends_with(b"\"")
            })
        {
            data.insert_str(at, &first);
        }
        let is_first_half = |text: &[u8], at: usize| {
            is_in(text, at, 0xd800..0xdc00) && text.get(at + ESCAPE_BYTES) == Some(&b'"')
        };
        if let Some(at) = find(&data, is_first_half) {
            self.first_half = Some(data[at..at + ESCAPE_BYTES].to_owned());
            data.replace_range(at..at + ESCAPE_BYTES, "");
        }
        match without_lone_surrogates(data.as_bytes()) {
            Some(replaced) => String::from_utf8(replaced).unwrap_or(data),
            None => data,
        }
    }
}

fn is_in(text: &[u8], at: usize, range: std::ops::Range<u16>) -> bool {
    code_unit_at(text, at).is_some_and(|unit| range.contains(&unit))
}

/// Returns the first escape that `is_wanted`. A backslash escapes the next byte.
fn find(data: &str, is_wanted: impl Fn(&[u8], usize) -> bool) -> Option<usize> {
    let text = data.as_bytes();
    let mut at = 0;
    while at < text.len() {
        if text[at] == b'\\' {
            if is_wanted(text, at) {
                return Some(at);
            }
            at += 2;
        } else {
            at += 1;
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_in_two_events_are_one_character() {
        let mut characters = SplitCharacters::default();
        let first = characters.join(r#"{"d":"a\ud83d","e":1}"#.to_owned());
        assert_eq!(first, r#"{"d":"a","e":1}"#);
        let second = characters.join(r#"{"d":"\ude00b"}"#.to_owned());
        assert_eq!(second, r#"{"d":"\ud83d\ude00b"}"#);
        let third = characters.join(r#"{"d":"\\ud83d \ude00 \u00e9"}"#.to_owned());
        assert_eq!(third, r#"{"d":"\\ud83d \ufffd \u00e9"}"#);
    }
}
