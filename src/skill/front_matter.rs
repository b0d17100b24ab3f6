//! The front matter of a document: what it says, and edits that leave the rest of it alone.

use super::MAX_FRONT_MATTER_BYTES;
use super::lines::{Line, lines};
use super::parts::Parts;
use super::yaml::{self, Node, Value};

/// What a front matter says, in its order.
#[derive(Debug)]
pub(super) struct FrontMatter<'a> {
    yaml: &'a str,
    line_ending: &'a str,
    entries: Vec<(Node, Node)>,
    /// Where the entries stand, and how far they are indented, if each has lines of its own.
    places: Option<(usize, Vec<(usize, usize)>)>,
}

/// What becomes of a key: its value as YAML in one line, or nothing if it is removed.
pub(super) type Edit = (&'static str, Option<String>);

impl<'a> FrontMatter<'a> {
    /// Parses the front matter of a document.
    ///
    /// # Errors
    /// If it is too large, not YAML or not a mapping. The message is fit for the caller.
    pub(super) fn parse(parts: &Parts<'a>) -> Result<Self, String> {
        if parts.yaml.len() > MAX_FRONT_MATTER_BYTES {
            return Err("the front matter is larger than 64 KB".to_owned());
        }
        let lines_before = parts.lines_before();
        let mut this = Self::of_yaml(parts.yaml, parts.line_ending()).map_err(|error| {
            let line = error.line + lines_before;
            format!(
                "line {line}: the front matter is not readable: {}",
                error.message
            )
        })?;
        for (key, value) in &mut this.entries {
            add_lines(key, lines_before);
            add_lines(value, lines_before);
        }
        Ok(this)
    }

    fn of_yaml(yaml: &'a str, line_ending: &'a str) -> Result<Self, yaml::YamlError> {
        let (entries, places) = match yaml::parse(yaml)? {
            None => (Vec::new(), Some((0, Vec::new()))),
            Some(root) => match root.node.value {
                Value::Mapping(entries) => {
                    let places = places_of(yaml, entries.len(), &root.key_positions);
                    (entries, places)
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
            entries,
            places,
        })
    }

    /// The keys and their values.
    pub(super) fn entries(&self) -> &[(Node, Node)] {
        &self.entries
    }

    /// The value of a key. Of a key that is there twice, the last value counts, as in most readers.
    pub(super) fn get(&self, key: &str) -> Option<&Node> {
        let (_, value) = self.entries.iter().rfind(|entry| is_key(entry, key))?;
        Some(value)
    }

    /// The front matter's lines with edits. What they do not name keeps its place and its letters; only
    /// where that cannot be, as in a mapping in braces, all is written anew, and no value is lost.
    ///
    /// # Errors
    /// If no way of writing it says the same as before. The message is fit for the caller.
    pub(super) fn edit(&self, edits: &[Edit]) -> Result<String, String> {
        if edits.is_empty() {
            return Ok(self.yaml.to_owned());
        }
        let in_place = self.edit_in_place(edits);
        in_place
            .filter(|yaml| self.is_kept_by(yaml, edits))
            .or_else(|| Some(self.write_anew(edits)).filter(|yaml| self.is_kept_by(yaml, edits)))
            .ok_or_else(|| "the front matter is of a shape that cannot be edited".to_owned())
    }

    fn edit_in_place(&self, edits: &[Edit]) -> Option<String> {
        let (indentation, places) = self.places.as_ref()?;
        let indentation = " ".repeat(*indentation);
        let mut result = String::with_capacity(self.yaml.len());
        let mut kept_to = 0;
        for (index, (start, end)) in places.iter().enumerate() {
            let Some((key, value)) = self.edit_of(index, edits) else {
                continue;
            };
            result.push_str(&self.yaml[kept_to..*start]);
            if let Some(value) = value.filter(|_| self.is_last(index)) {
                result.push_str(&format!("{indentation}{key}: {value}{}", self.line_ending));
            }
            kept_to = *end;
        }
        result.push_str(&self.yaml[kept_to..]);
        for (key, value) in self.additions(edits) {
            result.push_str(&format!("{indentation}{key}: {value}{}", self.line_ending));
        }
        Some(result)
    }

    fn write_anew(&self, edits: &[Edit]) -> String {
        let mut result = String::new();
        for (index, (key, value)) in self.entries.iter().enumerate() {
            let value = match self.edit_of(index, edits) {
                None => Some(yaml::flow(value)),
                Some((_, value)) => value.map(str::to_owned).filter(|_| self.is_last(index)),
            };
            if let Some(value) = value {
                result.push_str(&yaml::entry(key, &value, self.line_ending));
                result.push_str(self.line_ending);
            }
        }
        for (key, value) in self.additions(edits) {
            result.push_str(&format!("{key}: {value}{}", self.line_ending));
        }
        result
    }

    /// The edit that names the key of an entry.
    fn edit_of<'e>(
        &self,
        index: usize,
        edits: &'e [Edit],
    ) -> Option<(&'static str, Option<&'e str>)> {
        let edit = edits
            .iter()
            .find(|(key, _)| is_key(&self.entries[index], key));
        edit.map(|(key, value)| (*key, value.as_deref()))
    }

    /// Whether no later entry has the same key.
    fn is_last(&self, index: usize) -> bool {
        let key = self.entries[index].0.text();
        self.entries[index + 1..]
            .iter()
            .all(|(it, _)| it.text() != key)
    }

    fn additions<'e>(&self, edits: &'e [Edit]) -> impl Iterator<Item = (&'static str, &'e str)> {
        edits
            .iter()
            .filter(|(key, _)| self.get(key).is_none())
            .filter_map(|(key, value)| Some((*key, value.as_deref()?)))
    }

    /// Whether `yaml` says what this says but for the edits, and these.
    fn is_kept_by(&self, yaml: &str, edits: &[Edit]) -> bool {
        let Ok(edited) = FrontMatter::of_yaml(yaml, self.line_ending) else {
            return false;
        };
        let is_edited = |entry: &&(Node, Node)| edits.iter().any(|(key, _)| is_key(entry, key));
        let before = self.entries.iter().filter(|entry| !is_edited(entry));
        let after = edited.entries.iter().filter(|entry| !is_edited(entry));
        before.eq(after)
            && edits.iter().all(|(key, value)| {
                let wanted = value.as_deref().and_then(|it| yaml::parse(it).ok()?);
                edited.get(key) == wanted.as_ref().map(|root| &root.node)
            })
    }
}

fn is_key(entry: &(Node, Node), key: &str) -> bool {
    entry.0.text() == Some(key)
}

/// Where each entry begins and ends, and the indentation, if all begin lines and are indented alike.
///
/// Comments and blank lines before a key go with that key, or with the end.
fn places_of(
    yaml: &str,
    count: usize,
    keys: &[(usize, usize)],
) -> Option<(usize, Vec<(usize, usize)>)> {
    let column = keys.first()?.1;
    let lines: Vec<Line<'_>> = lines(yaml).collect();
    let regular = keys.len() == count
        && keys.is_sorted_by(|one, next| one.0 < next.0)
        && keys.iter().all(|(number, at)| {
            let line = lines.get(number - 1);
            *at == column
                && line
                    .and_then(|line| line.text.get(..column))
                    .is_some_and(|before| before.bytes().all(|byte| byte == b' '))
        });
    if !regular {
        return None;
    }
    let ends = keys.iter().skip(1).map(|(number, _)| number - 1);
    let places = keys
        .iter()
        .zip(ends.chain([lines.len()]))
        .map(|((number, _), end)| {
            let own = &lines[number - 1..end];
            let last = own.iter().rfind(|line| !belongs_to_next(line, column));
            (own[0].start, last.unwrap_or(&own[0]).end())
        });
    Some((column, places.collect()))
}

/// Whether a line is blank or a comment that is not indented deeper than the keys.
fn belongs_to_next(line: &Line<'_>, column: usize) -> bool {
    let text = line.text.trim_start_matches([' ', '\t']);
    text.is_empty() || (text.starts_with('#') && line.text.len() - text.len() <= column)
}

fn add_lines(node: &mut Node, count: usize) {
    node.line += count;
    match &mut node.value {
        Value::Scalar { .. } => {}
        Value::Sequence(items) => items.iter_mut().for_each(|item| add_lines(item, count)),
        Value::Mapping(entries) => {
            for (key, value) in entries {
                add_lines(key, count);
                add_lines(value, count);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(document: &str, edits: &[(&'static str, Option<&str>)], expected: &str) {
        let parts = Parts::of(document).unwrap();
        let edits: Vec<Edit> = edits
            .iter()
            .map(|(key, value)| (*key, value.map(str::to_owned)))
            .collect();
        let yaml = FrontMatter::parse(&parts).unwrap().edit(&edits).unwrap();
        assert_eq!(parts.with(&yaml, parts.body), expected);
    }

    #[test]
    fn an_edit_leaves_all_else_to_the_letter() {
        check(
            "---\n# top\na:   'x'   # why\n\n# of b\nb:\n  - 1\n  # inner\n\n# of c\n\"c\": |+\n  text\n\n# end\n---\nbody",
            &[("b", Some("2")), ("d", Some("new"))],
            "---\n# top\na:   'x'   # why\n\n# of b\nb: 2\n\n# of c\n\"c\": |+\n  text\n\n# end\nd: new\n---\nbody",
        );
    }

    #[test]
    fn line_endings_marks_and_indentation_are_kept() {
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
    fn removed_keys_are_gone_and_double_ones_become_one() {
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
    fn what_cannot_be_edited_where_it_stands_is_written_anew() {
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
    fn a_comment_sign_within_a_text_is_text() {
        check(
            "---\na: |\n  x\n  # y\nb: \"1\n  # 2\"\nc: 3\n---\n",
            &[("a", Some("1")), ("b", Some("2"))],
            "---\na: 1\nb: 2\nc: 3\n---\n",
        );
    }
}
