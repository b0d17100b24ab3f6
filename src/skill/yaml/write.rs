//! Writing of values as one-line YAML that all YAML 1.1 and 1.2 parsers read alike.

use serde_json::value::RawValue;

use super::{Node, Resolved, Value};
use crate::util::invisible::is_invisible;
use crate::util::json::end_of_string;

/// The maximum length of an implicit key (without `? `), in bytes; YAML allows 1024 characters.
const MAX_SIMPLE_KEY_BYTES: usize = 1000;

/// The words that YAML 1.1 or 1.2 resolves to another type than string, in lower case.
const RESERVED: [&str; 9] = ["y", "n", "yes", "no", "on", "off", "true", "false", "null"];

/// Writes a string as a scalar: plain if no parser can read it as another type, otherwise in double quotes.
pub(in crate::skill) fn quote(text: &str) -> String {
    let is_harmless =
        |character: char| character.is_alphanumeric() || " _-./()+".contains(character);
    let is_plain = text.starts_with(char::is_alphabetic)
        && text.chars().all(is_harmless)
        && !text.ends_with(' ')
        && !text.contains("---")
        && !RESERVED.contains(&text.to_ascii_lowercase().as_str());
    if is_plain {
        text.to_owned()
    } else {
        double_quoted(text)
    }
}

/// Writes a string in double quotes, in one line and with invisible characters escaped.
///
/// The result never contains `---`: some parsers end the front matter at any `---`.
pub(super) fn double_quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    let mut hyphens = 0;
    quoted.push('"');
    for character in text.chars() {
        hyphens = if character == '-' { hyphens + 1 } else { 0 };
        let code = u32::from(character);
        match character {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            '-' if hyphens == 3 => {
                hyphens = 0;
                quoted.push_str("\\x2d");
            }
            _ if !is_invisible(character) => quoted.push(character),
            _ if code <= 0xff => quoted.push_str(&format!("\\x{code:02x}")),
            _ if code <= 0xffff => quoted.push_str(&format!("\\u{code:04x}")),
            _ => quoted.push_str(&format!("\\U{code:08x}")),
        }
    }
    quoted.push('"');
    quoted
}

/// Writes strings as a flow sequence: `[a, "b, c"]`.
pub(in crate::skill) fn write_flow_sequence<'a>(
    texts: impl IntoIterator<Item = &'a String>,
) -> String {
    let items: Vec<String> = texts.into_iter().map(|text| quote(text)).collect();
    format!("[{}]", items.join(", "))
}

/// Writes JSON as one line of YAML. The JSON must be valid, and its strings free of unpaired surrogates.
pub(in crate::skill) fn write_flow_json(json: &RawValue) -> String {
    let mut yaml = String::new();
    let mut rest = json.get();
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '"' => end_of_string(rest),
            _ => first.len_utf8(),
        };
        let (token, after) = rest.split_at(length);
        rest = after;
        match first {
            '"' => {
                let text: String =
                    serde_json::from_str(token).expect("the strings of checked JSON are strings");
                let is_key = after.trim_start().starts_with(':');
                yaml.push_str(&if is_key {
                    flow_key(&text)
                } else {
                    quote(&text)
                });
            }
            ',' => yaml.push_str(", "),
            ':' => yaml.push_str(": "),
            ' ' | '\t' | '\n' | '\r' => {}
            other => yaml.push(other),
        }
    }
    yaml
}

fn flow_key(text: &str) -> String {
    let quoted = quote(text);
    if quoted.len() <= MAX_SIMPLE_KEY_BYTES {
        quoted
    } else {
        format!("? {quoted} ")
    }
}

/// Writes an entry of a block mapping: one or two lines, without a line ending after the last.
pub(in crate::skill) fn write_entry(key: &Node, value: &str, line_ending: &str) -> String {
    let written = write_flow(key);
    if is_simple_key(key, &written) {
        format!("{written}: {value}")
    } else {
        format!("? {written}{line_ending}: {value}")
    }
}

fn is_simple_key(key: &Node, written: &str) -> bool {
    key.text().is_some() && written.len() <= MAX_SIMPLE_KEY_BYTES
}

/// Writes a node in flow style, in one line.
pub(in crate::skill) fn write_flow(node: &Node) -> String {
    let value = match &node.value {
        Value::Scalar { text, is_plain } => scalar(text, *is_plain, node.resolved().as_ref()),
        Value::Sequence(items) => {
            let items: Vec<String> = items.iter().map(write_flow).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Mapping(entries) => {
            let entries: Vec<String> = entries
                .iter()
                .map(|(key, value)| {
                    let written = write_flow(key);
                    if is_simple_key(key, &written) {
                        format!("{written}: {}", write_flow(value))
                    } else {
                        format!("? {written} : {}", write_flow(value))
                    }
                })
                .collect();
            format!("{{{}}}", entries.join(", "))
        }
    };
    match &node.tag {
        Some(tag) => format!("{tag} {value}"),
        None => value,
    }
}

fn scalar(text: &str, is_plain: bool, resolved: Option<&Resolved>) -> String {
    // A plain scalar stays plain: it can be a date or the `yes` of YAML 1.1, which the core schema does not resolve.
    let is_time = text.starts_with(|first: char| first.is_ascii_digit())
        && !text.contains(": ")
        && !text.ends_with(':');
    let is_harmless = |character: char| {
        character.is_alphanumeric()
            || " _-./()+~".contains(character)
            || (character == ':' && is_time)
    };
    let is_valid_in_flow =
        text.chars().all(is_harmless) && !text.contains("---") && !text.is_empty();
    if resolved == Some(&Resolved::Null) && text.is_empty() {
        "null".to_owned()
    } else if is_plain && is_valid_in_flow {
        text.to_owned()
    } else {
        double_quoted(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::skill::yaml::parse;

    #[test]
    fn ambiguous_strings_are_quoted() {
        for text in [
            "a",
            "Hello World",
            "a-b_c.d/e (f) 1+1",
            "größe",
            "日本",
            "x 1.10",
        ] {
            assert_eq!(quote(text), text);
        }
        for text in [
            "",
            " a",
            "a ",
            "1",
            "1.10",
            "-",
            "- a",
            "true",
            "Yes",
            "NULL",
            "~",
            "a: b",
            "a #b",
            "#",
            "a,b",
            "[a]",
            "{",
            "&a",
            "*a",
            "!a",
            "|",
            ">",
            "%",
            "@",
            "`",
            "'",
            "2020-01-01",
            "0x1",
            ".inf",
            "=",
            "<<",
            "a---b",
            "a\u{a0}b",
            "\u{301}",
        ] {
            assert_eq!(quote(text), double_quoted(text), "{text:?}");
        }
    }

    #[test]
    fn invisible_characters_are_escaped() {
        assert_eq!(
            double_quoted("\"\\\n\r\t\0\u{7f}\u{85}\u{2028}\u{202e}\u{feff}\u{fffe}\u{e0041}é😀"),
            r#""\"\\\n\r\t\x00\x7f\x85\u2028\u202e\ufeff\ufffe\U000e0041é😀""#
        );
        assert_eq!(double_quoted("-- --- -----"), r#""-- --\x2d --\x2d--""#);
    }

    #[test]
    fn json_is_written_as_equivalent_yaml() {
        let json =
            r#"[ {"a b":[1.50,-0,1e5,null,true,"true","x: y"],"":{},"n":"\u00e9\n"},{"c":[]} ]"#;
        let json: Box<RawValue> = serde_json::from_str(json).unwrap();
        let yaml = write_flow_json(&json);
        assert_eq!(
            yaml,
            r#"[{a b: [1.50, -0, 1e5, null, true, "true", "x: y"], "": {}, "n": "é\n"}, {c: []}]"#
        );
        let node = parse(&yaml).unwrap().unwrap().node;
        assert_eq!(parse(&write_flow(&node)).unwrap().unwrap().node, node);
    }

    #[test]
    fn overlong_keys_are_written_as_explicit_keys() {
        let long = "k".repeat(2000);
        let json = serde_json::value::to_raw_value(&serde_json::json!([{&long: 1}])).unwrap();
        let yaml = write_flow_json(&json);
        assert_eq!(
            crate::skill::yaml::to_json(&parse(&yaml).unwrap().unwrap().node).get(),
            json.get()
        );
    }
}
