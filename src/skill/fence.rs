//! Fenced code blocks (CommonMark).

use std::borrow::Cow;
use std::ops::Range;

use super::fields::{MAX_FENCE_RUN, longest_run};
use super::lines::lines;

/// A fenced code block.
#[derive(Debug)]
pub(super) struct Fence<'a> {
    /// The byte range of its lines in the body.
    pub range: Range<usize>,
    /// The opening line.
    pub opening: Opening<'a>,
    /// The lines between the opening and the closing line.
    pub content: &'a str,
    /// The line ending of the opening line.
    pub line_ending: &'a str,
}

/// The opening line of a fenced code block.
#[derive(Clone, Copy, Debug)]
pub(super) struct Opening<'a> {
    /// The number of leading spaces.
    pub indentation: usize,
    /// The fence character.
    pub marker: char,
    /// The number of fence characters.
    pub length: usize,
    /// The info string.
    pub info: &'a str,
}

impl<'a> Fence<'a> {
    /// Returns the language: the first word of the info string.
    pub(super) fn language(&self) -> Option<&'a str> {
        self.opening.info.split_whitespace().next()
    }

    /// Returns the content without the last line ending and without the indentation of the fence.
    pub(super) fn code(&self) -> Cow<'a, str> {
        let content = self
            .content
            .strip_suffix(self.line_ending)
            .or_else(|| self.content.strip_suffix('\n'))
            .unwrap_or(self.content);
        if self.opening.indentation == 0 {
            return Cow::Borrowed(content);
        }
        let without_indentation = lines(content).flat_map(|line| {
            let first = line.text.bytes().take(self.opening.indentation);
            let spaces = first.take_while(|byte| *byte == b' ').count();
            [&line.text[spaces..], line.ending]
        });
        Cow::Owned(without_indentation.collect())
    }

    /// Returns the info string, with another language if one is given.
    pub(super) fn info_with_language(&self, language: Option<&str>) -> Cow<'a, str> {
        let info = self.opening.info;
        match (language, self.language()) {
            (None, _) => Cow::Borrowed(info),
            // Without a language, the next word of the info string would become the language.
            (Some(""), _) => Cow::Borrowed(""),
            (Some(new), Some(old)) => Cow::Owned(info.replacen(old, new, 1)),
            (Some(new), None) => Cow::Owned(format!("{new}{info}")),
        }
    }
}

impl<'a> Opening<'a> {
    /// Parses the opening line of a fenced code block.
    pub(super) fn parse(line: &'a str) -> Option<Self> {
        let text = line.trim_start_matches(' ');
        let indentation = line.len() - text.len();
        let marker = text.chars().next()?;
        if !matches!(marker, '`' | '~') {
            return None;
        }
        let info = text.trim_start_matches(marker);
        let length = text.len() - info.len();
        let is_valid = indentation <= 3 && length >= 3 && (marker == '~' || !info.contains('`'));
        is_valid.then_some(Self {
            indentation,
            marker,
            length,
            info,
        })
    }

    /// Returns whether `line` closes the code block.
    pub(super) fn is_closed_by(&self, line: &str) -> bool {
        let text = line.trim_start_matches(' ');
        let rest = text.trim_start_matches(self.marker);
        line.len() - text.len() <= 3
            && text.len() - rest.len() >= self.length
            && rest.trim_start_matches([' ', '\t']).is_empty()
    }
}

/// Writes a fenced code block, without a line ending after it.
pub(super) fn code_block(code: &str, info: &str, line_ending: &str) -> String {
    let backticks = longest_run(code, '`');
    let (marker, run) = if backticks <= MAX_FENCE_RUN && !info.contains('`') {
        ("`", backticks)
    } else {
        ("~", longest_run(code, '~'))
    };
    let fence = marker.repeat((run + 1).max(3));
    format!("{fence}{info}{line_ending}{code}{line_ending}{fence}")
}
