//! Fences, as CommonMark has them.

use std::borrow::Cow;
use std::ops::Range;

use super::fields::{MAX_FENCE_RUN, longest_run};
use super::lines::lines;

/// A fence.
#[derive(Debug)]
pub(super) struct Fence<'a> {
    /// Where its lines begin and end in the body.
    pub place: Range<usize>,
    /// What its first line says.
    pub opening: Opening<'a>,
    /// The lines within.
    pub content: &'a str,
    /// What ends the first line.
    pub line_ending: &'a str,
}

/// The line that opens a fence.
#[derive(Clone, Copy, Debug)]
pub(super) struct Opening<'a> {
    /// How many blanks it begins with.
    pub indentation: usize,
    /// The character of its marks.
    pub mark: char,
    /// How many marks there are.
    pub length: usize,
    /// What follows the marks.
    pub info: &'a str,
}

impl<'a> Fence<'a> {
    /// The language of the code: the first word after the marks.
    pub(super) fn language(&self) -> Option<&'a str> {
        self.opening.info.split_whitespace().next()
    }

    /// The code: all lines but the end of the last, without the indentation that the fence has.
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
            let blanks = first.take_while(|byte| *byte == b' ').count();
            [&line.text[blanks..], line.ending]
        });
        Cow::Owned(without_indentation.collect())
    }

    /// What follows the opening marks, with another language if one is given.
    pub(super) fn info_with(&self, language: Option<&str>) -> Cow<'a, str> {
        let info = self.opening.info;
        match (language, self.language()) {
            (None, _) => Cow::Borrowed(info),
            // What else is there would be taken for the language.
            (Some(""), _) => Cow::Borrowed(""),
            (Some(new), Some(old)) => Cow::Owned(info.replacen(old, new, 1)),
            (Some(new), None) => Cow::Owned(format!("{new}{info}")),
        }
    }
}

impl<'a> Opening<'a> {
    /// Reads a line that opens a fence.
    pub(super) fn of(line: &'a str) -> Option<Self> {
        let text = line.trim_start_matches(' ');
        let indentation = line.len() - text.len();
        let mark = text.chars().next().filter(|it| matches!(it, '`' | '~'))?;
        let info = text.trim_start_matches(mark);
        let length = text.len() - info.len();
        let valid = indentation <= 3 && length >= 3 && (mark == '~' || !info.contains('`'));
        valid.then_some(Self {
            indentation,
            mark,
            length,
            info,
        })
    }

    /// Whether a line closes what this opens.
    pub(super) fn is_closed_by(&self, line: &str) -> bool {
        let text = line.trim_start_matches(' ');
        let rest = text.trim_start_matches(self.mark);
        line.len() - text.len() <= 3
            && text.len() - rest.len() >= self.length
            && rest.trim_start_matches([' ', '\t']).is_empty()
    }
}

/// Code in a fence, without a line ending after it.
pub(super) fn fenced(code: &str, info: &str, line_ending: &str) -> String {
    let backticks = longest_run(code, '`');
    let (mark, run) = if backticks <= MAX_FENCE_RUN && !info.contains('`') {
        ("`", backticks)
    } else {
        ("~", longest_run(code, '~'))
    };
    let fence = mark.repeat((run + 1).max(3));
    format!("{fence}{info}{line_ending}{code}{line_ending}{fence}")
}
