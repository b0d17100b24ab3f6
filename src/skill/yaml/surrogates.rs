//! Surrogate pairs in double-quoted scalars: JSON libraries write a rocket as `"\ud83d\ude80"`. YAML 1.2 contains JSON,
//! but the parser rejects half of a pair as an escape.

use std::borrow::Cow;
use std::ops::Range;

use saphyr_parser::{Event, Parser, ScalarStyle};

use crate::util::surrogate::{ESCAPE_BYTES, code_unit_at};

/// Returns the text with each surrogate pair of a double-quoted scalar as one escape (`\U0001f680`). Other scalars stay
/// unchanged: in them a backslash is text. No line is added or removed.
pub(super) fn join_surrogates(text: &str) -> Cow<'_, str> {
    if pairs(text).next().is_none() {
        return Cow::Borrowed(text);
    }
    let mut joined = String::with_capacity(text.len());
    let mut copied_to = 0;
    for scalar in double_quoted(text) {
        let mut at = scalar.start.max(copied_to);
        while at < scalar.end {
            if let Some(character) = pair_at(text, at) {
                joined.push_str(&text[copied_to..at]);
                joined.push_str(&format!("\\U{:08x}", u32::from(character)));
                at += 2 * ESCAPE_BYTES;
                copied_to = at;
            } else {
                // A backslash escapes the next byte, so that `\\ud83d` contains no surrogate.
                at += if text.as_bytes()[at] == b'\\' { 2 } else { 1 };
            }
        }
    }
    joined.push_str(&text[copied_to..]);
    Cow::Owned(joined)
}

/// Returns the byte ranges of the double-quoted scalars before the first error.
///
/// For this the surrogates are replaced by other escapes of the same length, so that the parser accepts them and its
/// positions apply to `text`.
fn double_quoted(text: &str) -> Vec<Range<usize>> {
    let mut probe = text.as_bytes().to_vec();
    for start in pairs(text) {
        for escape in [start, start + ESCAPE_BYTES] {
            probe[escape + 2..escape + ESCAPE_BYTES].copy_from_slice(b"0020");
        }
    }
    let probe = String::from_utf8_lossy(&probe).into_owned();
    let mut offsets = text.char_indices().map(|(offset, _)| offset).enumerate();
    // Scalars come in the order of the text.
    let mut offset_of = |index: usize| {
        let found = offsets.find(|(number, _)| *number >= index);
        found.map_or(text.len(), |(_, offset)| offset)
    };
    let events = Parser::new_from_str(&probe).map_while(Result::ok);
    let scalars = events
        .filter(|(event, _)| matches!(event, Event::Scalar(_, ScalarStyle::DoubleQuoted, ..)));
    let spans = scalars.map(|(_, span)| (span.start.index(), span.end.index()));
    spans
        .map(|(start, end)| offset_of(start)..offset_of(end))
        .collect()
}

/// Returns the byte offsets of all surrogate pairs, in scalars of any kind.
fn pairs(text: &str) -> impl Iterator<Item = usize> {
    let escapes = text.match_indices("\\u").map(|(start, _)| start);
    escapes.filter(|start| pair_at(text, *start).is_some())
}

/// Returns the character of the surrogate pair that starts at this byte.
fn pair_at(text: &str, start: usize) -> Option<char> {
    let unit_at = |at| code_unit_at(text.as_bytes(), at);
    let units = [unit_at(start)?, unit_at(start + ESCAPE_BYTES)?];
    let is_high = (0xd800..0xdc00).contains(&units[0]);
    let mut characters = char::decode_utf16(units).take(1);
    characters.next()?.ok().filter(|_| is_high)
}

#[cfg(test)]
mod tests {
    use crate::skill::yaml::{parse, to_json};

    #[track_caller]
    fn check(yaml: &str, expected: &str) {
        let root = parse(yaml).unwrap().unwrap();
        assert_eq!(to_json(&root.node).get(), expected);
    }

    #[test]
    fn pair_in_double_quotes_is_one_character() {
        check(r#"a: "\ud83d\ude80""#, r#"{"a":"🚀"}"#);
        check(
            r#"a: "x \uD83D\uDE80\u00e9 \ud83d\ude80!""#,
            r#"{"a":"x 🚀é 🚀!"}"#,
        );
        check(
            r#"{"a b": ["\ud83d\ude80", "é\ud83d\ude80"], c: d}"#,
            r#"{"a b":["🚀","é🚀"],"c":"d"}"#,
        );
        check(
            "größe: \"\\ud83d\\ude80\n  b\"\n\"\\ud83d\\ude80\": 2",
            r#"{"größe":"🚀 b","🚀":2}"#,
        );
    }

    #[test]
    fn pair_outside_of_double_quotes_is_text() {
        let text = r"\ud83d\ude80";
        for yaml in [
            format!("a: {text}"),
            format!("a: '{text}'"),
            format!("a: it\"s {text}\""),
            format!("a: |-\n  {text}"),
            format!("a: \"\\{text}\" # {text}").replace("\\ude80\" ", "\\\\ude80\" "),
        ] {
            let root = parse(&yaml).unwrap().unwrap();
            let json = to_json(&root.node);
            assert!(json.get().contains(r"\\ud83d\\ude80"), "{yaml}: {json}");
        }
        // The same document contains both.
        let yaml =
            format!("a: {text}\nb: \"{text}\"\nc: |\n  \"{text}\"\nd: \"{text}\" # \"{text}\"");
        check(
            &yaml,
            r#"{"a":"\\ud83d\\ude80","b":"🚀","c":"\"\\ud83d\\ude80\"\n","d":"🚀"}"#,
        );
    }

    #[test]
    fn half_of_a_pair_is_an_error_on_its_line() {
        for half in [
            r"\ud83d",
            r"\ude80",
            r"\ude80\ud83d",
            r"\ud83d\u0041",
            r"\ud83d \ude80",
        ] {
            let error = parse(&format!("a: 1\nb: \"\\ud83d\\ude80{half}\"\n")).unwrap_err();
            assert_eq!(error.line, 2, "{half}: {error:?}");
            assert!(
                error.message.contains("surrogate pair"),
                "{half}: {error:?}"
            );
        }
    }
}
