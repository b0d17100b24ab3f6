//! Validation of a whole document, and the id that it contains.

use super::document::Document;
use super::lost_text::lost_text;
use super::{MAX_DOCUMENT_BYTES, NewId, SkillId};

/// Validates a document and returns it as text.
///
/// # Errors
/// If it is not UTF-8, is larger than 1 MB, contains NUL, or has no front matter with a name. The message is for the
/// caller.
pub fn check_document(text: &[u8]) -> Result<&str, String> {
    if text.len() > MAX_DOCUMENT_BYTES {
        return Err("the document must not be larger than 1 MB".to_owned());
    }
    let text = std::str::from_utf8(text).map_err(|_| "the document must be UTF-8".to_owned())?;
    if text.contains('\0') {
        return Err("the document must not contain the NUL character".to_owned());
    }
    let document = Document::parse(text);
    let front_matter = document.front_matter.as_ref().map_err(String::clone)?;
    if document
        .text("name")
        .is_none_or(|name| name.trim().is_empty())
    {
        let lost = lost_text(front_matter, "name");
        return Err(lost.map_or_else(
            || "`name` is missing in the front matter".to_owned(),
            |(line, reason)| format!("line {line}: `name` is empty: {reason}"),
        ));
    }
    Ok(text)
}

/// Returns the id of a document: `skill_id` if it has the form of new ids, otherwise the id derived from `name`.
pub fn id_of_document(text: &str) -> Option<NewId> {
    let document = Document::parse(text);
    let given = document.text("skill_id").and_then(SkillId::parse);
    let given = given.filter(SkillId::is_strict).map(NewId::chosen);
    given.or_else(|| {
        let name = document.text("name")?.trim();
        (!name.is_empty()).then(|| NewId::from_name(name))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_rejected(document: &[u8], reason: &str) {
        let message = check_document(document).unwrap_err();
        assert!(message.contains(reason), "{message}");
    }

    #[test]
    fn malformed_document_is_rejected() {
        check_rejected(b"", "no front matter");
        check_rejected(b"# Text", "no front matter");
        check_rejected(b"---\nname: x", "not closed");
        check_rejected(b"---\nname: [\n---\n", "line 2");
        check_rejected(
            b"---\nname: x\ndescription: a: b\n---\n",
            "line 3: the front matter is malformed: the value of `description` contains a colon before a space, which ends \
             a key. Put it in quotes: description: \"a: b\"",
        );
        check_rejected(
            b"---\nname: #1\n---\n",
            "line 2: `name` is empty: `name` contains `#`, which begins a comment and is not part of the value. To keep \
             the text, write: name: \"#1\"",
        );
        check_rejected(b"---\nname:\n---\n", "`name` is missing");
        check_rejected(b"---\nname: {a: b}\n---\n", "`name` is missing");
        check_rejected(b"---\nname: \xff\n---\n", "UTF-8");
        check_rejected(b"---\nname: x\n---\n\0", "NUL");
        check_rejected(&[b'a'; MAX_DOCUMENT_BYTES + 1], "1 MB");
        assert!(check_document("\u{feff}---\r\nname: x\r\n...\r\n".as_bytes()).is_ok());
    }

    #[test]
    fn id_of_a_document_is_its_skill_id_or_derived_from_its_name() {
        let id = |front: &str| {
            id_of_document(&format!("---\n{front}\n---\n")).map(|new| new.id.to_string())
        };
        assert_eq!(id("skill_id: my-id\nname: x").as_deref(), Some("my-id"));
        assert_eq!(
            id("skill_id: My_Id\nname: Hello World").as_deref(),
            Some("hello-world")
        );
        assert_eq!(id("skill_id: ../x\nname: 5").as_deref(), Some("5"));
        assert_eq!(id("title: x"), None);
    }
}
