//! Paths of files within a volume. No I/O.

use std::borrow::Cow;
use std::fmt;

use percent_encoding::percent_decode_str;
use unicode_normalization::UnicodeNormalization;

/// The longest path, in bytes after normalisation.
pub const MAX_PATH_BYTES: usize = 900;
/// The longest part of a path, in bytes: what file systems take, for those who download a folder.
pub const MAX_PART_BYTES: usize = 255;

/// Where a file lies in its volume: parts between `/`, none of them empty, `.` or `..`, in Unicode's
/// normal form C, so that two spellings that look the same are one path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilePath(String);

impl FilePath {
    /// Takes a path that is no longer percent-encoded.
    ///
    /// # Errors
    /// Says what a path must be.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let path: String = text.nfc().collect();
        if !(1..=MAX_PATH_BYTES).contains(&path.len()) {
            return Err("must be 1 to 900 bytes");
        }
        if path.chars().any(is_forbidden) {
            return Err(
                "must not hold \\, control characters or characters that change the direction of text",
            );
        }
        for part in path.split('/') {
            if part.is_empty() || part == "." || part == ".." {
                return Err("must not have empty parts, . or ..");
            }
            if part.len() > MAX_PART_BYTES {
                return Err("must not have parts of more than 255 bytes");
            }
            if is_encoded_step(part) {
                return Err(
                    "must not hold . or .. or what is forbidden in a form that is encoded again",
                );
            }
        }
        Ok(Self(path))
    }

    /// The path as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its last part.
    pub fn file_name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or_default()
    }
}

impl fmt::Display for FilePath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// What a path cannot hold. A backslash separates parts for some; what changes the direction of text makes
/// `gpj.exe` look like `exe.jpg`.
pub(crate) fn is_forbidden(character: char) -> bool {
    character == '\\'
        || character.is_control()
        || turns_direction(character)
        || matches!(character, '\u{2028}' | '\u{2029}')
}

/// Whether `character` is one of those with the property `Bidi_Control`.
pub(crate) fn turns_direction(character: char) -> bool {
    matches!(
        character,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
    )
}

/// Whether a part would be a step or hold a separator for somebody who decodes it more often than we do.
fn is_encoded_step(part: &str) -> bool {
    let mut text = Cow::Borrowed(part);
    loop {
        let decoded = percent_decode_str(&text).decode_utf8_lossy().into_owned();
        if decoded == text {
            return false;
        }
        let is_step = decoded == "." || decoded == "..";
        if is_step || decoded.contains('/') || decoded.chars().any(is_forbidden) {
            return true;
        }
        text = Cow::Owned(decoded);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_that_people_use_are_paths() {
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
    fn paths_that_lead_elsewhere_are_refused() {
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
            &"x".repeat(MAX_PART_BYTES + 1),
            &"x/".repeat(MAX_PATH_BYTES),
        ] {
            assert!(FilePath::parse(path).is_err(), "{path:?}");
        }
    }

    #[test]
    fn two_spellings_of_one_path_are_one() {
        let composed = FilePath::parse("caf\u{e9}").unwrap();
        assert_eq!(FilePath::parse("cafe\u{301}"), Ok(composed));
    }
}
