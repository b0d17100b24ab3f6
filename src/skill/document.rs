//! A parsed document, the input of reading, editing and exporting.

use super::code::Section;
use super::front_matter::FrontMatter;
use super::parts::{Missing, Parts, without_mark};

/// A parsed document.
#[derive(Debug)]
pub(super) struct Document<'a> {
    /// The parts, or the marker that is missing.
    pub parts: Result<Parts<'a>, Missing>,
    /// The front matter, or the reason why it cannot be parsed.
    pub front_matter: Result<FrontMatter<'a>, String>,
    /// The text after the front matter.
    pub body: &'a str,
    /// The code section of the body.
    pub section: Section<'a>,
}

impl<'a> Document<'a> {
    /// Parses a document.
    pub(super) fn parse(document: &'a str) -> Self {
        let parts = Parts::parse(document);
        let front_matter = match &parts {
            Ok(parts) => FrontMatter::parse(parts),
            Err(Missing::Opening) => {
                Err("the document has no front matter: the first line is not `---`".to_owned())
            }
            Err(Missing::Closing(line)) => Err(format!(
                "line {line}: the front matter is not closed: no line `---` follows"
            )),
        };
        let body = match &parts {
            Ok(parts) => parts.body,
            Err(_) => without_mark(document),
        };
        Self {
            parts,
            front_matter,
            body,
            section: Section::parse(body),
        }
    }

    /// Returns the string of a key; `None` if it is missing, null or not a scalar.
    pub(super) fn text(&self, key: &str) -> Option<&str> {
        let node = self.front_matter.as_ref().ok()?.get(key)?;
        node.text().filter(|_| !node.is_null())
    }

    /// Returns the number of lines before the body.
    pub(super) fn lines_before_body(&self) -> usize {
        self.parts.map_or(0, |parts| parts.lines_before_body())
    }
}
