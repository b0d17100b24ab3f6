//! Explains why a text is not a YAML mapping: finds the line that is wrong, and writes it as it should be.
//!
//! The parser often reports a later line, and in terms of its grammar. So each likely correction of the lines around the
//! error is tried: the first one with which the parser accepts the line is the explanation.

use super::write::double_quoted;
use super::{Value, YamlError, parse};
use crate::skill::lines::lines;

/// The number of lines that are looked at: the one that the parser reports, and those before it.
const MAX_LINES: usize = 8;
/// The number of corrections that are tried. Each costs parsing the text.
const MAX_ATTEMPTS: usize = 24;
/// The longest corrected line that is shown, in characters.
const MAX_SHOWN_CHARS: usize = 200;

/// A correction of a line.
struct Correction {
    /// What is wrong, and the start of the remedy.
    reason: String,
    line: String,
    /// The number of following lines that the corrected line contains.
    joined: usize,
}

/// Returns the error of a text with the line that is wrong, the reason, and the corrected line. Without a correction the
/// error stays as it is.
pub(in crate::skill) fn correct(text: &str, error: YamlError) -> YamlError {
    let all: Vec<&str> = lines(text).map(|line| line.text).collect();
    // An unclosed quote or bracket is reported at the end of the text.
    let last = error.line.clamp(1, all.len().max(1));
    let is_content = |line: &str| {
        let is_marker = ["---", "...", "%"].iter().any(|it| line.starts_with(it));
        !line.trim().is_empty() && !line.trim_start().starts_with('#') && !is_marker
    };
    let candidates = (0..last.min(all.len()))
        .rev()
        .filter(|index| is_content(all[*index]));
    let corrections = candidates.take(MAX_LINES).flat_map(|index| {
        corrections(&all, index)
            .into_iter()
            .map(move |it| (index, it))
    });
    for (index, correction) in corrections.take(MAX_ATTEMPTS) {
        let mut corrected = all.clone();
        let end = index + 1 + correction.joined;
        corrected.splice(index..end, [correction.line.as_str()]);
        let next = error_line(&corrected.join("\n")).map(|line| line + correction.joined);
        if next.is_none_or(|line| line > error.line.max(end)) {
            let shown: String = correction
                .line
                .trim()
                .chars()
                .take(MAX_SHOWN_CHARS)
                .collect();
            return YamlError {
                line: index + 1,
                message: format!("{}: {shown}", correction.reason),
            };
        }
    }
    error
}

/// Returns the line of the first error of a text that must be a mapping.
fn error_line(text: &str) -> Option<usize> {
    match parse(text) {
        Ok(Some(root)) if !matches!(root.node.value, Value::Mapping(_)) => Some(root.node.line),
        Ok(_) => None,
        Err(error) => Some(error.line),
    }
}

/// A line in its parts.
struct Parts<'a> {
    /// The indentation and the markers of list items.
    before: &'a str,
    /// The key with its colon; empty without one.
    key: &'a str,
    value: &'a str,
}

impl<'a> Parts<'a> {
    fn parse(line: &'a str) -> Self {
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
    fn with(&self, value: &str) -> String {
        let space = if self.key.is_empty() { "" } else { " " };
        format!("{}{}{space}{value}", self.before, self.key)
    }

    /// Returns the name of the value in a message.
    fn subject(&self) -> String {
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

/// Returns the likely corrections of a line.
fn corrections(all: &[&str], index: usize) -> Vec<Correction> {
    let line = all[index];
    let parts = Parts::parse(line);
    let one = |reason: String, line: String| Correction {
        reason,
        line,
        joined: 0,
    };
    let mut found = Vec::new();
    let indentation = &line[..line.len() - line.trim_start().len()];
    if indentation.contains('\t') {
        let reason = "a tab cannot indent a line. Use spaces".to_owned();
        found.push(one(
            reason,
            line.replacen('\t', "  ", indentation.matches('\t').count()),
        ));
    }
    if line.contains('：') {
        let reason = "the colon after the key must be an ASCII one. Write".to_owned();
        found.push(one(reason, line.replacen('：', ": ", 1)));
    }
    let has_space = line[parts.before.len() + parts.key.len()..].starts_with(' ');
    if !parts.key.is_empty() && !parts.value.is_empty() && !has_space {
        let reason = format!("a space is missing after `{}`. Write", parts.key);
        found.push(one(reason.clone(), parts.with(parts.value)));
        found.push(one(reason, parts.with(&double_quoted(parts.value))));
    }
    if let Some(closing) = missing_brackets(parts.value) {
        let reason = format!("a bracket of {} is not closed. Write", parts.subject());
        found.push(one(
            reason,
            parts.with(&format!("{}{closing}", parts.value)),
        ));
    }
    if let Some(items) = quoted_items(parts.value) {
        let reason = format!("an item of {} needs quotes. Write", parts.subject());
        found.push(one(reason, parts.with(&items)));
    }
    if !parts.value.is_empty() {
        found.push(quoted(all, index, &parts));
    }
    let previous = all[..index].iter().rfind(|it| !it.trim().is_empty());
    if let Some(previous) = previous.filter(|_| !indentation.is_empty()) {
        let outer = &previous[..previous.len() - previous.trim_start().len()];
        if outer != indentation {
            let reason = "the line is not indented like the line before it. Write".to_owned();
            found.push(one(reason, format!("{outer}{}", line.trim_start())));
        }
    }
    found
}

/// Returns the correction that puts a value in quotes, with the lines that continue it.
fn quoted(all: &[&str], index: usize, parts: &Parts<'_>) -> Correction {
    let width = |line: &str| line.len() - line.trim_start().len();
    let is_continued = |line: &&&str| !line.trim().is_empty() && width(line) > width(all[index]);
    let continuation: Vec<&str> = all[index + 1..]
        .iter()
        .take_while(is_continued)
        .map(|it| it.trim())
        .collect();
    let subject = parts.subject();
    let value = parts.value;
    let first = value.chars().next().unwrap_or_default();
    let problem = match first {
        '"' | '\'' => {
            format!("the quotes of {subject} do not match, or contain a wrong escape. Write")
        }
        '@' | '`' | '%' | '*' | '&' | '!' | '|' | '>' | '[' | '{' | ']' | '}' | ',' | '?' | '-' => {
            format!(
                "{subject} begins with `{first}`, which has a meaning in YAML. Put it in quotes"
            )
        }
        _ if value.contains(": ") || value.ends_with(':') => {
            format!("{subject} contains a colon before a space, which ends a key. Put it in quotes")
        }
        _ => format!("{subject} cannot be written without quotes. Put it in quotes"),
    };
    let joined = continuation.len();
    let whole = [value]
        .into_iter()
        .chain(continuation)
        .collect::<Vec<_>>()
        .join(" ");
    Correction {
        reason: problem,
        line: parts.with(&in_quotes(&whole)),
        joined,
    }
}

/// Returns a value in quotes: without its own quotes if they do not match, and without a comment at its end.
fn in_quotes(value: &str) -> String {
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
fn missing_brackets(value: &str) -> Option<String> {
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
fn quoted_items(value: &str) -> Option<String> {
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
    let parts = Parts::parse(line);
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

    fn corrected(text: &str) -> YamlError {
        let error = parse(text).err().unwrap_or_else(|| YamlError {
            line: 1,
            message: "it is not a mapping of keys to values".to_owned(),
        });
        correct(text, error)
    }

    #[track_caller]
    fn check(text: &str, line: usize, reason: &str, expected: &str) {
        let error = corrected(text);
        let found = error
            .message
            .split_once(". ")
            .map(|(reason, rest)| (error.line, reason, rest.split_once(": ").unwrap().1));
        assert_eq!(found, Some((line, reason, expected)), "{text:?}: {error:?}");
    }

    #[test]
    fn value_that_needs_quotes_is_shown_in_quotes() {
        for (value, reason, expected) in [
            (
                "a: b",
                "contains a colon before a space, which ends a key",
                r#""a: b""#,
            ),
            (
                "Use: it \"so\"",
                "contains a colon before a space, which ends a key",
                r#""Use: it \"so\"""#,
            ),
            (
                "a: b # why",
                "contains a colon before a space, which ends a key",
                r#""a: b" # why"#,
            ),
            (
                "@me",
                "begins with `@`, which has a meaning in YAML",
                r#""@me""#,
            ),
            (
                "`x`",
                "begins with ``` ` ```, which has a meaning in YAML",
                r#""`x`""#,
            ),
            (
                "%x",
                "begins with `%`, which has a meaning in YAML",
                r#""%x""#,
            ),
            (
                "*bold* text",
                "begins with `*`, which has a meaning in YAML",
                r#""*bold* text""#,
            ),
            (
                "> 5 items",
                "begins with `>`, which has a meaning in YAML",
                r#""> 5 items""#,
            ),
            (
                "- x",
                "begins with `-`, which has a meaning in YAML",
                r#""- x""#,
            ),
            (
                "[draft] x",
                "begins with `[`, which has a meaning in YAML",
                r#""[draft] x""#,
            ),
            (
                "{{name}} x",
                "begins with `{`, which has a meaning in YAML",
                r#""{{name}} x""#,
            ),
        ] {
            let reason = format!(
                "the value of `description` {}",
                reason.replace("``` ` ```", "```")
            );
            let text = format!("name: x\ndescription: {value}\ntags: [a]\n");
            check(&text, 2, &reason, &format!("description: {expected}"));
        }
        let continued = "a: 1\nb: first: x\n  second\nc: 2";
        let reason = "the value of `b` contains a colon before a space, which ends a key";
        check(continued, 2, reason, r#"b: "first: x second""#);
        let reason = "the value contains a colon before a space, which ends a key";
        check(
            "a:\n- b: c: d",
            2,
            &reason.replace("value", "value of `b`"),
            r#"- b: "c: d""#,
        );
        check(
            "a:\n- @x\nb: 1",
            2,
            "the value begins with `@`, which has a meaning in YAML",
            r#"- "@x""#,
        );
    }

    #[test]
    fn wrong_quotes_and_brackets_are_corrected() {
        let quotes = "the quotes of the value of `a` do not match, or contain a wrong escape";
        check("a: 'it's'\nb: 1", 1, quotes, r#"a: "it's""#);
        check("a: \"open\nb: 1\nc: 2", 1, quotes, r#"a: "open""#);
        check("a: \"x\" and y\nb: 1", 1, quotes, r#"a: "\"x\" and y""#);
        check(r#"a: "C:\path""#, 1, quotes, r#"a: "C:\\path""#);
        let bracket = "a bracket of the value of `a` is not closed";
        check("a: [1, 2\nb: 1", 1, bracket, "a: [1, 2]");
        check("a: [1, {x: 2}\n", 1, bracket, "a: [1, {x: 2}]");
        check("b: 1\na: [\n", 2, bracket, "a: []");
        let item = "an item of the value of `a` needs quotes";
        check("a: [@x, y]\nb: 1", 1, item, r#"a: ["@x", "y"]"#);
    }

    #[test]
    fn wrong_spaces_are_corrected() {
        let space = "a space is missing after `name:`";
        check("name:x\n", 1, space, "name: x");
        check("name:x\ndescription: y\n", 1, space, "name: x");
        check("a: 1\nname:x\nb: 2", 2, space, "name: x");
        check("a:\n\tb: 1\n", 2, "a tab cannot indent a line", "b: 1");
        check(
            "a: 1\n  b: 2\n",
            2,
            "the line is not indented like the line before it",
            "b: 2",
        );
        check(
            "a: 1\n b: 2\nc: 3",
            2,
            "the line is not indented like the line before it",
            "b: 2",
        );
        check(
            "name：x\n",
            1,
            "the colon after the key must be an ASCII one",
            "name: x",
        );
    }

    #[test]
    fn first_of_several_wrong_lines_is_reported() {
        let reason = "the value of `a` contains a colon before a space, which ends a key";
        check("a: b: c\nd: e: f\n", 1, reason, r#"a: "b: c""#);
    }

    #[test]
    fn error_without_a_correction_stays() {
        for text in ["- a\n- b", "text", "a: 1\n--- \nb: 2", "%YAML 1.2\na: 1"] {
            let error = corrected(text);
            assert!(!error.message.contains(". "), "{text:?}: {error:?}");
        }
    }

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
