//! Entity tags and lists of them (RFC 9110, sections 8.8.3 and 13.1).

/// Returns a tag in quotes, its form in headers.
pub fn quote(tag: &str) -> String {
    format!("\"{tag}\"")
}

/// Returns a tag without quotes and without the `W/` that caches add when they compress.
pub fn unquote(tag: &str) -> &str {
    strong(tag).trim_matches('"')
}

/// Returns a tag with its quotes, but without `W/`.
pub fn strong(tag: &str) -> &str {
    let tag = tag.trim();
    tag.strip_prefix("W/").unwrap_or(tag)
}

/// Splits a header value such as `"a", W/"b"` into its tags.
pub fn split_list(value: &str) -> impl Iterator<Item = &str> {
    value.split(',').map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_lose_their_quotes_and_weak_prefix() {
        assert_eq!(unquote(&quote("a")), "a");
        assert_eq!(unquote(" W/\"a\" "), "a");
        assert_eq!(strong("W/\"a\""), "\"a\"");
        let tags: Vec<&str> = split_list("\"a\",W/\"b\" , *").map(unquote).collect();
        assert_eq!(tags, ["a", "b", "*"]);
    }
}
