//! From the events of the parser to a tree.

use std::collections::HashMap;

use saphyr_parser::{Event, Parser, ScalarStyle, Span, Tag};

use super::{MAX_DEPTH, MAX_NODES, MAX_TEXT_BYTES, Node, Value};

/// The value that a text holds.
#[derive(Debug)]
pub(in crate::skill) struct Root {
    /// The value.
    pub node: Node,
    /// If it is a mapping in block style: the line and the column where each of its keys begins.
    pub key_positions: Vec<(usize, usize)>,
}

/// Why a text is not read.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::skill) struct YamlError {
    /// The line it is about; the first is 1.
    pub line: usize,
    /// What is wrong, in plain words.
    pub message: String,
}

/// Reads a text of one value; nothing if it holds none.
pub(in crate::skill) fn parse(text: &str) -> Result<Option<Root>, YamlError> {
    let mut builder = Builder::default();
    // Not `Parser::load`, which calls itself for what is nested.
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| YamlError {
            line: error.marker().line(),
            message: error.info().to_owned(),
        })?;
        if builder.depth() == 0 && matches!(event, Event::MappingStart(..)) {
            builder.is_block = !is_brace(text, span);
        }
        builder.take(event, span).map_err(|message| YamlError {
            line: span.start.line(),
            message: message.to_owned(),
        })?;
    }
    let is_block = builder.is_block;
    Ok(builder.root.map(|node| Root {
        node,
        key_positions: if is_block {
            builder.key_positions
        } else {
            Vec::new()
        },
    }))
}

/// Whether a span ends with the brace that opens a mapping.
fn is_brace(text: &str, span: Span) -> bool {
    let last = span.end.index().checked_sub(1);
    last.and_then(|index| text.chars().nth(index)) == Some('{')
}

#[derive(Default)]
struct Builder {
    root: Option<Node>,
    is_block: bool,
    key_positions: Vec<(usize, usize)>,
    open: Vec<Open>,
    anchors: HashMap<usize, Anchor>,
    nodes: usize,
    text_bytes: usize,
}

/// A collection whose end has not come yet.
struct Open {
    line: usize,
    tag: Option<String>,
    anchor: usize,
    is_mapping: bool,
    items: Vec<Node>,
    /// How many nodes and bytes there were before it.
    before: (usize, usize),
}

/// What an alias stands for, and how many nodes and bytes that is.
struct Anchor {
    node: Node,
    nodes: usize,
    text_bytes: usize,
}

impl Builder {
    fn depth(&self) -> usize {
        self.open.len()
    }

    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), &'static str> {
        let starts_node = matches!(
            event,
            Event::Scalar(..)
                | Event::Alias(_)
                | Event::SequenceStart(..)
                | Event::MappingStart(..)
        );
        if starts_node {
            self.note_key(span);
        }
        let line = span.start.line();
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let before = (self.nodes, self.text_bytes);
                self.count(1, text.len())?;
                let value = Value::Scalar {
                    text: text.into_owned(),
                    plain: style == ScalarStyle::Plain,
                };
                let tag = tag.as_deref().map(written_tag);
                self.finish(Node { line, tag, value }, anchor, before);
            }
            Event::Alias(anchor) => {
                let anchor = self
                    .anchors
                    .get(&anchor)
                    .ok_or("an alias stands within what it stands for")?;
                let node = Node {
                    line,
                    ..anchor.node.clone()
                };
                let (nodes, text_bytes) = (anchor.nodes, anchor.text_bytes);
                let before = (self.nodes, self.text_bytes);
                self.count(nodes, text_bytes)?;
                self.finish(node, 0, before);
            }
            Event::SequenceStart(anchor, tag) => self.open(line, tag.as_deref(), anchor, false)?,
            Event::MappingStart(anchor, tag) => self.open(line, tag.as_deref(), anchor, true)?,
            Event::SequenceEnd | Event::MappingEnd => self.close(),
            Event::DocumentStart(_) if self.root.is_some() => {
                return Err("there is a second document");
            }
            Event::DocumentStart(_)
            | Event::DocumentEnd
            | Event::StreamStart
            | Event::StreamEnd
            | Event::Nothing => {}
        }
        Ok(())
    }

    /// Remembers where a key of the outermost mapping begins.
    fn note_key(&mut self, span: Span) {
        if let [outermost] = self.open.as_slice()
            && outermost.is_mapping
            && outermost.items.len().is_multiple_of(2)
        {
            self.key_positions
                .push((span.start.line(), span.start.col()));
        }
    }

    fn count(&mut self, nodes: usize, text_bytes: usize) -> Result<(), &'static str> {
        self.nodes += nodes;
        self.text_bytes += text_bytes;
        if self.nodes > MAX_NODES || self.text_bytes > MAX_TEXT_BYTES {
            return Err("there is more here than 20,000 values or 256 KB, aliases resolved");
        }
        Ok(())
    }

    fn open(
        &mut self,
        line: usize,
        tag: Option<&Tag>,
        anchor: usize,
        is_mapping: bool,
    ) -> Result<(), &'static str> {
        if self.open.len() == MAX_DEPTH {
            return Err("it is nested deeper than 64 levels");
        }
        let before = (self.nodes, self.text_bytes);
        self.count(1, 0)?;
        self.open.push(Open {
            line,
            tag: tag.map(written_tag),
            anchor,
            is_mapping,
            items: Vec::new(),
            before,
        });
        Ok(())
    }

    fn close(&mut self) {
        let Some(open) = self.open.pop() else { return };
        let value = if open.is_mapping {
            Value::Mapping(into_pairs(open.items))
        } else {
            Value::Sequence(open.items)
        };
        let node = Node {
            line: open.line,
            tag: open.tag,
            value,
        };
        self.finish(node, open.anchor, open.before);
    }

    fn finish(&mut self, node: Node, anchor: usize, before: (usize, usize)) {
        if anchor > 0 {
            let anchored = Anchor {
                node: node.clone(),
                nodes: self.nodes - before.0,
                text_bytes: self.text_bytes - before.1,
            };
            self.anchors.insert(anchor, anchored);
        }
        match self.open.last_mut() {
            Some(open) => open.items.push(node),
            None => self.root = Some(node),
        }
    }
}

fn into_pairs(items: Vec<Node>) -> Vec<(Node, Node)> {
    let mut items = items.into_iter();
    std::iter::from_fn(|| Some((items.next()?, items.next()?))).collect()
}

/// A tag as it can be written where no directive is.
fn written_tag(tag: &Tag) -> String {
    match (tag.handle.as_str(), tag.suffix.as_str()) {
        ("tag:yaml.org,2002:", suffix) => format!("!!{suffix}"),
        ("" | "!", "!" | "") => "!".to_owned(),
        ("!", suffix) => format!("!{suffix}"),
        (handle, suffix) => format!("!<{handle}{suffix}>"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::skill::MAX_FRONT_MATTER_BYTES;

    #[track_caller]
    fn check_refused(text: &str, why: &str) {
        let error = parse(text).unwrap_err();
        assert!(error.message.contains(why), "{error:?}");
    }

    fn as_large_as_allowed(piece: &str) -> String {
        piece.repeat(MAX_FRONT_MATTER_BYTES / piece.len())
    }

    #[test]
    fn nesting_is_bounded_in_every_style() {
        for piece in ["[", "{", "{? ", "[a: ", "- ", "? ", "? ["] {
            assert!(parse(&as_large_as_allowed(piece)).is_err(), "{piece}");
        }
        check_refused(&"- ".repeat(MAX_DEPTH + 1), "nested deeper than 64");
        assert!(parse(&("- ".repeat(MAX_DEPTH) + "x")).is_ok());
    }

    #[test]
    fn aliases_are_bounded_by_what_they_stand_for() {
        let mut laughs = "a0: &a0 [x, x]\n".to_owned();
        for level in 1..30 {
            let below = level - 1;
            laughs += &format!("a{level}: &a{level} [*a{below}, *a{below}]\n");
        }
        check_refused(&laughs, "more here than");
        let large = format!("a: &a {}\nb: [{}]", "x".repeat(30_000), "*a, ".repeat(100));
        check_refused(&large, "more here than");
        check_refused("a: &a [*a]", "within what it stands for");
        check_refused("a: *a", "unknown anchor");
    }

    #[test]
    fn what_is_not_one_document_is_refused() {
        check_refused("a: 1\n--- \nb: 2", "second document");
        check_refused("%YAML 1.2\na: 1", "document start");
        assert!(parse("%TAG ! tag:x,2000:\n---\na: !b 1").is_ok());
        assert!(parse("# nothing\n").unwrap().is_none());
    }

    #[test]
    fn texts_made_to_take_long_do_not() {
        let start = std::time::Instant::now();
        for piece in [
            "a",
            ":",
            "\t",
            "a:\t\n\t",
            "&",
            "*",
            "!",
            "!!binary ",
            "%YAML 1.2\n",
            "#\n",
            "\n",
            " \n",
            "\"",
            "\"\\\n",
            "'",
            "? a\n",
            "<<: *a\n",
            "\u{feff}",
            "\r",
            "a: b\r",
            "|\n",
            "a: |\n",
            "- - a: ",
        ] {
            let text = as_large_as_allowed(piece);
            for text in [
                text.clone(),
                format!("a: {text}"),
                format!("a: |\n  {text}"),
                format!("[{text}]"),
            ] {
                let _ = parse(&text);
            }
        }
        // A build without optimization takes a tenth of this.
        assert!(start.elapsed().as_secs() < 30);
    }
}
