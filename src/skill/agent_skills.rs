//! Export of documents in the format of the Agent Skills specification (agentskills.io).

use std::collections::HashSet;

use super::SkillId;
use super::document::Document;
use super::yaml::{Node, Value, quote, to_json};

/// The maximum length of `description` in the specification, in characters.
const MAX_DESCRIPTION_CHARS: usize = 1024;
/// The maximum length of `compatibility` in the specification, in characters.
const MAX_COMPATIBILITY_CHARS: usize = 500;
/// The maximum length of an exported key, in characters; YAML allows 1024.
const MAX_KEY_CHARS: usize = 200;
/// The keys that are copied as they are.
const COPIED_KEYS: [&str; 3] = ["license", "compatibility", "allowed-tools"];

/// Returns the document in the format of the Agent Skills specification, for a folder with the same name as `name`.
///
/// `name` is the id; an id of an older form is converted by [`SkillId::from_name`]. Keys outside the specification
/// become strings under `metadata`; values other than scalars are written as JSON. The body is unchanged.
pub fn export(document: &str, id: &SkillId) -> String {
    let document = Document::parse(document);
    let name = if id.is_strict() {
        id.clone()
    } else {
        SkillId::from_name(id.as_str())
    };
    let title = document.text("name").unwrap_or(id.as_str());
    let given = document.text("description").filter(|text| !is_blank(text));
    let full = given.or(Some(title).filter(|text| !is_blank(text)));
    let full = full.unwrap_or(name.as_str());
    let description = truncate(full, MAX_DESCRIPTION_CHARS);

    let mut lines = vec![
        format!("name: {}", quote(name.as_str())),
        format!("description: {}", quote(&description)),
    ];
    for key in COPIED_KEYS {
        if let Some(text) = valid_text(&document, key) {
            lines.push(format!("{key}: {}", quote(text)));
        }
    }
    let mut metadata = Metadata::default();
    if title != name.as_str() {
        metadata.add("name", title);
    }
    if description != full {
        metadata.add("description", full);
    }
    metadata.add_other_entries(&document);
    if !metadata.lines.is_empty() {
        lines.push("metadata:".to_owned());
        lines.append(&mut metadata.lines);
    }
    format!("---\n{}\n---\n{}", lines.join("\n"), document.body)
}

/// Returns the string of a key, if it is valid in the specification.
fn valid_text<'a>(document: &'a Document<'_>, key: &str) -> Option<&'a str> {
    let text = document.text(key).filter(|text| !is_blank(text))?;
    let is_valid = key != "compatibility" || text.chars().count() <= MAX_COMPATIBILITY_CHARS;
    is_valid.then_some(text)
}

/// The lines of the mapping `metadata`, which contains only strings.
#[derive(Default)]
struct Metadata {
    keys: HashSet<String>,
    lines: Vec<String>,
}

impl Metadata {
    fn add(&mut self, key: &str, text: &str) {
        let mut key = truncate(key, MAX_KEY_CHARS);
        while !self.keys.insert(key.clone()) {
            key.push('_');
        }
        self.lines
            .push(format!("  {}: {}", quote(&key), quote(text)));
    }

    fn add_node(&mut self, key: &Node, value: &Node) {
        if value.is_null() {
            return;
        }
        let as_text = |node: &Node| match node.text() {
            Some(text) => text.to_owned(),
            None => to_json(node).get().to_owned(),
        };
        self.add(&as_text(key), &as_text(value));
    }

    /// Adds the entries that are not keys of the specification, and the entries of the document's `metadata`.
    fn add_other_entries(&mut self, document: &Document<'_>) {
        let Ok(front_matter) = &document.front_matter else {
            return;
        };
        for (key, value) in front_matter.entries() {
            let is_written = key.text().is_some_and(|key| {
                let is_last = front_matter
                    .get(key)
                    .is_none_or(|last| std::ptr::eq(last, value));
                !is_last
                    || match key {
                        "name" | "description" => value.text().is_some(),
                        key => COPIED_KEYS.contains(&key) && valid_text(document, key).is_some(),
                    }
            });
            match (&value.value, key.text()) {
                _ if is_written => {}
                (Value::Mapping(entries), Some("metadata")) => {
                    for (key, value) in entries {
                        self.add_node(key, value);
                    }
                }
                _ => self.add_node(key, value),
            }
        }
    }
}

fn truncate(text: &str, max_chars: usize) -> String {
    if text.chars().count() <= max_chars {
        return text.to_owned();
    }
    let start: String = text.chars().take(max_chars - 1).collect();
    start + "…"
}

/// Returns whether `text` is empty or white space as defined by Python, like the specification's validator.
fn is_blank(text: &str) -> bool {
    text.chars()
        .all(|character| character.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&character))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(document: &str, id: &str, expected: &str) {
        assert_eq!(export(document, &SkillId::parse(id).unwrap()), expected);
    }

    #[test]
    fn keys_outside_the_specification_are_exported_as_metadata() {
        check(
            "\u{feff}---\r\nname: Hello World\r\ndescription: Says\r\nlicense: MIT\r\nallowed-tools: [Read]\r\ntags: [a, 1]\r\nversion: 1.10\r\nnone: ~\r\nmetadata: {version: x, deep: {a: true}}\r\n---\r\nbody\r\n---\r\n",
            "hello-world",
            "---\nname: hello-world\ndescription: Says\nlicense: MIT\nmetadata:\n  name: Hello World\n  allowed-tools: \"[\\\"Read\\\"]\"\n  tags: \"[\\\"a\\\",1]\"\n  version: \"1.10\"\n  version_: x\n  deep: \"{\\\"a\\\":true}\"\n---\nbody\r\n---\r\n",
        );
    }

    #[test]
    fn name_and_description_satisfy_the_specification() {
        check(
            "text",
            "Old_Id",
            "---\nname: old-id\ndescription: Old_Id\nmetadata:\n  name: Old_Id\n---\ntext",
        );
        let long = "é".repeat(1025);
        let exported = export(
            &format!("---\ndescription: {long}\n---\n"),
            &SkillId::parse("a").unwrap(),
        );
        let truncated = format!("\ndescription: \"{}…\"\n", "é".repeat(1023));
        assert!(
            exported.contains(&truncated) && exported.contains(&format!("  description: {long}\n"))
        );
    }
}
