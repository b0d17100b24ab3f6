//! A document taken apart, as reading, changing and exporting need it.

use super::code::Section;
use super::front_matter::FrontMatter;
use super::parts::{Missing, Parts, without_mark};

/// A document: where its parts are and what they are.
#[derive(Debug)]
pub(super) struct Document<'a> {
    /// The parts, or which one is missing.
    pub parts: Result<Parts<'a>, Missing>,
    /// The front matter, or why it is not read.
    pub front_matter: Result<FrontMatter<'a>, String>,
    /// All after the front matter.
    pub body: &'a str,
    /// The code in the body.
    pub section: Section<'a>,
}

impl<'a> Document<'a> {
    /// Takes a document apart.
    pub(super) fn of(document: &'a str) -> Self {
        let parts = Parts::of(document);
        let front_matter = match &parts {
            Ok(parts) => FrontMatter::parse(parts),
            Err(Missing::FrontMatter) => {
                Err("there is no front matter: the first line is not `---`".to_owned())
            }
            Err(Missing::End(line)) => Err(format!(
                "line {line}: the front matter has no end: no line `---` follows"
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
            section: Section::of(body),
        }
    }

    /// The text of a key; nothing where it is missing, `null` or no text.
    pub(super) fn text(&self, key: &str) -> Option<&str> {
        let node = self.front_matter.as_ref().ok()?.get(key)?;
        node.text().filter(|_| !node.is_null())
    }

    /// How many lines there are before the body.
    pub(super) fn lines_before_body(&self) -> usize {
        self.parts.map_or(0, |parts| parts.lines_before_body())
    }
}
