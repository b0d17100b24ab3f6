//! The code in the body of a document: the first fence of a section `## Code`, as CommonMark has fences.

use std::borrow::Cow;

use super::fields::{MAX_FENCE_RUN, longest_run};
use super::lines::{Line, lines};

/// What a body has of code.
#[derive(Debug, Default)]
pub(super) struct Section<'a> {
    /// The first fence of a section `## Code`.
    pub fence: Option<Fence<'a>>,
    /// Where the first line `## Code` begins and ends, and its number, the first being 1.
    pub heading: Option<(usize, usize, usize)>,
    /// What closes a fence that is open at the end of the body, and the number of the line that opens it.
    pub open: Option<(String, usize)>,
}

/// A fence.
#[derive(Debug)]
pub(super) struct Fence<'a> {
    /// The first word after the opening marks.
    pub language: Option<&'a str>,
    /// Where the heading that it belongs to begins and ends.
    heading: (usize, usize),
    /// Where its lines begin and end.
    start: usize,
    end: usize,
    opening: Opening<'a>,
    /// The lines within, and the line ending that the opening line has.
    content: &'a str,
    line_ending: &'a str,
}

/// The line that opens a fence.
#[derive(Clone, Copy, Debug)]
struct Opening<'a> {
    indentation: usize,
    mark: char,
    length: usize,
    info: &'a str,
}

impl<'a> Fence<'a> {
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
            let most = line.text.len().min(self.opening.indentation);
            let blanks = line.text[..]
                .bytes()
                .take(most)
                .take_while(|byte| *byte == b' ')
                .count();
            [&line.text[blanks..], line.ending]
        });
        Cow::Owned(without_indentation.collect())
    }

    /// What follows the opening marks, with another language if one is given.
    fn info_with(&self, language: Option<&str>) -> Cow<'a, str> {
        let info = self.opening.info;
        match (language, self.language) {
            (None, _) => Cow::Borrowed(info),
            // What else is there would be taken for the language.
            (Some(""), _) => Cow::Borrowed(""),
            (Some(new), Some(old)) => Cow::Owned(info.replacen(old, new, 1)),
            (Some(new), None) => Cow::Owned(format!("{new}{info}")),
        }
    }
}

impl<'a> Section<'a> {
    /// Looks for the code of a body.
    pub(super) fn of(body: &'a str) -> Self {
        let mut section = Self::default();
        let mut heading = None;
        let mut open: Option<(Opening<'a>, Line<'a>, usize)> = None;
        for (index, line) in lines(body).enumerate() {
            if let Some((opening, first, _)) = open {
                if opening.is_closed_by(line.text) {
                    section.take(body, heading, (opening, first), line.start, line.end());
                    open = None;
                }
            } else if let Some(opening) = Opening::of(line.text) {
                open = Some((opening, line, index + 1));
            } else if let Some(level) = heading_level(line.text) {
                if level == 2 && is_code_heading(line.text) {
                    heading = Some((line.start, line.end()));
                    section
                        .heading
                        .get_or_insert((line.start, line.end(), index + 1));
                } else if level <= 2 {
                    heading = None;
                }
            }
        }
        if let Some((opening, first, number)) = open {
            let marks = opening.mark.to_string().repeat(opening.length);
            section.open = Some((marks, number));
            section.take(body, heading, (opening, first), body.len(), body.len());
        }
        section
    }

    /// Keeps a fence if it is the first of a section `## Code`.
    fn take(
        &mut self,
        body: &'a str,
        heading: Option<(usize, usize)>,
        (opening, first): (Opening<'a>, Line<'a>),
        content_end: usize,
        end: usize,
    ) {
        if let (None, Some(heading)) = (&self.fence, heading) {
            self.fence = Some(Fence {
                language: opening.info.split_whitespace().next(),
                heading,
                start: first.start,
                end,
                opening,
                content: &body[first.end()..content_end],
                line_ending: first.ending,
            });
        }
    }

    /// The body with other code, in a new section where there is none; `language` replaces what the fence
    /// says.
    pub(super) fn with_code(
        &self,
        body: &str,
        code: &str,
        language: Option<&str>,
        line_ending: &str,
    ) -> String {
        if let Some(fence) = &self.fence {
            let info = fence.info_with(language);
            let is_open_ended = fence.end == body.len() && !body.ends_with(['\n', '\r']);
            let end = if is_open_ended { "" } else { line_ending };
            let written = fenced(code, &info, line_ending);
            return [&body[..fence.start], &written, end, &body[fence.end..]].concat();
        }
        let written = fenced(code, language.unwrap_or_default(), line_ending);
        if let Some((_, after, _)) = self.heading {
            let (before, after) = body.split_at(after);
            let end = if before.ends_with(['\n', '\r']) {
                ""
            } else {
                line_ending
            };
            return [before, end, line_ending, &written, line_ending, after].concat();
        }
        let mut result = body.to_owned();
        if !result.is_empty() && !result.ends_with(['\n', '\r']) {
            result.push_str(line_ending);
        }
        if let Some((closing, _)) = &self.open {
            result.push_str(closing);
            result.push_str(line_ending);
        }
        [
            &result,
            line_ending,
            "## Code",
            line_ending,
            line_ending,
            &written,
            line_ending,
        ]
        .concat()
    }

    /// The body with another language said of its code.
    pub(super) fn with_language(&self, body: &str, language: &str) -> String {
        let Some(fence) = &self.fence else {
            return body.to_owned();
        };
        let info = fence.info_with(Some(language));
        let marks = fence.opening.indentation + fence.opening.length;
        let line_end = fence.start
            + lines(&body[fence.start..])
                .next()
                .map_or(0, |line| line.text.len());
        [&body[..fence.start + marks], &info, &body[line_end..]].concat()
    }

    /// The body without its code; without the heading, too, if nothing else was under it.
    pub(super) fn without_code(&self, body: &str) -> String {
        let Some(fence) = &self.fence else {
            return body.to_owned();
        };
        let (start, after) = fence.heading;
        let only_code = lines(&body[after..fence.start]).all(|line| line.is_blank());
        let start = if only_code { start } else { fence.start };
        [&body[..start], &body[fence.end..]].concat()
    }
}

impl<'a> Opening<'a> {
    fn of(line: &'a str) -> Option<Self> {
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

    fn is_closed_by(&self, line: &str) -> bool {
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

/// The level of the heading that a line is.
fn heading_level(line: &str) -> Option<usize> {
    let text = line.trim_start_matches(' ');
    let rest = text.trim_start_matches('#');
    let level = text.len() - rest.len();
    let valid = line.len() - text.len() <= 3
        && (1..=6).contains(&level)
        && (rest.is_empty() || rest.starts_with([' ', '\t']));
    valid.then_some(level)
}

/// Whether a heading says `Code`.
fn is_code_heading(line: &str) -> bool {
    let blanks = [' ', '\t'];
    let text = line.trim_matches(blanks).trim_start_matches('#');
    let without_marks = text.trim_end_matches('#');
    let text = if without_marks.ends_with(blanks) {
        without_marks
    } else {
        text
    };
    text.trim_matches(blanks).eq_ignore_ascii_case("code")
}
