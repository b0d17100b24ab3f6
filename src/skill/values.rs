//! Typed access to front matter values, with a warning for each malformed one.

use std::collections::HashSet;

use serde_json::value::RawValue;

use super::document::Document;
use super::front_matter::FrontMatter;
use super::lost_text::lost_text;
use super::yaml::{Node, Value, to_json};
use crate::util::json;

/// The maximum number of warnings per document.
const MAX_WARNINGS: usize = 20;
/// The maximum length of a key in a warning, in characters.
const MAX_QUOTED_CHARS: usize = 40;

/// The values of a document's front matter, and the warnings collected while reading them.
#[derive(Debug)]
pub(super) struct Values<'a> {
    front_matter: Option<&'a FrontMatter<'a>>,
    warnings: Vec<String>,
}

impl<'a> Values<'a> {
    /// Returns the values of a document, with the warnings about its structure.
    pub(super) fn new(document: &'a Document<'a>) -> Self {
        let mut this = Self {
            front_matter: document.front_matter.as_ref().ok(),
            warnings: Vec::new(),
        };
        match &document.front_matter {
            Ok(front_matter) => this.warn_about_duplicate_keys(front_matter.entries()),
            Err(reason) => this.warn(None, reason),
        }
        let before = document.lines_before_body();
        let section = &document.section;
        if let (None, Some(heading)) = (&section.fence, section.heading) {
            this.warn(
                Some(before + heading.number),
                "no fenced code block follows `## Code`",
            );
        }
        if let Some((_, line)) = &section.unclosed {
            this.warn(Some(before + line), "the fenced code block is not closed");
        }
        this
    }

    /// Adds a warning, with a line number of the document.
    pub(super) fn warn(&mut self, line: Option<usize>, message: &str) {
        self.warnings.push(match line {
            Some(line) => format!("line {line}: {message}"),
            None => message.to_owned(),
        });
    }

    /// Returns the warnings; if there are more than [`MAX_WARNINGS`], the first ones and the number of the rest.
    pub(super) fn into_warnings(mut self) -> Vec<String> {
        let more = self.warnings.len().saturating_sub(MAX_WARNINGS);
        self.warnings.truncate(MAX_WARNINGS);
        if more > 0 {
            self.warnings.push(format!("and {more} more"));
        }
        self.warnings
    }

    /// Returns whether a key has a value other than null.
    pub(super) fn has(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    /// Returns the line of a key's value.
    pub(super) fn line(&self, key: &str) -> Option<usize> {
        self.get(key).map(|node| node.line)
    }

    /// Returns a string as written: `1.10` and `true` are not converted.
    pub(super) fn text(&mut self, key: &str) -> Option<String> {
        let lost = lost_text(self.front_matter?, key);
        if let Some((line, message)) = lost {
            self.warn(Some(line), &message);
        }
        let node = self.get(key)?;
        let text = node.text().map(str::to_owned);
        if text.is_none() {
            self.warn(Some(node.line), &format!("`{key}` is not a string"));
        }
        text
    }

    /// Returns a list of strings, without nulls (`null`, `~` and empty items).
    pub(super) fn list(&mut self, key: &str) -> Vec<String> {
        let Some(node) = self.get(key) else {
            return Vec::new();
        };
        match &node.value {
            Value::Scalar { text, .. } => {
                let message = format!("`{key}` is a string, not a list; it was split at commas");
                self.warn(Some(node.line), &message);
                let items = text
                    .split(',')
                    .map(str::trim)
                    .filter(|item| !item.is_empty());
                items.map(str::to_owned).collect()
            }
            Value::Sequence(items) => {
                let texts = items.iter().filter_map(|item| {
                    let text = item.text().filter(|_| !item.is_null());
                    if text.is_none() {
                        self.warn(
                            Some(item.line),
                            &format!("an item of `{key}` is not a string"),
                        );
                    }
                    text.map(str::to_owned)
                });
                texts.collect()
            }
            Value::Mapping(_) => {
                self.warn(Some(node.line), &format!("`{key}` is not a list"));
                Vec::new()
            }
        }
    }

    /// Returns a list of mappings as JSON.
    pub(super) fn parameters(&mut self, key: &str) -> Box<RawValue> {
        let mut parameters = Vec::new();
        match self.get(key).map(|node| (node, &node.value)) {
            None => {}
            Some((_, Value::Sequence(items))) => {
                for item in items {
                    if let Value::Mapping(_) = item.value {
                        self.warn_about_nested_duplicate_keys(item);
                        parameters.push(to_json(item));
                    } else {
                        self.warn(
                            Some(item.line),
                            &format!("an item of `{key}` is not a mapping"),
                        );
                    }
                }
            }
            Some((node, _)) => self.warn(
                Some(node.line),
                &format!("`{key}` is not a list of mappings"),
            ),
        }
        json::raw(&parameters)
    }

    fn get(&self, key: &str) -> Option<&'a Node> {
        self.front_matter?.get(key).filter(|node| !node.is_null())
    }

    fn warn_about_duplicate_keys(&mut self, entries: &[(Node, Node)]) {
        let mut seen = HashSet::new();
        for (key, _) in entries {
            if let Some(text) = key.text().filter(|text| !seen.insert(*text)) {
                let text: String = text.chars().take(MAX_QUOTED_CHARS).collect();
                let message = format!("duplicate key {text:?}; the last value is used");
                self.warn(Some(key.line), &message);
            }
        }
    }

    fn warn_about_nested_duplicate_keys(&mut self, node: &Node) {
        match &node.value {
            Value::Scalar { .. } => {}
            Value::Sequence(items) => {
                for item in items {
                    self.warn_about_nested_duplicate_keys(item);
                }
            }
            Value::Mapping(entries) => {
                self.warn_about_duplicate_keys(entries);
                for (_, value) in entries {
                    self.warn_about_nested_duplicate_keys(value);
                }
            }
        }
    }
}
