//! Builds a tree from the events of the YAML parser.

use std::collections::HashMap;

use saphyr_parser::{Event, Parser, ScalarStyle, Span, Tag};

use super::surrogates::join_surrogates;
use super::{MAX_DEPTH, MAX_NODES, MAX_TEXT_BYTES, Node, Value};

/// The root node of a YAML document.
#[derive(Debug)]
pub(in crate::skill) struct Root {
    /// The node.
    pub node: Node,
    /// The line and column where each key begins, if the root is a block mapping.
    pub key_positions: Vec<(usize, usize)>,
}

/// The reason why a text cannot be parsed.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::skill) struct YamlError {
    /// The line of the error; the first is 1.
    pub line: usize,
    /// The message for the caller.
    pub message: String,
}

/// Parses a text with one YAML document; `None` if it is empty.
pub(in crate::skill) fn parse(text: &str) -> Result<Option<Root>, YamlError> {
    let text = join_surrogates(text);
    let mut builder = Builder::default();
    // Not `Parser::load`, which recurses for nested nodes and could overflow the stack.
    for event in Parser::new_from_str(&text) {
        let (event, span) = event.map_err(|error| YamlError {
            line: error.marker().line(),
            message: message(error.info()),
        })?;
        if builder.depth() == 0 && matches!(event, Event::MappingStart(..)) {
            builder.is_block = !is_brace(&text, span);
        }
        builder.handle(event, span).map_err(|message| YamlError {
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

/// Returns a message of the parser, in other words where it does not name the cause.
fn message(info: &str) -> String {
    if info.contains("invalid Unicode character escape") {
        return "an escape is half of a surrogate pair, or not a character: write the character itself".to_owned();
    }
    info.to_owned()
}

/// Returns whether a span ends with the `{` of a flow mapping.
fn is_brace(text: &str, span: Span) -> bool {
    let last = span.end.index().checked_sub(1);
    last.and_then(|index| text.chars().nth(index)) == Some('{')
}

#[derive(Default)]
struct Builder {
    root: Option<Node>,
    is_block: bool,
    key_positions: Vec<(usize, usize)>,
    open: Vec<OpenCollection>,
    anchors: HashMap<usize, Anchor>,
    nodes: usize,
    text_bytes: usize,
}

/// A collection whose end event has not arrived yet.
struct OpenCollection {
    line: usize,
    tag: Option<String>,
    anchor: usize,
    is_mapping: bool,
    items: Vec<Node>,
    /// The numbers of nodes and text bytes before it.
    before: (usize, usize),
}

/// The node of an anchor, with its number of nodes and text bytes.
struct Anchor {
    node: Node,
    nodes: usize,
    text_bytes: usize,
}

impl Builder {
    fn depth(&self) -> usize {
        self.open.len()
    }

    fn handle(&mut self, event: Event<'_>, span: Span) -> Result<(), &'static str> {
        let starts_node = matches!(
            event,
            Event::Scalar(..)
                | Event::Alias(_)
                | Event::SequenceStart(..)
                | Event::MappingStart(..)
        );
        if starts_node {
            self.record_key(span);
        }
        let line = span.start.line();
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let before = (self.nodes, self.text_bytes);
                self.count(1, text.len())?;
                let value = Value::Scalar {
                    text: text.into_owned(),
                    is_plain: style == ScalarStyle::Plain,
                };
                let tag = tag.as_deref().map(written_tag);
                self.finish(Node { line, tag, value }, anchor, before);
            }
            Event::Alias(anchor) => {
                let anchor = self
                    .anchors
                    .get(&anchor)
                    .ok_or("an alias refers to a collection that contains it")?;
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
                return Err("it contains more than one document");
            }
            Event::DocumentStart(_)
            | Event::DocumentEnd
            | Event::StreamStart
            | Event::StreamEnd
            | Event::Nothing => {}
        }
        Ok(())
    }

    /// Records the position of a key of the root mapping.
    fn record_key(&mut self, span: Span) {
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
            return Err("it has more than 20,000 values or 256 KB with aliases expanded");
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
        self.open.push(OpenCollection {
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

/// Writes a tag in a form that needs no `%TAG` directive.
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
    fn check_rejected(text: &str, reason: &str) {
        let error = parse(text).unwrap_err();
        assert!(error.message.contains(reason), "{error:?}");
    }

    fn repeat_to_limit(piece: &str) -> String {
        piece.repeat(MAX_FRONT_MATTER_BYTES / piece.len())
    }

    #[test]
    fn nesting_is_limited_in_every_style() {
        for piece in ["[", "{", "{? ", "[a: ", "- ", "? ", "? ["] {
            assert!(parse(&repeat_to_limit(piece)).is_err(), "{piece}");
        }
        check_rejected(&"- ".repeat(MAX_DEPTH + 1), "nested deeper than 64");
        assert!(parse(&("- ".repeat(MAX_DEPTH) + "x")).is_ok());
    }

    #[test]
    fn expanded_aliases_are_limited() {
        let mut laughs = "a0: &a0 [x, x]\n".to_owned();
        for level in 1..30 {
            let below = level - 1;
            laughs += &format!("a{level}: &a{level} [*a{below}, *a{below}]\n");
        }
        check_rejected(&laughs, "with aliases expanded");
        let large = format!("a: &a {}\nb: [{}]", "x".repeat(30_000), "*a, ".repeat(100));
        check_rejected(&large, "with aliases expanded");
        check_rejected("a: &a [*a]", "that contains it");
        check_rejected("a: *a", "unknown anchor");
    }

    #[test]
    fn text_with_other_than_one_document_is_rejected() {
        check_rejected("a: 1\n--- \nb: 2", "more than one document");
        check_rejected("%YAML 1.2\na: 1", "document start");
        assert!(parse("%TAG ! tag:x,2000:\n---\na: !b 1").is_ok());
        assert!(parse("# nothing\n").unwrap().is_none());
    }

    #[test]
    fn hostile_text_is_parsed_in_bounded_time() {
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
            let text = repeat_to_limit(piece);
            for text in [
                text.clone(),
                format!("a: {text}"),
                format!("a: |\n  {text}"),
                format!("[{text}]"),
            ] {
                let _ = parse(&text);
            }
        }
        // An unoptimized build takes about 3 s.
        assert!(start.elapsed().as_secs() < 30);
    }
}
