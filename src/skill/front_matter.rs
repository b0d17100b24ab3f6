//! The front matter of a document: where it is, what it says, and edits that leave the rest of it alone.

use super::MAX_FRONT_MATTER_BYTES;
use super::lines::{Line, line_ending, lines};
use super::yaml::{self, Node, Value};

/// A document in its parts, which together are all of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Parts<'a> {
    /// The byte order mark, blank lines, and the line that opens the front matter.
    before: &'a str,
    /// The lines of the front matter.
    yaml: &'a str,
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
    fn lines_before(&self) -> usize {
        lines(self.before).count()
    }

    /// How many lines there are before the body.
    pub(super) fn lines_before_body(&self) -> usize {
        self.lines_before() + lines(self.yaml).count() + 1
    }

    /// The document with another front matter and another body.
    pub(super) fn with(&self, yaml: &str, body: &str) -> String {
        let closing = self.closing;
        // The closing line may be the last and without an end.
        let end = if body.is_empty()
            || !line_ending(&closing[closing.len().min(closing.trim_end().len())..]).is_empty()
        {
            ""
        } else {
            self.line_ending()
        };
        [self.before, yaml, closing, end, body].concat()
    }
}

/// A text without the byte order mark that it may begin with.
pub(super) fn without_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

fn is_marker(line: Line<'_>, marker: &str) -> bool {
    line.text.trim_end_matches([' ', '\t']) == marker
}

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
        let mut this = Self::of_yaml(parts.yaml, parts.line_ending()).map_err(|error| {
            let line = error.line + parts.lines_before();
            format!(
                "line {line}: the front matter is not readable: {}",
                error.message
            )
        })?;
        for (key, value) in &mut this.entries {
            add_lines(key, parts.lines_before());
            add_lines(value, parts.lines_before());
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
