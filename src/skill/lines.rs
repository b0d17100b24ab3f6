//! Lines of a text. A line ends with LF, CRLF or CR, as in YAML and CommonMark.

/// A line.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line<'a> {
    /// The byte offset of the line in the text.
    pub start: usize,
    /// The line without its ending.
    pub text: &'a str,
    /// The line ending; empty at the end of the text.
    pub ending: &'a str,
}

impl Line<'_> {
    /// Returns the byte offset of the next line.
    pub(super) fn end(&self) -> usize {
        self.start + self.text.len() + self.ending.len()
    }

    /// Returns whether the line is empty or consists of spaces and tabs.
    pub(super) fn is_blank(&self) -> bool {
        self.text.bytes().all(|byte| matches!(byte, b' ' | b'\t'))
    }
}

/// Returns the lines of `text`; their concatenation is `text`.
pub(super) fn lines(text: &str) -> impl Iterator<Item = Line<'_>> {
    let mut start = 0;
    std::iter::from_fn(move || {
        let rest = &text[start..];
        if rest.is_empty() {
            return None;
        }
        let length = rest.find(['\n', '\r']).unwrap_or(rest.len());
        let line = Line {
            start,
            text: &rest[..length],
            ending: line_ending(&rest[length..]),
        };
        start = line.end();
        Some(line)
    })
}

/// Returns the line ending at the start of `text`; empty if there is none.
pub(super) fn line_ending(text: &str) -> &str {
    let length = match text.as_bytes() {
        [b'\r', b'\n', ..] => 2,
        [b'\r' | b'\n', ..] => 1,
        _ => 0,
    };
    &text[..length]
}
