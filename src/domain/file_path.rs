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
        last_segment(&self.0)
    }
}

fn last_segment(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or_default()
}

/// The path of a file as a list shows it. Another program may have stored it under a path that [`FilePath`] rejects or
/// changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredPath(String);

impl StoredPath {
    /// Parses a path that is already percent-decoded; `None` if it can lead out of its volume, also if it is decoded
    /// again, or no URL can contain it.
    pub fn parse(text: &str) -> Option<Self> {
        let is_valid = !text.split('/').any(str::is_empty)
            && !decodings(text).any(|text| {
                text.contains('\0')
                    || text
                        .split(['/', '\\'])
                        .any(|part| part == "." || part == "..")
            });
        is_valid.then(|| Self(text.to_owned()))
    }

    /// Returns the path as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the paths under which the file may be stored: this one, then its normal form if that differs.
    pub fn candidates(&self) -> impl Iterator<Item = Self> {
        let normal = to_nfc(&self.0);
        let normal = (normal != self.0).then(|| Self(normal.into_owned()));
        [self.clone()].into_iter().chain(normal)
    }

    /// Returns the last segment.
    pub fn file_name(&self) -> &str {
        last_segment(&self.0)
    }
}

impl From<FilePath> for StoredPath {
    fn from(path: FilePath) -> Self {
        Self(path.0)
    }
}

impl fmt::Display for StoredPath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Returns why this service would not store a file under the listed path; `None` if it would.
pub fn path_warning(path: &str) -> Option<String> {
    let reason = match FilePath::parse(path) {
        Ok(normal) if normal.as_str() == path => return None,
        Ok(_) => "is not in Unicode normal form C",
        Err(rule) => rule,
    };
    let remedy = match StoredPath::parse(path) {
        Some(_) => "Another program stored this file. Read or delete it under exactly this path.",
        None => "Another program stored this file. Only a Blob client can read or delete it.",
    };
    Some(format!("The path {reason}. {remedy}"))
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
fn has_bidi_control(character: char) -> bool {
    matches!(
        character,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
    )
}

/// Returns whether a client that decodes `segment` again would see `.`, `..`, a separator or a forbidden character.
fn has_encoded_traversal(segment: &str) -> bool {
    decodings(segment).skip(1).any(|decoded| {
        let is_traversal = decoded == "." || decoded == "..";
        is_traversal || decoded.contains('/') || decoded.chars().any(is_forbidden)
    })
}

/// Returns `text`, and the results of percent-decoding it again and again until it does not change.
fn decodings(text: &str) -> impl Iterator<Item = Cow<'_, str>> {
    std::iter::successors(Some(Cow::Borrowed(text)), |text| {
        let decoded = percent_decode_str(text).decode_utf8_lossy().into_owned();
        (decoded != **text).then_some(Cow::Owned(decoded))
    })
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
    fn stored_path_is_any_path_that_stays_in_its_volume() {
        for path in [
            "a",
            "cafe\u{301}/x",
            "a\u{202e}gpj.exe",
            "a\u{200f}",
            "a\\b",
            "a\nb",
            "a ",
            "a%2fb",
            "100%.txt",
            &"x".repeat(MAX_SEGMENT_BYTES + 1),
        ] {
            assert_eq!(StoredPath::parse(path).unwrap().as_str(), path);
        }
        for path in [
            "",
            "/a",
            "a/",
            "a//b",
            "..",
            "a/./b",
            "a\0",
            "a\\..\\b",
            "%2e%2e/a",
            "a%2f..%2fb",
            "a%252f%252e%252e",
        ] {
            assert_eq!(StoredPath::parse(path), None, "{path:?}");
        }
        let decomposed = StoredPath::parse("cafe\u{301}").unwrap();
        let names = decomposed.candidates().map(|name| name.to_string());
        assert_eq!(names.collect::<Vec<_>>(), ["cafe\u{301}", "caf\u{e9}"]);
        assert_eq!(StoredPath::parse("a").unwrap().candidates().count(), 1);
    }

    #[test]
    fn listed_path_that_would_not_be_stored_has_a_warning() {
        assert_eq!(path_warning("notes/größe .md"), None);
        for (path, reason) in [
            ("cafe\u{301}", "normal form C"),
            ("a\\b", "must not contain"),
            ("a\u{202e}b", "must not contain"),
            ("a/", "empty segments"),
        ] {
            let warning = path_warning(path).unwrap();
            assert!(warning.contains(reason), "{path}: {warning}");
        }
    }

    #[test]
    fn decomposed_path_is_normalized() {
        let composed = FilePath::parse("caf\u{e9}").unwrap();
        assert_eq!(FilePath::parse("cafe\u{301}"), Ok(composed));
    }
}
