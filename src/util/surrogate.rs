//! Surrogates in escapes such as `\ud83d`, and halves of surrogate pairs in JSON text. RFC 8259 (section 8.2) allows
//! their escapes. They do not represent a character, so the strict check of [`json`](super::json) rejects them.

use serde_json::Value;

/// The length of an escape such as `\ud83d`, in bytes.
pub(crate) const ESCAPE_BYTES: usize = 6;
/// The escape of U+FFFD, which stands for a character that cannot be represented.
const REPLACEMENT: &[u8; ESCAPE_BYTES] = b"\\ufffd";

/// Returns the text with every half of a surrogate pair replaced by U+FFFD; `None` if the text has no halves. The length
/// stays.
pub(crate) fn without_lone_surrogates(text: &[u8]) -> Option<Vec<u8>> {
    let mut replaced = None;
    let mut at = 0;
    while let Some(offset) = text[at..].iter().position(|byte| *byte == b'\\') {
        at += offset;
        at += match surrogate_at(text, at) {
            // A backslash escapes the next byte, so that `\\ud83d` contains no surrogate.
            None => 2,
            Some(0xd800..0xdc00) if is_low(surrogate_at(text, at + ESCAPE_BYTES)) => {
                2 * ESCAPE_BYTES
            }
            Some(_) => {
                let replaced = replaced.get_or_insert_with(|| text.to_vec());
                replaced[at..at + ESCAPE_BYTES].copy_from_slice(REPLACEMENT);
                ESCAPE_BYTES
            }
        };
        if at >= text.len() {
            break;
        }
    }
    replaced
}

/// Returns the path of the first value that is invalid, such as `messages[1].content`, or of the object whose key is;
/// `None` if all are valid.
pub(crate) fn path_of_invalid_value(text: &[u8]) -> Option<String> {
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    let parsed: Result<Value, _> = serde_path_to_error::deserialize(&mut deserializer);
    let path = parsed.err()?.path().to_string();
    // The path of a key that cannot be read ends with `?`.
    Some(
        path.strip_suffix(".?")
            .map_or(path.clone(), ToOwned::to_owned),
    )
}

/// Returns the code unit of the escape that starts at this byte.
pub(crate) fn code_unit_at(text: &[u8], at: usize) -> Option<u16> {
    let digits = text.get(at..at + ESCAPE_BYTES)?.strip_prefix(b"\\u")?;
    let digits = std::str::from_utf8(digits).ok()?;
    let are_hex = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    are_hex.then(|| u16::from_str_radix(digits, 16).ok())?
}

fn surrogate_at(text: &[u8], at: usize) -> Option<u16> {
    code_unit_at(text, at).filter(|unit| (0xd800..0xe000).contains(unit))
}

fn is_low(unit: Option<u16>) -> bool {
    unit.is_some_and(|unit| unit >= 0xdc00)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<&str>) {
        let replaced = without_lone_surrogates(text.as_bytes());
        let replaced = replaced.map(|text| String::from_utf8(text).unwrap());
        assert_eq!(replaced.as_deref(), expected);
    }

    #[test]
    fn only_halves_of_pairs_are_replaced() {
        check(r#"["\ud800"]"#, Some(r#"["\ufffd"]"#));
        check(r#"["\udc00\ud800"]"#, Some(r#"["\ufffd\ufffd"]"#));
        check(
            r#"["\ud83d\ud83d\ude80"]"#,
            Some(r#"["\ufffd\ud83d\ude80"]"#),
        );
        check(r#"["\ud83d\u0041"]"#, Some(r#"["\ufffd\u0041"]"#));
        check(r#"["\uD83D\uDE80 \\ud800 \n \u00e9"]"#, None);
        check("\\", None);
        check("\\ud80", None);
        check("\\u+d80", None);
    }

    #[test]
    fn path_of_an_invalid_value_names_its_field() {
        for (text, expected) in [
            (r#"{"a":[{"b":"x"},{"b":"\udc00"}]}"#, Some("a[1].b")),
            (r#"{"a":{"\ud800":1}}"#, Some("a")),
            (r#"{"a":"\ud83d\ude80"}"#, None),
        ] {
            let path = path_of_invalid_value(text.as_bytes());
            assert_eq!(path.as_deref(), expected, "{text}");
        }
    }
}
