//! The values of a front matter, and warnings about those that are not what they should be.

use std::collections::HashSet;

use serde_json::value::RawValue;

use super::document::Document;
use super::front_matter::FrontMatter;
use super::yaml::{Node, Value, to_json};
use crate::util::json;

/// How many warnings a document gets at most.
const MAX_WARNINGS: usize = 20;
/// How much of a key a warning quotes, in characters.
const MAX_QUOTED_CHARS: usize = 40;

/// Reads values, and notes what is odd about them.
#[derive(Debug)]
pub(super) struct Values<'a> {
    front_matter: Option<&'a FrontMatter<'a>>,
    warnings: Vec<String>,
}

impl<'a> Values<'a> {
    /// The values of a document, and what is odd about the document as a whole.
    pub(super) fn of(document: &'a Document<'a>) -> Self {
        let mut this = Self {
            front_matter: document.front_matter.as_ref().ok(),
            warnings: Vec::new(),
        };
        match &document.front_matter {
            Ok(front_matter) => this.warn_of_duplicates(front_matter.entries()),
            Err(reason) => this.warn(None, reason),
        }
        let before = document.lines_before_body();
        let section = &document.section;
        if let (None, Some(heading)) = (&section.fence, section.heading) {
            this.warn(
                Some(before + heading.number),
                "`## Code` has no fence with code after it",
            );
        }
        if let Some((_, line)) = &section.open {
            this.warn(
                Some(before + line),
                "the fence that begins here is never closed",
            );
        }
        this
    }

    /// Notes what is odd, and in which line of the document.
    pub(super) fn warn(&mut self, line: Option<usize>, message: &str) {
        self.warnings.push(match line {
            Some(line) => format!("line {line}: {message}"),
            None => message.to_owned(),
        });
    }

    /// All that is odd; of much, the first.
    pub(super) fn into_warnings(mut self) -> Vec<String> {
        let more = self.warnings.len().saturating_sub(MAX_WARNINGS);
        self.warnings.truncate(MAX_WARNINGS);
        if more > 0 {
            self.warnings.push(format!("and {more} more"));
        }
        self.warnings
    }

    /// Whether a key has a value.
    pub(super) fn has(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    /// The line of the value of a key.
    pub(super) fn line(&self, key: &str) -> Option<usize> {
        self.get(key).map(|node| node.line)
    }

    /// A text, as it is written: a number or `true` keeps its letters.
    pub(super) fn text(&mut self, key: &str) -> Option<String> {
        let node = self.get(key)?;
        let text = node.text().map(str::to_owned);
        if text.is_none() {
            self.warn(Some(node.line), &format!("`{key}` is not a text"));
        }
        text
    }

    /// A list of texts. `null` is none, however it is written: `~` and nothing at all are the same.
    pub(super) fn list(&mut self, key: &str) -> Vec<String> {
        let Some(node) = self.get(key) else {
            return Vec::new();
        };
        match &node.value {
            Value::Scalar { text, .. } => {
                let message = format!("`{key}` is a text, not a list; it is split at its commas");
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
                            &format!("an item of `{key}` is not a text"),
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

    /// A list of mappings, as JSON.
    pub(super) fn parameters(&mut self, key: &str) -> Box<RawValue> {
        let mut parameters = Vec::new();
        match self.get(key).map(|node| (node, &node.value)) {
            None => {}
            Some((_, Value::Sequence(items))) => {
                for item in items {
                    if let Value::Mapping(_) = item.value {
                        self.warn_of_nested_duplicates(item);
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

    fn warn_of_duplicates(&mut self, entries: &[(Node, Node)]) {
        let mut seen = HashSet::new();
        for (key, _) in entries {
            if let Some(text) = key.text().filter(|text| !seen.insert(*text)) {
                let text: String = text.chars().take(MAX_QUOTED_CHARS).collect();
                let message = format!("the key {text:?} is there twice; the last one counts");
                self.warn(Some(key.line), &message);
            }
        }
    }

    fn warn_of_nested_duplicates(&mut self, node: &Node) {
        match &node.value {
            Value::Scalar { .. } => {}
            Value::Sequence(items) => {
                for item in items {
                    self.warn_of_nested_duplicates(item);
                }
            }
            Value::Mapping(entries) => {
                self.warn_of_duplicates(entries);
                for (_, value) in entries {
                    self.warn_of_nested_duplicates(value);
                }
            }
        }
    }
}
