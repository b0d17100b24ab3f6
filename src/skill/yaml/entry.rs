//! A line of a block mapping or list in its parts, and its value in quotes.

use super::write::double_quoted;

/// The longest corrected line that is shown, in characters.
pub(super) const MAX_SHOWN_CHARS: usize = 200;

/// A line in its parts.
pub(super) struct EntryLine<'a> {
    /// The indentation and the markers of list items.
    pub(super) before: &'a str,
    /// The key with its colon; empty without one.
    pub(super) key: &'a str,
    pub(super) value: &'a str,
}

impl<'a> EntryLine<'a> {
    pub(super) fn parse(line: &'a str) -> Self {
        let mut rest = line.trim_start();
        while let Some(item) = rest.strip_prefix("- ") {
            rest = item.trim_start();
        }
        let before = &line[..line.len() - rest.len()];
        let end = match rest.find(": ").or_else(|| rest.find(":\t")) {
            Some(colon) => colon + 1,
            None if rest.trim_end().ends_with(':') => rest.trim_end().len(),
            None => missing_space(rest).unwrap_or(0),
        };
        let (key, value) = rest.split_at(end);
        Self {
            before,
            key,
            value: value.trim(),
        }
    }

    /// Returns the entry with another value.
    pub(super) fn with(&self, value: &str) -> String {
        let space = if self.key.is_empty() { "" } else { " " };
        format!("{}{}{space}{value}", self.before, self.key)
    }

    /// Returns the name of the value in a message.
    pub(super) fn subject(&self) -> String {
        match self.key.strip_suffix(':') {
            Some(key) => format!("the value of `{key}`"),
            None => "the value".to_owned(),
        }
    }
}

/// Returns the end of the colon of `key:value`, which is not that of a URL.
fn missing_space(rest: &str) -> Option<usize> {
    let (key, value) = rest.split_once(':')?;
    let is_key = key.starts_with(|first: char| first.is_alphabetic())
        && key
            .chars()
            .all(|it| it.is_alphanumeric() || "_-".contains(it));
    (is_key && !value.is_empty() && !value.starts_with("//")).then_some(key.len() + 1)
}

/// Returns a value in quotes: without its own quotes if they do not match, and without a comment at its end.
pub(super) fn in_quotes(value: &str) -> String {
    let quote = value.chars().next().filter(|first| "\"'".contains(*first));
    let Some(quote) = quote else {
        return match value.split_once(" #") {
            Some((value, comment)) => format!("{} #{comment}", double_quoted(value.trim_end())),
            None => double_quoted(value),
        };
    };
    let inner = &value[1..];
    match inner.strip_suffix(quote) {
        Some(inner) => double_quoted(inner),
        None if inner.contains(quote) => double_quoted(value),
        None => double_quoted(inner),
    }
}

/// Returns the brackets that a flow collection lacks at its end.
pub(super) fn missing_brackets(value: &str) -> Option<String> {
    value.starts_with(['[', '{']).then_some(())?;
    let mut open = Vec::new();
    for character in value.chars() {
        match character {
            '[' => open.push(']'),
            '{' => open.push('}'),
            ']' | '}' if open.last() == Some(&character) => drop(open.pop()),
            ']' | '}' => return None,
            _ => {}
        }
    }
    (!open.is_empty()).then(|| open.into_iter().rev().collect())
}

/// Returns a list of plain items with each in quotes.
pub(super) fn quoted_items(value: &str) -> Option<String> {
    let items = value.strip_prefix('[')?.strip_suffix(']')?;
    if items.contains(['[', ']', '{', '}', '"', '\'']) {
        return None;
    }
    let items: Vec<String> = items
        .split(',')
        .map(|item| double_quoted(item.trim()))
        .collect();
    Some(format!("[{}]", items.join(", ")))
}

/// Returns the entry of a line with its value in quotes, if YAML reads only a part of the value: a value cannot begin with
/// a tag (`!`), an anchor (`&`) or, without any other text, a comment. `#1` after other text is a comment as well, but was
/// hardly meant as one, unlike `# text`.
pub(in crate::skill) fn quoted_entry(line: &str, is_read_as_empty: bool) -> Option<(char, String)> {
    let parts = EntryLine::parse(line);
    let value = parts.value;
    let has_hash_word = value
        .split(' ')
        .any(|word| word.starts_with('#') && word.len() > 1);
    let sign = match value.chars().next()? {
        first @ ('!' | '&') => first,
        '#' if is_read_as_empty => '#',
        '#' | '"' | '\'' | '|' | '>' | '[' | '{' => return None,
        _ if has_hash_word => '#',
        _ => return None,
    };
    let shown = parts.with(&double_quoted(value));
    Some((sign, shown.trim().chars().take(MAX_SHOWN_CHARS).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partly_read_value_is_recognized() {
        for (line, sign, expected) in [
            (
                "description: !important note",
                '!',
                r#"description: "!important note""#,
            ),
            ("description: & more", '&', r#"description: "& more""#),
            ("name: Tips #5", '#', r#"name: "Tips #5""#),
        ] {
            assert_eq!(quoted_entry(line, false), Some((sign, expected.to_owned())));
        }
        let expected = r##"name: "#1""##;
        assert_eq!(
            quoted_entry("name: #1", true),
            Some(('#', expected.to_owned()))
        );
        for line in [
            "name: C#",
            "name: a!",
            "name: \"a #b\"",
            "name: 'x' #why",
            "name:",
            "name: | #x",
            "name: x # why",
            "name: #x",
        ] {
            assert_eq!(quoted_entry(line, false), None, "{line}");
        }
    }
}
