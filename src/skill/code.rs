//! The code in the body of a document: the first fenced code block under a heading `## Code`.

use std::ops::Range;

use super::fence::{Fence, Opening, code_block};
use super::lines::{Line, lines};

/// The code of a body.
#[derive(Debug, Default)]
pub(super) struct Section<'a> {
    /// The first code block under a heading `## Code`.
    pub fence: Option<Fence<'a>>,
    /// The first heading `## Code`.
    pub heading: Option<Heading>,
    /// The closing fence that is missing at the end of the body, and the line number of its opening line.
    pub unclosed: Option<(String, usize)>,
    /// The byte ranges of all code blocks under headings `## Code`. A range includes the heading if the code block is
    /// the first content below it.
    code_ranges: Vec<Range<usize>>,
}

/// A heading `## Code`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Heading {
    /// The line number; the first line of the body is 1.
    pub number: usize,
    start: usize,
    end: usize,
    /// Whether other lines than blank ones follow it.
    has_content: bool,
}

impl<'a> Section<'a> {
    /// Finds the code of a body.
    pub(super) fn parse(body: &'a str) -> Self {
        let mut section = Self::default();
        let mut heading: Option<Heading> = None;
        let mut open: Option<(Opening<'a>, Line<'a>, usize)> = None;
        for (index, line) in lines(body).enumerate() {
            let number = index + 1;
            if let Some((opening, first, _)) = open {
                if opening.is_closed_by(line.text) {
                    let content = &body[first.end()..line.start];
                    section.add_fence(heading.as_mut(), opening, first, content, line.end());
                    open = None;
                }
            } else if let Some(opening) = Opening::parse(line.text) {
                open = Some((opening, line, number));
            } else if is_code_heading(line.text) {
                let (start, end) = (line.start, line.end());
                let found = Heading {
                    number,
                    start,
                    end,
                    has_content: false,
                };
                heading = Some(found);
                section.heading.get_or_insert(found);
            } else if heading_level(line.text).is_some_and(|level| level <= 2) {
                heading = None;
            } else if let Some(heading) = heading.as_mut() {
                heading.has_content |= !line.is_blank();
            }
        }
        if let Some((opening, first, number)) = open {
            let closing = opening.marker.to_string().repeat(opening.length);
            section.unclosed = Some((closing, number));
            let content = &body[first.end()..];
            section.add_fence(heading.as_mut(), opening, first, content, body.len());
        }
        section
    }

    /// Adds a code block that ends at `end`, if it is under a heading `## Code`.
    fn add_fence(
        &mut self,
        heading: Option<&mut Heading>,
        opening: Opening<'a>,
        first: Line<'a>,
        content: &'a str,
        end: usize,
    ) {
        let Some(heading) = heading else { return };
        let start = if heading.has_content {
            first.start
        } else {
            heading.start
        };
        heading.has_content = true;
        self.code_ranges.push(start..end);
        self.fence.get_or_insert(Fence {
            range: first.start..end,
            opening,
            content,
            line_ending: first.ending,
        });
    }

    /// Returns the body with other code, in a new section if there is none. `language` replaces the language of the
    /// code block.
    pub(super) fn with_code(
        &self,
        body: &str,
        code: &str,
        language: Option<&str>,
        line_ending: &str,
    ) -> String {
        if let Some(fence) = &self.fence {
            let info = fence.info_with_language(language);
            let is_open_ended = fence.range.end == body.len() && !body.ends_with(['\n', '\r']);
            let end = if is_open_ended { "" } else { line_ending };
            let written = code_block(code, &info, line_ending);
            return [
                &body[..fence.range.start],
                &written,
                end,
                &body[fence.range.end..],
            ]
            .concat();
        }
        let written = code_block(code, language.unwrap_or_default(), line_ending);
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
        if let Some((closing, _)) = &self.unclosed {
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

    /// Returns the body with another language of its code.
    pub(super) fn with_language(&self, body: &str, language: &str) -> String {
        let Some(fence) = &self.fence else {
            return body.to_owned();
        };
        let info = fence.info_with_language(Some(language));
        let info_offset = fence.opening.indentation + fence.opening.length;
        let start = fence.range.start + info_offset;
        let end = start + fence.opening.info.len();
        [&body[..start], &info, &body[end..]].concat()
    }

    /// Returns the body without all code blocks under headings `## Code`: otherwise, the second would become the code.
    ///
    /// A heading is removed with the code block if that is the first content below it.
    pub(super) fn without_code(&self, body: &str) -> String {
        let mut result = String::with_capacity(body.len());
        let mut copied_to = 0;
        for range in &self.code_ranges {
            result.push_str(&body[copied_to..range.start]);
            copied_to = range.end;
        }
        result.push_str(&body[copied_to..]);
        result
    }
}

/// Returns the level of a heading; `None` if the line is not an ATX heading.
fn heading_level(line: &str) -> Option<usize> {
    let text = line.trim_start_matches(' ');
    let rest = text.trim_start_matches('#');
    let level = text.len() - rest.len();
    let is_valid = line.len() - text.len() <= 3
        && (1..=6).contains(&level)
        && (rest.is_empty() || rest.starts_with([' ', '\t']));
    is_valid.then_some(level)
}

/// Returns whether a line is a heading of level 2 with the text `Code`.
fn is_code_heading(line: &str) -> bool {
    if heading_level(line) != Some(2) {
        return false;
    }
    let spaces = [' ', '\t'];
    let text = line.trim_matches(spaces).trim_start_matches('#');
    let without_closing = text.trim_end_matches('#');
    let text = if without_closing.ends_with(spaces) {
        without_closing
    } else {
        text
    };
    text.trim_matches(spaces).eq_ignore_ascii_case("code")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(body: &str, code: Option<&str>, language: Option<&str>) {
        let fence = Section::parse(body).fence;
        assert_eq!(
            fence
                .as_ref()
                .map(|fence| fence.code().into_owned())
                .as_deref(),
            code,
            "{body:?}"
        );
        assert_eq!(
            fence.and_then(|fence| fence.language()),
            language,
            "{body:?}"
        );
    }

    #[test]
    fn code_is_the_first_code_block_under_the_heading() {
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
    fn malformed_heading_or_fence_is_not_code() {
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
    fn last_line_ending_is_not_part_of_the_code() {
        check("## Code\n```\n```\n", Some(""), None);
        check("## Code\n```\n\n```\n", Some(""), None);
        check("## Code\n```\n\n\n```\n", Some("\n"), None);
        check("## Code\r\n```\r\na\r\r\n```\r\n", Some("a\r"), None);
        check("## Code\n```\na\r\n```\n", Some("a\r"), None);
        check("## Code\r```\ra\r```\r", Some("a"), None);
    }

    #[test]
    fn code_is_replaced_in_place() {
        let body = "x\n## Code\ntext\n```py {a=b}\nold\n```\n## Next\n";
        let section = Section::parse(body);
        assert_eq!(
            section.with_code(body, "a\n```", Some("js"), "\n"),
            "x\n## Code\ntext\n````js {a=b}\na\n```\n````\n## Next\n"
        );
        assert_eq!(section.with_language(body, "js"), body.replace("py", "js"));
        assert_eq!(section.without_code(body), "x\n## Code\ntext\n## Next\n");
    }

    #[test]
    fn code_is_inserted_where_there_is_none() {
        for (body, expected) in [
            ("", "\n## Code\n\n```js\na\n```\n"),
            ("text", "text\n\n## Code\n\n```js\na\n```\n"),
            ("```\nopen", "```\nopen\n```\n\n## Code\n\n```js\na\n```\n"),
            ("## Code\ntext\n", "## Code\n\n```js\na\n```\ntext\n"),
        ] {
            let changed = Section::parse(body).with_code(body, "a", Some("js"), "\n");
            assert_eq!(changed, expected);
            check(&changed, Some("a"), Some("js"));
        }
    }

    #[test]
    fn removing_code_removes_all_code_blocks_under_the_headings() {
        let body = "a\n## Code\n\n```\n1\n```\nb\n```\n2\n```\n## Code\n~~~\n3";
        assert_eq!(Section::parse(body).without_code(body), "a\nb\n");
        let many = "## Code\n```\n```\n".repeat(50_000);
        assert_eq!(Section::parse(&many).without_code(&many), "");
    }
}
