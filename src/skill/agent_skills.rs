//! Documents as the Agent Skills specification (agentskills.io) wants them.

use std::collections::HashSet;

use super::SkillId;
use super::document::Document;
use super::yaml::{Node, Value, quote, to_json};

/// The longest description that the specification allows, in characters.
const MAX_DESCRIPTION_CHARS: usize = 1024;
/// The longest text on compatibility that the specification allows, in characters.
const MAX_COMPATIBILITY_CHARS: usize = 500;
/// The longest key that is written; YAML allows keys of 1024 characters.
const MAX_KEY_CHARS: usize = 200;

/// The document as the Agent Skills specification wants it, for a folder that is named as its `name`.
///
/// `name` is the id, or what [`SkillId::from_name`] makes of an id of an older shape. What the
/// specification does not know is under `metadata`, as texts; what is no text is JSON there. The body
/// stays as it is.
pub fn export(document: &str, id: &SkillId) -> String {
    let document = Document::of(document);
    let name = if id.is_strict() {
        id.clone()
    } else {
        SkillId::from_name(id.as_str())
    };
    let title = document.text("name").unwrap_or(id.as_str());
    let given = document.text("description").filter(|text| !is_blank(text));
    let full = given.or(Some(title).filter(|text| !is_blank(text)));
    let full = full.unwrap_or(name.as_str());
    let description = cut(full, MAX_DESCRIPTION_CHARS);

    let mut lines = vec![
        format!("name: {}", quote(name.as_str())),
        format!("description: {}", quote(&description)),
    ];
    for key in ["license", "compatibility", "allowed-tools"] {
        if let Some(text) = allowed(&document, key) {
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
    metadata.add_rest_of(&document);
    if !metadata.lines.is_empty() {
        lines.push("metadata:".to_owned());
        lines.append(&mut metadata.lines);
    }
    format!("---\n{}\n---\n{}", lines.join("\n"), document.body)
}

/// The text of a key of the specification, if it is one that the specification allows.
fn allowed<'a>(document: &'a Document<'_>, key: &str) -> Option<&'a str> {
    let text = document.text(key).filter(|text| !is_blank(text))?;
    let short = key != "compatibility" || text.chars().count() <= MAX_COMPATIBILITY_CHARS;
    short.then_some(text)
}

/// Lines of the mapping `metadata`, which holds texts only.
#[derive(Default)]
struct Metadata {
    keys: HashSet<String>,
    lines: Vec<String>,
}

impl Metadata {
    fn add(&mut self, key: &str, text: &str) {
        let mut key = cut(key, MAX_KEY_CHARS);
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

    /// Adds all that the specification has no place for, and what the document has under `metadata`.
    fn add_rest_of(&mut self, document: &Document<'_>) {
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
                        key => is_of_specification(key) && allowed(document, key).is_some(),
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

fn is_of_specification(key: &str) -> bool {
    matches!(key, "license" | "compatibility" | "allowed-tools")
}

fn cut(text: &str, max_chars: usize) -> String {
    if text.chars().count() <= max_chars {
        return text.to_owned();
    }
    let start: String = text.chars().take(max_chars - 1).collect();
    start + "…"
}

/// Whether a text is nothing but what Python takes for blanks, as the specification's validator does.
fn is_blank(text: &str) -> bool {
    text.chars()
        .all(|it| it.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&it))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(document: &str, id: &str, expected: &str) {
        assert_eq!(export(document, &SkillId::parse(id).unwrap()), expected);
    }

    #[test]
    fn what_the_specification_does_not_know_is_metadata() {
        check(
            "\u{feff}---\r\nname: Hello World\r\ndescription: Says\r\nlicense: MIT\r\nallowed-tools: [Read]\r\ntags: [a, 1]\r\nversion: 1.10\r\nnone: ~\r\nmetadata: {version: x, deep: {a: true}}\r\n---\r\nbody\r\n---\r\n",
            "hello-world",
            "---\nname: hello-world\ndescription: Says\nlicense: MIT\nmetadata:\n  name: Hello World\n  allowed-tools: \"[\\\"Read\\\"]\"\n  tags: \"[\\\"a\\\",1]\"\n  version: \"1.10\"\n  version_: x\n  deep: \"{\\\"a\\\":true}\"\n---\nbody\r\n---\r\n",
        );
    }

    #[test]
    fn names_and_descriptions_are_as_the_specification_wants_them() {
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
        let cut = format!("\ndescription: \"{}…\"\n", "é".repeat(1023));
        assert!(exported.contains(&cut) && exported.contains(&format!("  description: {long}\n")));
    }
}
