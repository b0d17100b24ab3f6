//! Explains why a text is not a YAML mapping: finds the line that is wrong, and writes it as it should be.
//!
//! The parser often reports a later line, and in terms of its grammar. So each likely correction of the lines around the
//! error is tried: the first one with which the parser accepts the line is the explanation.

use super::entry::{EntryLine, MAX_SHOWN_CHARS, in_quotes, missing_brackets, quoted_items};
use super::write::double_quoted;
use super::{Value, YamlError, parse};
use crate::skill::lines::lines;

/// The number of lines that are looked at: the one that the parser reports, and those before it.
const MAX_LINES: usize = 8;
/// The number of corrections that are tried. Each costs parsing the text.
const MAX_ATTEMPTS: usize = 24;

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

/// Returns the likely corrections of a line.
fn corrections(all: &[&str], index: usize) -> Vec<Correction> {
    let parts = EntryLine::parse(all[index]);
    let mut found = corrections_of_spaces(all[index], &parts);
    found.extend(corrections_of_brackets(&parts));
    if !parts.value.is_empty() {
        found.push(quoted(all, index, &parts));
    }
    found.extend(reindented(all, index));
    found
}

fn one(reason: String, line: String) -> Correction {
    Correction {
        reason,
        line,
        joined: 0,
    }
}

/// Returns the corrections of a tab and of the colon after the key.
fn corrections_of_spaces(line: &str, parts: &EntryLine<'_>) -> Vec<Correction> {
    let mut found = Vec::new();
    let tabs = indentation(line).matches('\t').count();
    if tabs > 0 {
        let reason = "a tab cannot indent a line. Use spaces".to_owned();
        found.push(one(reason, line.replacen('\t', "  ", tabs)));
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
    found
}

fn corrections_of_brackets(parts: &EntryLine<'_>) -> Vec<Correction> {
    let subject = parts.subject();
    let closed = missing_brackets(parts.value).map(|closing| {
        let reason = format!("a bracket of {subject} is not closed. Write");
        one(reason, parts.with(&format!("{}{closing}", parts.value)))
    });
    let items = quoted_items(parts.value).map(|items| {
        let reason = format!("an item of {subject} needs quotes. Write");
        one(reason, parts.with(&items))
    });
    closed.into_iter().chain(items).collect()
}

/// Returns the line with the indentation of the line before it.
fn reindented(all: &[&str], index: usize) -> Option<Correction> {
    let inner = indentation(all[index]);
    let previous = all[..index].iter().rfind(|it| !it.trim().is_empty())?;
    let outer = indentation(previous);
    let reason = "the line is not indented like the line before it. Write".to_owned();
    let differs = !inner.is_empty() && outer != inner;
    differs.then(|| one(reason, format!("{outer}{}", all[index].trim_start())))
}

fn indentation(line: &str) -> &str {
    &line[..line.len() - line.trim_start().len()]
}

/// Returns the correction that puts a value in quotes, with the lines that continue it.
fn quoted(all: &[&str], index: usize, parts: &EntryLine<'_>) -> Correction {
    let is_continued = |line: &&&str| {
        !line.trim().is_empty() && indentation(line).len() > indentation(all[index]).len()
    };
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
    fn error_without_a_correction_is_unchanged() {
        for text in ["- a\n- b", "text", "a: 1\n--- \nb: 2", "%YAML 1.2\na: 1"] {
            let error = corrected(text);
            assert!(!error.message.contains(". "), "{text:?}: {error:?}");
        }
    }
}
