//! Types of plain scalars by the core schema of YAML 1.2, and conversion to JSON.

use serde_json::value::RawValue;

use super::{Node, Value};
use crate::util::json;

/// The type of a scalar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::skill) enum Resolved {
    /// `null`, `~` or the empty plain scalar.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number in JSON notation.
    Number(String),
    /// Any other text; also `.inf` and `.nan`, which JSON cannot represent.
    Text,
}

/// Resolves the text of a plain scalar.
pub(in crate::skill) fn resolve(text: &str) -> Resolved {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Resolved::Null,
        "true" | "True" | "TRUE" => Resolved::Bool(true),
        "false" | "False" | "FALSE" => Resolved::Bool(false),
        _ => number(text).map_or(Resolved::Text, Resolved::Number),
    }
}

fn number(text: &str) -> Option<String> {
    let based = |digits: &str, base| {
        let all_digits = digits.bytes().all(|byte| byte.is_ascii_alphanumeric());
        all_digits.then(|| u128::from_str_radix(digits, base).ok())?
    };
    if let Some(digits) = text.strip_prefix("0x") {
        return based(digits, 16).map(|number| number.to_string());
    }
    if let Some(digits) = text.strip_prefix("0o") {
        return based(digits, 8).map(|number| number.to_string());
    }
    decimal(text)
}

/// Converts a decimal number to JSON notation: without `+`, leading zeros and a bare decimal point.
fn decimal(text: &str) -> Option<String> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let has_digits = |text: &str| !text.is_empty() && all_digits(text);
    let is_valid = all_digits(whole)
        && fraction.is_none_or(all_digits)
        && (has_digits(whole) || fraction.is_some_and(has_digits))
        && exponent
            .is_none_or(|digits| has_digits(digits.strip_prefix(['+', '-']).unwrap_or(digits)));
    if !is_valid || !text.parse::<f64>().is_ok_and(f64::is_finite) {
        return None;
    }
    let mut number = String::new();
    let whole = whole.trim_start_matches('0');
    let is_zero = whole.is_empty() && fraction.is_none() && exponent.is_none();
    if text.starts_with('-') && !is_zero {
        number.push('-');
    }
    number.push_str(if whole.is_empty() { "0" } else { whole });
    if let Some(fraction) = fraction {
        number.push('.');
        number.push_str(if fraction.is_empty() { "0" } else { fraction });
    }
    if let Some(exponent) = exponent {
        number.push('e');
        number.push_str(exponent);
    }
    Some(number)
}

/// Converts a node to JSON. Numbers keep their digits; the last value of a duplicate key is used.
pub(in crate::skill) fn to_json(node: &Node) -> Box<RawValue> {
    match &node.value {
        Value::Scalar { text, .. } => match node.resolved() {
            Some(Resolved::Null) => json::null(),
            Some(Resolved::Bool(value)) => json::raw(&value),
            Some(Resolved::Number(number)) => {
                RawValue::from_string(number).unwrap_or_else(|_| json::raw(text))
            }
            Some(Resolved::Text) | None => json::raw(text),
        },
        Value::Sequence(items) => json::raw(&items.iter().map(to_json).collect::<Vec<_>>()),
        Value::Mapping(entries) => {
            let mut object = json::Object::default();
            for (key, value) in entries {
                object.set(key_text(key), to_json(value));
            }
            json::raw(&object)
        }
    }
}

/// Converts a key to a JSON member name: its text, or its JSON if it is null or not a scalar.
fn key_text(key: &Node) -> String {
    match key.text().filter(|_| !key.is_null()) {
        Some(text) => text.to_owned(),
        None => to_json(key).get().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::skill::yaml::parse;

    #[track_caller]
    fn check(yaml: &str, expected: &str) {
        let root = parse(yaml).unwrap().unwrap();
        assert_eq!(to_json(&root.node).get(), expected);
    }

    #[test]
    fn plain_scalars_resolve_by_the_core_schema() {
        check("[~, null, Null, NULL, ]", "[null,null,null,null]");
        check(
            "[true, True, FALSE, yes, on, y]",
            r#"[true,true,false,"yes","on","y"]"#,
        );
        check(
            "[0, 007, +5, -0, 0x1F, 0o17, 0b1, 1_000]",
            r#"[0,7,5,0,31,15,"0b1","1_000"]"#,
        );
        check(
            "[1.50, .5, 5., -.5e+3, 1e5, 1.e1, '.', e5]",
            r#"[1.50,0.5,5.0,-0.5e+3,1e5,1.0e1,".","e5"]"#,
        );
        check(
            "[.inf, -.INF, .nan, 1e999]",
            r#"[".inf","-.INF",".nan","1e999"]"#,
        );
        check(
            "[18446744073709551616, 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF]",
            r#"[18446744073709551616,"0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF"]"#,
        );
        check(
            "[2020-01-01, 12:30:45, +-5, 0x-1, =]",
            r#"["2020-01-01","12:30:45","+-5","0x-1","="]"#,
        );
    }

    #[test]
    fn quoted_and_tagged_scalars_resolve_by_their_notation() {
        check(
            "['5', \"true\", !!str 5, !!int '5', !x 5, ! 5]",
            r#"["5","true","5",5,"5","5"]"#,
        );
        check("- |\n  5\n- >-\n  a\n  b", r#"["5\n","a b"]"#);
    }

    #[test]
    fn mapping_becomes_an_object_with_unique_keys() {
        check(
            "{b: 1, a: {c: [1, {}]}, 5: x, [d]: y}",
            r#"{"b":1,"a":{"c":[1,{}]},"5":"x","[\"d\"]":"y"}"#,
        );
        check("{a: 1, b: 2, a: 3}", r#"{"a":3,"b":2}"#);
        for null in ["", "~", "null"] {
            check(&format!("{null}: 1"), r#"{"null":1}"#);
        }
        check(
            "- &x {a: 1}\n- *x\n- {<<: *x}",
            r#"[{"a":1},{"a":1},{"<<":{"a":1}}]"#,
        );
    }
}
