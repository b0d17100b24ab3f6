//! The boundaries of a document's front matter.

use super::lines::{Line, line_ending, lines};

/// The parts of a document; their concatenation is the whole document.
#[derive(Clone, Copy, Debug)]
pub(super) struct Parts<'a> {
    /// The byte order mark, blank lines, and the opening `---` line.
    before: &'a str,
    /// The lines of the front matter, without the `---` lines.
    pub yaml: &'a str,
    /// The closing line.
    closing: &'a str,
    /// The text after the closing line.
    pub body: &'a str,
}

/// The marker line that a document lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Missing {
    /// The opening line: the document does not begin with `---`.
    Opening,
    /// The closing line: no `---` follows the line with this number (the first is 1).
    Closing(usize),
}

impl<'a> Parts<'a> {
    /// Finds the front matter: from a first line `---` to the next line `---` or `...`.
    pub(super) fn parse(document: &'a str) -> Result<Self, Missing> {
        let mark = document.len() - without_mark(document).len();
        let mut rest = lines(&document[mark..])
            .enumerate()
            .skip_while(|(_, line)| line.is_blank());
        let (number, opening) = rest.next().ok_or(Missing::Opening)?;
        if !is_marker(opening, "---") {
            return Err(Missing::Opening);
        }
        let (_, closing) = rest
            .find(|(_, line)| is_marker(*line, "---") || is_marker(*line, "..."))
            .ok_or(Missing::Closing(number + 1))?;
        let (start, end) = (mark + opening.end(), mark + closing.start);
        Ok(Self {
            before: &document[..start],
            yaml: &document[start..end],
            closing: &document[end..mark + closing.end()],
            body: &document[mark + closing.end()..],
        })
    }

    /// Returns the line ending of the document.
    pub(super) fn line_ending(&self) -> &'a str {
        line_ending(
            self.before
                .trim_start_matches(|character| character != '\n' && character != '\r'),
        )
    }

    /// Returns the number of lines before the front matter.
    pub(super) fn lines_before(&self) -> usize {
        lines(self.before).count()
    }

    /// Returns the number of lines before the body.
    pub(super) fn lines_before_body(&self) -> usize {
        self.lines_before() + lines(self.yaml).count() + 1
    }

    /// Returns the document with the given front matter and body.
    pub(super) fn with(&self, yaml: &str, body: &str) -> String {
        // The closing line has no line ending if it is the last line of the document.
        let is_ended = self.closing.ends_with(['\n', '\r']);
        let end = if is_ended || body.is_empty() {
            ""
        } else {
            self.line_ending()
        };
        [self.before, yaml, self.closing, end, body].concat()
    }
}

/// Returns `text` without a leading byte order mark.
pub(super) fn without_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

fn is_marker(line: Line<'_>, marker: &str) -> bool {
    line.text.trim_end_matches([' ', '\t']) == marker
}

/// Returns `document` with empty front matter inserted at its beginning.
pub(super) fn with_empty_front_matter(document: &str) -> String {
    let body = without_mark(document);
    let mark = &document[..document.len() - body.len()];
    let end = lines(body).next().map_or("", |line| line.ending);
    let end = if end.is_empty() { "\n" } else { end };
    [mark, "---", end, "---", end, body].concat()
}
