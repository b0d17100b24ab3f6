//! Paths of files within a volume. No I/O.

use std::borrow::Cow;
use std::fmt;

use percent_encoding::percent_decode_str;

use crate::util::unicode::to_nfc;

/// The maximum length of a path, in bytes after normalization.
pub const MAX_PATH_BYTES: usize = 900;
/// The maximum length of a segment, in bytes: the limit of most file systems, so that a folder can be downloaded.
pub const MAX_SEGMENT_BYTES: usize = 255;

/// The path of a file in its volume: segments separated by `/`, none of them empty, `.` or `..`.
///
/// The path is in Unicode normal form C, so that two spellings of one text are the same path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilePath(String);

impl FilePath {
    /// Parses a path that is already percent-decoded.
    ///
    /// # Errors
    /// If the path is invalid. The message contains the violated rule.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let path = to_nfc(text).into_owned();
        if !(1..=MAX_PATH_BYTES).contains(&path.len()) {
            return Err("must be 1 to 900 bytes");
        }
        if path.chars().any(is_forbidden) {
            return Err(
                "must not contain \\, control characters or bidirectional control characters",
            );
        }
        for segment in path.split('/') {
            if segment.is_empty() || segment == "." || segment == ".." {
                return Err("must not have empty segments, . or ..");
            }
            if segment.len() > MAX_SEGMENT_BYTES {
                return Err("must not have segments of more than 255 bytes");
            }
            if has_encoded_traversal(segment) {
                return Err(
                    "must not contain percent-encoded . or .. segments, separators or forbidden characters",
                );
            }
        }
        Ok(Self(path))
    }

    /// Returns the path as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the last segment.
    pub fn file_name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or_default()
    }
}

impl fmt::Display for FilePath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Returns whether a path must not contain `character`.
///
/// A backslash is a separator on Windows. Bidirectional control characters make `gpj.exe` look like `exe.jpg`.
pub(crate) fn is_forbidden(character: char) -> bool {
    character == '\\'
        || character.is_control()
        || has_bidi_control(character)
        || matches!(character, '\u{2028}' | '\u{2029}')
}

/// Returns whether `character` has the Unicode property `Bidi_Control`.
pub(crate) fn has_bidi_control(character: char) -> bool {
    matches!(
        character,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
    )
}

/// Returns whether a client that decodes `segment` again would see `.`, `..`, a separator or a forbidden character.
fn has_encoded_traversal(segment: &str) -> bool {
    let mut text = Cow::Borrowed(segment);
    loop {
        let decoded = percent_decode_str(&text).decode_utf8_lossy().into_owned();
        if decoded == text {
            return false;
        }
        let is_traversal = decoded == "." || decoded == "..";
        if is_traversal || decoded.contains('/') || decoded.chars().any(is_forbidden) {
            return true;
        }
        text = Cow::Owned(decoded);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_path_is_accepted_unchanged() {
        for path in [
            "a",
            "notes/2025/plan.md",
            "a b/c+d.txt",
            "100%.txt",
            "größe/日本.pdf",
            "...",
            ".hidden",
            "a..b/..c",
            "x\u{200d}y",
        ] {
            assert_eq!(FilePath::parse(path).unwrap().as_str(), path);
        }
    }

    #[test]
    fn path_with_traversal_or_forbidden_characters_is_rejected() {
        for path in [
            "",
            "/",
            "/a",
            "a/",
            "a//b",
            ".",
            "..",
            "../a",
            "a/../b",
            "a/./b",
            "a\\b",
            "..\\a",
            "a\0b",
            "a\nb",
            "a\u{85}b",
            "a\u{202e}gpj.exe",
            "%2e%2e/a",
            "%2E%2e/a",
            ".%2e/a",
            "%25252e%25252e/a",
            "a%2fb",
            "a%5cb",
            "a%00b",
            "a%0ab",
            "a%7fb",
            "a%c2%85b",
            "x%e2%80%aegpj",
            &"x".repeat(MAX_SEGMENT_BYTES + 1),
            &"x/".repeat(MAX_PATH_BYTES),
        ] {
            assert!(FilePath::parse(path).is_err(), "{path:?}");
        }
    }

    #[test]
    fn decomposed_path_is_normalized() {
        let composed = FilePath::parse("caf\u{e9}").unwrap();
        assert_eq!(FilePath::parse("cafe\u{301}"), Ok(composed));
    }
}
