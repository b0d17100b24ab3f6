//! The front matter of a document, and edits that keep its other text unchanged.

use std::ops::Range;

use super::MAX_FRONT_MATTER_BYTES;
use super::lines::{Line, lines};
use super::parts::Parts;
use super::yaml::{self, Node, Value};

/// Parsed front matter.
#[derive(Debug)]
pub(super) struct FrontMatter<'a> {
    yaml: &'a str,
    line_ending: &'a str,
    /// The number of lines of the document before the front matter.
    lines_before: usize,
    /// The keys and values in document order.
    entries: Vec<(Node, Node)>,
    /// The indentation and the byte ranges of the entries, if each entry has its own lines.
    ranges: Option<(usize, Vec<Range<usize>>)>,
}

/// An edit of a key: its new value as one line of YAML, or `None` to remove it.
pub(super) type Edit = (&'static str, Option<String>);

impl<'a> FrontMatter<'a> {
    /// Parses the front matter of a document.
    ///
    /// # Errors
    /// If it is too large, not YAML or not a mapping. The message is for the caller.
    pub(super) fn parse(parts: &Parts<'a>) -> Result<Self, String> {
        if parts.yaml.len() > MAX_FRONT_MATTER_BYTES {
            return Err("the front matter is larger than 64 KB".to_owned());
        }
        let lines_before = parts.lines_before();
        let mut this = Self::parse_yaml(parts.yaml, parts.line_ending()).map_err(|error| {
            let error = yaml::correct(parts.yaml, error);
            let line = error.line + lines_before;
            format!(
                "line {line}: the front matter is malformed: {}",
                error.message
            )
        })?;
        this.lines_before = lines_before;
        for (key, value) in &mut this.entries {
            shift_lines(key, lines_before);
            shift_lines(value, lines_before);
        }
        Ok(this)
    }

    fn parse_yaml(yaml: &'a str, line_ending: &'a str) -> Result<Self, yaml::YamlError> {
        let (entries, ranges) = match yaml::parse(yaml)? {
            None => (Vec::new(), Some((0, Vec::new()))),
            Some(root) => match root.node.value {
                Value::Mapping(entries) => {
                    let ranges = entry_ranges(yaml, entries.len(), &root.key_positions);
                    (entries, ranges)
                }
                Value::Scalar { .. } | Value::Sequence(_) => {
                    return Err(yaml::YamlError {
                        line: root.node.line,
                        message: "it is not a mapping of keys to values".to_owned(),
                    });
                }
            },
        };
        Ok(Self {
            yaml,
            line_ending,
            lines_before: 0,
            entries,
            ranges,
        })
    }

    /// Returns the keys and values in document order.
    pub(super) fn entries(&self) -> &[(Node, Node)] {
        &self.entries
    }

    /// Returns the value of a key; the last one of a duplicate key, as most YAML parsers do.
    pub(super) fn get(&self, key: &str) -> Option<&Node> {
        let (_, value) = self.entries.iter().rfind(|entry| is_key(entry, key))?;
        Some(value)
    }

    /// Returns a line of the document; the first is 1.
    pub(super) fn line(&self, number: usize) -> Option<&'a str> {
        let index = number.checked_sub(self.lines_before + 1)?;
        lines(self.yaml).nth(index).map(|line| line.text)
    }

    /// Returns the front matter's lines with the edits applied. The other entries stay unchanged.
    ///
    /// If that is impossible, for example in a flow mapping, all entries are rewritten with the same values.
    ///
    /// # Errors
    /// If neither result has the same values as before. The message is for the caller.
    pub(super) fn edit(&self, edits: &[Edit]) -> Result<String, String> {
        if edits.is_empty() {
            return Ok(self.yaml.to_owned());
        }
        let in_place = self.edit_in_place(edits);
        in_place
            .filter(|yaml| self.is_preserved_by(yaml, edits))
            .or_else(|| Some(self.rewrite(edits)).filter(|yaml| self.is_preserved_by(yaml, edits)))
            .ok_or_else(|| "the form of its front matter cannot be edited".to_owned())
    }

    fn edit_in_place(&self, edits: &[Edit]) -> Option<String> {
        let (indentation, ranges) = self.ranges.as_ref()?;
        let indentation = " ".repeat(*indentation);
        let mut result = String::with_capacity(self.yaml.len());
        let mut copied_to = 0;
        for (index, range) in ranges.iter().enumerate() {
            let Some((key, value)) = self.edit_for(index, edits) else {
                continue;
            };
            result.push_str(&self.yaml[copied_to..range.start]);
            if let Some(value) = value.filter(|_| self.is_last(index)) {
                result.push_str(&format!("{indentation}{key}: {value}{}", self.line_ending));
            }
            copied_to = range.end;
        }
        result.push_str(&self.yaml[copied_to..]);
        for (key, value) in self.additions(edits) {
            result.push_str(&format!("{indentation}{key}: {value}{}", self.line_ending));
        }
        Some(result)
    }

    fn rewrite(&self, edits: &[Edit]) -> String {
        let mut result = String::new();
        for (index, (key, value)) in self.entries.iter().enumerate() {
            let value = match self.edit_for(index, edits) {
                None => Some(yaml::write_flow(value)),
                Some((_, value)) => value.map(str::to_owned).filter(|_| self.is_last(index)),
            };
            if let Some(value) = value {
                result.push_str(&yaml::write_entry(key, &value, self.line_ending));
                result.push_str(self.line_ending);
            }
        }
        for (key, value) in self.additions(edits) {
            result.push_str(&format!("{key}: {value}{}", self.line_ending));
        }
        result
    }

    /// Returns the edit of an entry's key.
    fn edit_for<'e>(
        &self,
        index: usize,
        edits: &'e [Edit],
    ) -> Option<(&'static str, Option<&'e str>)> {
        let edit = edits
            .iter()
            .find(|(key, _)| is_key(&self.entries[index], key));
        edit.map(|(key, value)| (*key, value.as_deref()))
    }

    /// Returns whether no later entry has the same key.
    fn is_last(&self, index: usize) -> bool {
        let key = self.entries[index].0.text();
        self.entries[index + 1..]
            .iter()
            .all(|(later, _)| later.text() != key)
    }

    /// Returns the keys and values that the edits add.
    fn additions<'e>(&self, edits: &'e [Edit]) -> impl Iterator<Item = (&'static str, &'e str)> {
        edits
            .iter()
            .filter(|(key, _)| self.get(key).is_none())
            .filter_map(|(key, value)| Some((*key, value.as_deref()?)))
    }

    /// Returns whether `yaml` has the values of the edits, and otherwise the same values as `self`.
    fn is_preserved_by(&self, yaml: &str, edits: &[Edit]) -> bool {
        let Ok(edited) = FrontMatter::parse_yaml(yaml, self.line_ending) else {
            return false;
        };
        let is_edited = |entry: &&(Node, Node)| edits.iter().any(|(key, _)| is_key(entry, key));
        let before = self.entries.iter().filter(|entry| !is_edited(entry));
        let after = edited.entries.iter().filter(|entry| !is_edited(entry));
        before.eq(after)
            && edits.iter().all(|(key, value)| {
                let expected = value.as_deref().and_then(|yaml| yaml::parse(yaml).ok()?);
                edited.get(key) == expected.as_ref().map(|root| &root.node)
            })
    }
}

pub(super) fn is_key(entry: &(Node, Node), key: &str) -> bool {
    entry.0.text() == Some(key)
}

/// Returns the indentation and the byte range of each entry, if each starts a line and all have the same indentation.
///
/// Comments and blank lines before a key belong to no entry.
fn entry_ranges(
    yaml: &str,
    count: usize,
    keys: &[(usize, usize)],
) -> Option<(usize, Vec<Range<usize>>)> {
    let column = keys.first()?.1;
    let lines: Vec<Line<'_>> = lines(yaml).collect();
    let is_regular = keys.len() == count
        && keys.is_sorted_by(|key, next| key.0 < next.0)
        && keys.iter().all(|(number, key_column)| {
            let line = lines.get(number - 1);
            *key_column == column
                && line
                    .and_then(|line| line.text.get(..column))
                    .is_some_and(|before| before.bytes().all(|byte| byte == b' '))
        });
    if !is_regular {
        return None;
    }
    let ends = keys.iter().skip(1).map(|(number, _)| number - 1);
    let ranges = keys
        .iter()
        .zip(ends.chain([lines.len()]))
        .map(|((number, _), end)| {
            let lines = &lines[number - 1..end];
            let last = lines.iter().rfind(|line| !is_between_entries(line, column));
            lines[0].start..last.unwrap_or(&lines[0]).end()
        });
    Some((column, ranges.collect()))
}

/// Returns whether a line is blank or a comment that is not indented deeper than the keys.
fn is_between_entries(line: &Line<'_>, column: usize) -> bool {
    let text = line.text.trim_start_matches([' ', '\t']);
    text.is_empty() || (text.starts_with('#') && line.text.len() - text.len() <= column)
}

/// Adds `count` to the line numbers of a node and its children.
fn shift_lines(node: &mut Node, count: usize) {
    node.line += count;
    match &mut node.value {
        Value::Scalar { .. } => {}
        Value::Sequence(items) => items.iter_mut().for_each(|item| shift_lines(item, count)),
        Value::Mapping(entries) => {
            for (key, value) in entries {
                shift_lines(key, count);
                shift_lines(value, count);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(document: &str, edits: &[(&'static str, Option<&str>)], expected: &str) {
        let parts = Parts::parse(document).unwrap();
        let edits: Vec<Edit> = edits
            .iter()
            .map(|(key, value)| (*key, value.map(str::to_owned)))
            .collect();
        let yaml = FrontMatter::parse(&parts).unwrap().edit(&edits).unwrap();
        assert_eq!(parts.with(&yaml, parts.body), expected);
    }

    #[test]
    fn edit_keeps_all_other_text() {
        check(
            "---\n# top\na:   'x'   # why\n\n# of b\nb:\n  - 1\n  # inner\n\n# of c\n\"c\": |+\n  text\n\n# end\n---\nbody",
            &[("b", Some("2")), ("d", Some("new"))],
            "---\n# top\na:   'x'   # why\n\n# of b\nb: 2\n\n# of c\n\"c\": |+\n  text\n\n# end\nd: new\n---\nbody",
        );
    }

    #[test]
    fn edit_keeps_line_endings_markers_and_indentation() {
        check(
            "\u{feff}---\r\n  a: 1\r\n  b: 2\r\n...\r\nbody\r\n",
            &[("a", Some("3")), ("c", Some("4"))],
            "\u{feff}---\r\n  a: 3\r\n  b: 2\r\n  c: 4\r\n...\r\nbody\r\n",
        );
        check("---\n---", &[("a", Some("1"))], "---\na: 1\n---");
        check(
            "\n \n---\n# only\n---\n",
            &[("a", Some("1"))],
            "\n \n---\n# only\na: 1\n---\n",
        );
    }

    #[test]
    fn edit_removes_keys_and_merges_duplicates() {
        check(
            "---\na: 1\nb:\n- x\n- y\nc: 3\n---\n",
            &[("b", None)],
            "---\na: 1\nc: 3\n---\n",
        );
        check(
            "---\na: 1\nb: 2\na: 3\n---\n",
            &[("a", Some("4"))],
            "---\nb: 2\na: 4\n---\n",
        );
        check("---\na: 1\n---\n", &[("a", None)], "---\n---\n");
    }

    #[test]
    fn entries_without_own_lines_are_rewritten() {
        check(
            "---\n{a: 1.10, b: [x, 'y: z'], \"c\": yes, d: ~, e: !t {f: g}}\n---\n",
            &[("a", Some("2"))],
            "---\na: 2\nb: [x, \"y: z\"]\n\"c\": yes\nd: ~\ne: !t {f: g}\n---\n",
        );
        check(
            "---\na: &x [1, 2]\nb: *x\n---\n",
            &[("a", None)],
            "---\nb: [1, 2]\n---\n",
        );
        check(
            "---\n? a\n: 1\n? [k]\n: 2\n---\n",
            &[("a", Some("3"))],
            "---\na: 3\n? [k]\n: 2\n---\n",
        );
    }

    #[test]
    fn number_sign_within_a_string_is_not_a_comment() {
        check(
            "---\na: |\n  x\n  # y\nb: \"1\n  # 2\"\nc: 3\n---\n",
            &[("a", Some("1")), ("b", Some("2"))],
            "---\na: 1\nb: 2\nc: 3\n---\n",
        );
    }
}
