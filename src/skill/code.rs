//! The code in the body of a document: the first fence of a section `## Code`.

use std::ops::Range;

use super::fence::{Fence, Opening, fenced};
use super::lines::{Line, lines};

/// What a body has of code.
#[derive(Debug, Default)]
pub(super) struct Section<'a> {
    /// The first fence of a section `## Code`.
    pub fence: Option<Fence<'a>>,
    /// The first heading `## Code`.
    pub heading: Option<Heading>,
    /// What closes a fence that is open at the end of the body, and the number of the line that opens it.
    pub open: Option<(String, usize)>,
    /// Where the fences of all sections `## Code` are, with the heading where it has nothing else under it.
    code_places: Vec<Range<usize>>,
}

/// A line `## Code`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Heading {
    /// Its number; the first line of the body is 1.
    pub number: usize,
    start: usize,
    end: usize,
    /// Whether anything but blank lines has followed so far.
    has_more: bool,
}

impl<'a> Section<'a> {
    /// Looks for the code of a body.
    pub(super) fn of(body: &'a str) -> Self {
        let mut section = Self::default();
        let mut heading: Option<Heading> = None;
        let mut open: Option<(Opening<'a>, Line<'a>, usize)> = None;
        for (index, line) in lines(body).enumerate() {
            let number = index + 1;
            if let Some((opening, first, _)) = open {
                if opening.is_closed_by(line.text) {
                    let content = &body[first.end()..line.start];
                    section.take(heading.as_mut(), opening, first, content, line.end());
                    open = None;
                }
            } else if let Some(opening) = Opening::of(line.text) {
                open = Some((opening, line, number));
            } else if is_code_heading(line.text) {
                let (start, end) = (line.start, line.end());
                let found = Heading {
                    number,
                    start,
                    end,
                    has_more: false,
                };
                heading = Some(found);
                section.heading.get_or_insert(found);
            } else if heading_level(line.text).is_some_and(|level| level <= 2) {
                heading = None;
            } else if let Some(heading) = heading.as_mut() {
                heading.has_more |= !line.is_blank();
            }
        }
        if let Some((opening, first, number)) = open {
            let marks = opening.mark.to_string().repeat(opening.length);
            section.open = Some((marks, number));
            let content = &body[first.end()..];
            section.take(heading.as_mut(), opening, first, content, body.len());
        }
        section
    }

    /// Notes a fence that ends at `end`, if it is under a heading `## Code`.
    fn take(
        &mut self,
        heading: Option<&mut Heading>,
        opening: Opening<'a>,
        first: Line<'a>,
        content: &'a str,
        end: usize,
    ) {
        let Some(heading) = heading else { return };
        let start = if heading.has_more {
            first.start
        } else {
            heading.start
        };
        heading.has_more = true;
        self.code_places.push(start..end);
        self.fence.get_or_insert(Fence {
            place: first.start..end,
            opening,
            content,
            line_ending: first.ending,
        });
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
            let is_open_ended = fence.place.end == body.len() && !body.ends_with(['\n', '\r']);
            let end = if is_open_ended { "" } else { line_ending };
            let written = fenced(code, &info, line_ending);
            return [
                &body[..fence.place.start],
                &written,
                end,
                &body[fence.place.end..],
            ]
            .concat();
        }
        let written = fenced(code, language.unwrap_or_default(), line_ending);
        if let Some(heading) = self.heading {
            let (before, after) = body.split_at(heading.end);
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
        let start = fence.place.start + marks;
        let end = start + fence.opening.info.len();
        [&body[..start], &info, &body[end..]].concat()
    }

    /// The body without the code of all sections `## Code`: without the first, the next would take its
    /// place. A heading goes, too, where its fence is the first under it.
    pub(super) fn without_code(&self, body: &str) -> String {
        let mut result = String::with_capacity(body.len());
        let mut kept_to = 0;
        for place in &self.code_places {
            result.push_str(&body[kept_to..place.start]);
            kept_to = place.end;
        }
        result.push_str(&body[kept_to..]);
        result
    }
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

/// Whether a line is a heading of level 2 that says `Code`.
fn is_code_heading(line: &str) -> bool {
    if heading_level(line) != Some(2) {
        return false;
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(body: &str, code: Option<&str>, language: Option<&str>) {
        let fence = Section::of(body).fence;
        assert_eq!(
            fence.as_ref().map(|it| it.code().into_owned()).as_deref(),
            code,
            "{body:?}"
        );
        assert_eq!(fence.and_then(|it| it.language()), language, "{body:?}");
    }

    #[test]
    fn code_is_the_first_fence_under_its_heading() {
        check("## Code\n```py\na\n```\n", Some("a"), Some("py"));
        check(
            "```\nno\n```\n  ##\tcODE ## \n\ntext\n\n ~~~~  js x\n a\n~~~\n~~~~~ \n",
            Some("a\n~~~"),
            Some("js"),
        );
        check("## Code\n### Part\n```\na\n```", Some("a"), None);
        check("## Code\n\n## Code\n```\na", Some("a"), None);
    }

    #[test]
    fn what_is_no_heading_or_no_fence_is_no_code() {
        check("", None, None);
        check("# Code\n```\na\n```", None, None);
        check("##Code\n```\na\n```", None, None);
        check("    ## Code\n```\na\n```", None, None);
        check("## Code#\n```\na\n```", None, None);
        check("## Code\n# Other\n```\na\n```", None, None);
        check("## Code\n```a`\n``` \n", Some(""), None);
        check("## Code\n    ```\na\n", None, None);
        check("~~~\n## Code\n```\na\n```\n", None, None);
    }

    #[test]
    fn exactly_one_line_ending_is_not_code() {
        check("## Code\n```\n```\n", Some(""), None);
        check("## Code\n```\n\n```\n", Some(""), None);
        check("## Code\n```\n\n\n```\n", Some("\n"), None);
        check("## Code\r\n```\r\na\r\r\n```\r\n", Some("a\r"), None);
        check("## Code\n```\na\r\n```\n", Some("a\r"), None);
        check("## Code\r```\ra\r```\r", Some("a"), None);
    }

    #[test]
    fn code_is_replaced_where_it_is() {
        let body = "x\n## Code\ntext\n```py {a=b}\nold\n```\n## Next\n";
        let section = Section::of(body);
        assert_eq!(
            section.with_code(body, "a\n```", Some("js"), "\n"),
            "x\n## Code\ntext\n````js {a=b}\na\n```\n````\n## Next\n"
        );
        assert_eq!(section.with_language(body, "js"), body.replace("py", "js"));
        assert_eq!(section.without_code(body), "x\n## Code\ntext\n## Next\n");
    }

    #[test]
    fn code_finds_a_place_where_there_was_none() {
        for (body, expected) in [
            ("", "\n## Code\n\n```js\na\n```\n"),
            ("text", "text\n\n## Code\n\n```js\na\n```\n"),
            ("```\nopen", "```\nopen\n```\n\n## Code\n\n```js\na\n```\n"),
            ("## Code\ntext\n", "## Code\n\n```js\na\n```\ntext\n"),
        ] {
            let changed = Section::of(body).with_code(body, "a", Some("js"), "\n");
            assert_eq!(changed, expected);
            check(&changed, Some("a"), Some("js"));
        }
    }

    #[test]
    fn without_code_no_code_takes_its_place() {
        let body = "a\n## Code\n\n```\n1\n```\nb\n```\n2\n```\n## Code\n~~~\n3";
        assert_eq!(Section::of(body).without_code(body), "a\nb\n");
        let many = "## Code\n```\n```\n".repeat(50_000);
        assert_eq!(Section::of(&many).without_code(&many), "");
    }
}
