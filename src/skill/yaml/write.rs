//! Values as YAML that every reader takes for the same, in one line each.

use serde_json::value::RawValue;

use super::{Node, Resolved, Value};

/// The longest key that may stand before its `:`, in bytes; the specification allows 1024 characters.
const MAX_SIMPLE_KEY_BYTES: usize = 1000;

/// What YAML 1.1 or 1.2 takes for something other than a text, in lower case.
const RESERVED: [&str; 9] = ["y", "n", "yes", "no", "on", "off", "true", "false", "null"];

/// A text as a scalar: as it is where no reader can take it for anything else, in double quotes otherwise.
pub(in crate::skill) fn quote(text: &str) -> String {
    let harmless = |it: char| it.is_alphanumeric() || " _-./()+".contains(it);
    let plain = text.starts_with(char::is_alphabetic)
        && text.chars().all(harmless)
        && !text.ends_with(' ')
        && !text.contains("---")
        && !RESERVED.contains(&text.to_ascii_lowercase().as_str());
    if plain {
        text.to_owned()
    } else {
        double_quoted(text)
    }
}

/// A text in double quotes, in one line of characters that are seen as what they are.
///
/// It never holds `---`: there are readers that look for the end of the front matter by that alone.
pub(in crate::skill) fn double_quoted(text: &str) -> String {
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
            _ if !is_hidden(character) => quoted.push(character),
            _ if code <= 0xff => quoted.push_str(&format!("\\x{code:02x}")),
            _ if code <= 0xffff => quoted.push_str(&format!("\\u{code:04x}")),
            _ => quoted.push_str(&format!("\\U{code:08x}")),
        }
    }
    quoted.push('"');
    quoted
}

/// Whether a character ends lines, turns text around, is not printable in YAML, or is not seen at all.
fn is_hidden(character: char) -> bool {
    character.is_control()
        || u32::from(character) & 0xfffe == 0xfffe
        || matches!(
            character,
            '\u{ad}'
                | '\u{61c}'
                | '\u{180e}'
                | '\u{200b}'
                | '\u{200e}'
                | '\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{fdd0}'..='\u{fdef}'
                | '\u{feff}'
                | '\u{fff0}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e0fff}'
        )
}

/// Texts as a list in one line: `[a, "b, c"]`.
pub(in crate::skill) fn flow_list<'a>(texts: impl IntoIterator<Item = &'a String>) -> String {
    let items: Vec<String> = texts.into_iter().map(|text| quote(text)).collect();
    format!("[{}]", items.join(", "))
}

/// JSON as YAML in one line. Only for JSON whose strings have been checked.
pub(in crate::skill) fn flow_json(json: &RawValue) -> String {
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
                yaml.push_str(&if is_key { key(&text) } else { quote(&text) });
            }
            ',' => yaml.push_str(", "),
            ':' => yaml.push_str(": "),
            ' ' | '\t' | '\n' | '\r' => {}
            other => yaml.push(other),
        }
    }
    yaml
}

/// Where a JSON string ends that begins `text`, its quotes included.
fn end_of_string(text: &str) -> usize {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            b'"' if !escaped => return at + 1,
            b'\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    text.len()
}

fn key(text: &str) -> String {
    let quoted = quote(text);
    if quoted.len() <= MAX_SIMPLE_KEY_BYTES {
        quoted
    } else {
        format!("? {quoted} ")
    }
}

/// A key and its value as lines of a mapping in block style, each but the last ended by `line_ending`.
pub(in crate::skill) fn entry(key: &Node, value: &str, line_ending: &str) -> String {
    let written = flow(key);
    if is_simple_key(key, &written) {
        format!("{written}: {value}")
    } else {
        format!("? {written}{line_ending}: {value}")
    }
}

fn is_simple_key(key: &Node, written: &str) -> bool {
    key.text().is_some() && written.len() <= MAX_SIMPLE_KEY_BYTES
}

/// A value in one line.
pub(in crate::skill) fn flow(node: &Node) -> String {
    let value = match &node.value {
        Value::Scalar { text, plain } => scalar(text, *plain, node.resolved().as_ref()),
        Value::Sequence(items) => {
            let items: Vec<String> = items.iter().map(flow).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Mapping(entries) => {
            let entries: Vec<String> = entries
                .iter()
                .map(|(key, value)| {
                    let written = flow(key);
                    if is_simple_key(key, &written) {
                        format!("{written}: {}", flow(value))
                    } else {
                        format!("? {written} : {}", flow(value))
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

fn scalar(text: &str, plain: bool, resolved: Option<&Resolved>) -> String {
    // Without quotes it may be what this program does not know: a date, or the `yes` of YAML 1.1.
    let is_time = text.starts_with(|it: char| it.is_ascii_digit())
        && !text.contains(": ")
        && !text.ends_with(':');
    let harmless =
        |it: char| it.is_alphanumeric() || " _-./()+~".contains(it) || (it == ':' && is_time);
    let same_in_flow = text.chars().all(harmless) && !text.contains("---") && !text.is_empty();
    if resolved == Some(&Resolved::Null) && text.is_empty() {
        "null".to_owned()
    } else if plain && same_in_flow {
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
    fn only_texts_that_nobody_mistakes_are_plain() {
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
    fn what_cannot_be_seen_is_escaped() {
        assert_eq!(
            double_quoted("\"\\\n\r\t\0\u{7f}\u{85}\u{2028}\u{202e}\u{feff}\u{fffe}\u{e0041}é😀"),
            r#""\"\\\n\r\t\x00\x7f\x85\u2028\u202e\ufeff\ufffe\U000e0041é😀""#
        );
        assert_eq!(double_quoted("-- --- -----"), r#""-- --\x2d --\x2d--""#);
    }

    #[test]
    fn json_becomes_yaml_that_says_the_same() {
        let json =
            r#"[ {"a b":[1.50,-0,1e5,null,true,"true","x: y"],"":{},"n":"\u00e9\n"},{"c":[]} ]"#;
        let json: Box<RawValue> = serde_json::from_str(json).unwrap();
        let yaml = flow_json(&json);
        assert_eq!(
            yaml,
            r#"[{a b: [1.50, -0, 1e5, null, true, "true", "x: y"], "": {}, "n": "é\n"}, {c: []}]"#
        );
        let node = parse(&yaml).unwrap().unwrap().node;
        assert_eq!(parse(&flow(&node)).unwrap().unwrap().node, node);
    }

    #[test]
    fn keys_longer_than_yaml_allows_are_marked_as_keys() {
        let long = "k".repeat(2000);
        let json = serde_json::value::to_raw_value(&serde_json::json!([{&long: 1}])).unwrap();
        let yaml = flow_json(&json);
        assert_eq!(
            crate::skill::yaml::to_json(&parse(&yaml).unwrap().unwrap().node).get(),
            json.get()
        );
    }
}
