//! YAML: from a text to a small tree, and from values to text. Never further than documented bounds.
//!
//! A scalar keeps its text, and a value is resolved (is `5` a number?) only where someone asks: a version
//! `1.10` stays one. The bounds are for texts made to hurt: without them, a few lines of aliases are more
//! nodes than there is memory.

mod parse;
mod schema;
mod write;

pub(super) use self::parse::{YamlError, parse};
pub(super) use self::schema::{Resolved, resolve, to_json};
pub(super) use self::write::{entry, flow, flow_json, flow_list, quote};

/// How many collections are within each other at most.
pub(super) const MAX_DEPTH: usize = 64;
/// How many nodes a text has at most, aliases resolved.
pub(super) const MAX_NODES: usize = 20_000;
/// How many bytes all scalars have together at most, aliases resolved.
pub(super) const MAX_TEXT_BYTES: usize = 256 * 1024;

/// A value.
#[derive(Clone, Debug)]
pub(super) struct Node {
    /// The line it begins in; the first is 1.
    pub line: usize,
    /// Its tag as it can be written, if it has one.
    pub tag: Option<String>,
    /// What it is.
    pub value: Value,
}

/// What a node is.
#[derive(Clone, Debug)]
pub(super) enum Value {
    /// A text, and whether it stands there without quotes.
    Scalar { text: String, plain: bool },
    /// A list.
    Sequence(Vec<Node>),
    /// Keys and their values.
    Mapping(Vec<(Node, Node)>),
}

impl Node {
    /// The text of a scalar, whatever it resolves to.
    pub(super) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar { text, .. } => Some(text),
            Value::Sequence(_) | Value::Mapping(_) => None,
        }
    }

    /// Whether this is a `null`, or nothing at all.
    pub(super) fn is_null(&self) -> bool {
        self.resolved() == Some(Resolved::Null)
    }

    /// What a scalar resolves to.
    pub(super) fn resolved(&self) -> Option<Resolved> {
        let Value::Scalar { text, plain } = &self.value else {
            return None;
        };
        Some(match self.tag.as_deref() {
            None if *plain => resolve(text),
            Some("!!null" | "!!bool" | "!!int" | "!!float") => resolve(text),
            _ => Resolved::Text,
        })
    }
}

/// Two nodes are equal if every reader takes them for the same, wherever and however they are written.
impl PartialEq for Node {
    fn eq(&self, other: &Self) -> bool {
        self.tag == other.tag
            && match (&self.value, &other.value) {
                (Value::Scalar { text, .. }, Value::Scalar { text: same, .. }) => {
                    let resolved = self.resolved();
                    resolved == other.resolved()
                        && (text == same || resolved == Some(Resolved::Null))
                }
                (Value::Sequence(items), Value::Sequence(same)) => items == same,
                (Value::Mapping(entries), Value::Mapping(same)) => entries == same,
                _ => false,
            }
    }
}
