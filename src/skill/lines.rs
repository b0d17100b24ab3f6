//! Lines of a text, which end as YAML and CommonMark have it: LF, CRLF or CR.

/// One line.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line<'a> {
    /// Where it begins in the text.
    pub start: usize,
    /// What it holds.
    pub text: &'a str,
    /// What ends it; empty at the end of the text.
    pub ending: &'a str,
}

impl Line<'_> {
    /// Where the next line begins.
    pub(super) fn end(&self) -> usize {
        self.start + self.text.len() + self.ending.len()
    }

    /// Whether it holds nothing but blanks.
    pub(super) fn is_blank(&self) -> bool {
        self.text.bytes().all(|byte| matches!(byte, b' ' | b'\t'))
    }
}

/// The lines of `text`, which together are all of it.
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

/// The line ending that `text` begins with; empty if it is none.
pub(super) fn line_ending(text: &str) -> &str {
    let length = match text.as_bytes() {
        [b'\r', b'\n', ..] => 2,
        [b'\r' | b'\n', ..] => 1,
        _ => 0,
    };
    &text[..length]
}
