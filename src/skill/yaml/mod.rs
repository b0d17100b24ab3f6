//! YAML: parsing to a tree within fixed limits, and writing.
//!
//! A scalar keeps its text. Its type is resolved on demand, so that the version `1.10` stays `1.10`. The limits protect
//! against hostile input: a few lines of nested aliases expand to more nodes than fit into memory.

mod correct;
mod entry;
mod parse;
mod schema;
mod surrogates;
mod write;

pub(super) use self::correct::correct;
pub(super) use self::entry::quoted_entry;
pub(super) use self::parse::{YamlError, parse};
pub(super) use self::schema::{Resolved, resolve, to_json};
pub(super) use self::write::{
    quote, write_entry, write_flow, write_flow_json, write_flow_sequence,
};

/// The maximum nesting depth of collections.
pub(super) const MAX_DEPTH: usize = 64;
/// The maximum number of nodes, with aliases expanded.
pub(super) const MAX_NODES: usize = 20_000;
/// The maximum total size of all scalars in bytes, with aliases expanded.
pub(super) const MAX_TEXT_BYTES: usize = 256 * 1024;

/// A node of the tree.
#[derive(Clone, Debug)]
pub(super) struct Node {
    /// The line where the node begins; the first is 1.
    pub line: usize,
    /// The tag in its written form.
    pub tag: Option<String>,
    /// The content.
    pub value: Value,
}

/// The content of a node.
#[derive(Clone, Debug)]
pub(super) enum Value {
    /// A scalar; `is_plain` if it is written without quotes.
    Scalar { text: String, is_plain: bool },
    /// A sequence.
    Sequence(Vec<Node>),
    /// A mapping: keys and values in document order.
    Mapping(Vec<(Node, Node)>),
}

impl Node {
    /// Returns the text of a scalar, independent of its type.
    pub(super) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar { text, .. } => Some(text),
            Value::Sequence(_) | Value::Mapping(_) => None,
        }
    }

    /// Returns whether this is `null`, `~` or an empty plain scalar.
    pub(super) fn is_null(&self) -> bool {
        self.resolved() == Some(Resolved::Null)
    }

    /// Returns the resolved type of a scalar.
    pub(super) fn resolved(&self) -> Option<Resolved> {
        let Value::Scalar { text, is_plain } = &self.value else {
            return None;
        };
        Some(match self.tag.as_deref() {
            None if *is_plain => resolve(text),
            Some("!!null" | "!!bool" | "!!int" | "!!float") => resolve(text),
            _ => Resolved::Text,
        })
    }
}

/// Two nodes are equal if they have the same tag and value; position and notation are ignored.
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
