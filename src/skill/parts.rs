//! Where the front matter of a document begins and ends.

use super::lines::{Line, line_ending, lines};

/// A document in its parts, which together are all of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Parts<'a> {
    /// The byte order mark, blank lines, and the line that opens the front matter.
    before: &'a str,
    /// The lines of the front matter.
    pub yaml: &'a str,
    /// The line that closes the front matter.
    closing: &'a str,
    /// All after it.
    pub body: &'a str,
}

/// Why a document has no parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Missing {
    /// It does not begin with a line `---`.
    FrontMatter,
    /// After the line with this number, the first being 1, no line `---` follows.
    End(usize),
}

impl<'a> Parts<'a> {
    /// Finds the front matter: from a first line `---` to the next line `---` or `...`.
    pub(super) fn of(document: &'a str) -> Result<Self, Missing> {
        let mark = document.len() - without_mark(document).len();
        let mut rest = lines(&document[mark..])
            .enumerate()
            .skip_while(|(_, it)| it.is_blank());
        let (number, opening) = rest.next().ok_or(Missing::FrontMatter)?;
        if !is_marker(opening, "---") {
            return Err(Missing::FrontMatter);
        }
        let (_, closing) = rest
            .find(|(_, it)| is_marker(*it, "---") || is_marker(*it, "..."))
            .ok_or(Missing::End(number + 1))?;
        let (start, end) = (mark + opening.end(), mark + closing.start);
        Ok(Self {
            before: &document[..start],
            yaml: &document[start..end],
            closing: &document[end..mark + closing.end()],
            body: &document[mark + closing.end()..],
        })
    }

    /// What ends the document's lines.
    pub(super) fn line_ending(&self) -> &'a str {
        line_ending(
            self.before
                .trim_start_matches(|it| it != '\n' && it != '\r'),
        )
    }

    /// How many lines there are before the front matter.
    pub(super) fn lines_before(&self) -> usize {
        lines(self.before).count()
    }

    /// How many lines there are before the body.
    pub(super) fn lines_before_body(&self) -> usize {
        self.lines_before() + lines(self.yaml).count() + 1
    }

    /// The document with another front matter and another body.
    pub(super) fn with(&self, yaml: &str, body: &str) -> String {
        // The closing line may be the last, and without an end.
        let is_ended = self.closing.ends_with(['\n', '\r']);
        let end = if is_ended || body.is_empty() {
            ""
        } else {
            self.line_ending()
        };
        [self.before, yaml, self.closing, end, body].concat()
    }
}

/// A text without the byte order mark that it may begin with.
pub(super) fn without_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

fn is_marker(line: Line<'_>, marker: &str) -> bool {
    line.text.trim_end_matches([' ', '\t']) == marker
}

/// A document with an empty front matter before what it holds.
pub(super) fn with_empty_front_matter(document: &str) -> String {
    let body = without_mark(document);
    let mark = &document[..document.len() - body.len()];
    let end = lines(body).next().map_or("", |line| line.ending);
    let end = if end.is_empty() { "\n" } else { end };
    [mark, "---", end, "---", end, body].concat()
}
