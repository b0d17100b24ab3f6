//! JSON as Python writes it: with `NaN` and `Infinity`, which are not valid JSON.

use serde::de::DeserializeOwned;

use super::json::end_of_string;

/// Parses stored JSON. `NaN` and `Infinity`, which Python writes, become `null`.
///
/// # Errors
/// If the text is malformed or does not match `T`.
pub fn parse<T: DeserializeOwned>(text: &[u8]) -> serde_json::Result<T> {
    serde_json::from_slice(text).or_else(|error| {
        let text = std::str::from_utf8(text).map_err(|_| error)?;
        serde_json::from_str(&without_nan(text))
    })
}

/// Replaces each `NaN`, `Infinity` and `-Infinity` outside of strings by `null`.
pub fn without_nan(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(quote) = rest.find('"') {
        let (outside, string) = rest.split_at(quote);
        let (string, after) = string.split_at(end_of_string(string));
        result.push_str(&numbers_to_null(outside));
        result.push_str(string);
        rest = after;
    }
    result + &numbers_to_null(rest)
}

fn numbers_to_null(outside: &str) -> String {
    outside
        .replace("-Infinity", "null")
        .replace("Infinity", "null")
        .replace("NaN", "null")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nan_and_infinity_become_null() {
        let text = r#"{"a\"NaN": [NaN, -Infinity, 1], "b": "NaN \\", "c": Infinity}"#;
        let value: serde_json::Value = parse(text.as_bytes()).unwrap();
        assert_eq!(
            value,
            serde_json::json!({"a\"NaN": [null, null, 1], "b": "NaN \\", "c": null})
        );
        assert!(parse::<serde_json::Value>(b"{NaN").is_err());
        assert!(parse::<serde_json::Value>(b"\"open").is_err());
    }
}
