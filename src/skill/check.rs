//! Checks of a document that a caller sends as a whole.

use super::document::Document;
use super::{MAX_DOCUMENT_BYTES, SkillId};

/// Takes a document as a caller sent it.
///
/// # Errors
/// If it is not UTF-8, larger than 1 MB, holds NUL, or has no front matter with a name. The message is
/// fit for the caller.
pub fn check_document(text: &[u8]) -> Result<&str, String> {
    if text.len() > MAX_DOCUMENT_BYTES {
        return Err("the document must not be larger than 1 MB".to_owned());
    }
    let text = std::str::from_utf8(text).map_err(|_| "the document must be UTF-8".to_owned())?;
    if text.contains('\0') {
        return Err("the document must not hold the character NUL".to_owned());
    }
    let document = Document::of(text);
    document.front_matter.as_ref().map_err(String::clone)?;
    if document
        .text("name")
        .is_none_or(|name| name.trim().is_empty())
    {
        return Err("the front matter has no `name`".to_owned());
    }
    Ok(text)
}

/// The id that a document asks for: its `skill_id` if that has the shape of new ids, else what its name makes.
pub fn id_of_document(text: &str) -> Option<SkillId> {
    let document = Document::of(text);
    let given = document.text("skill_id").and_then(SkillId::parse);
    given.filter(SkillId::is_strict).or_else(|| {
        let name = document.text("name")?.trim();
        (!name.is_empty()).then(|| SkillId::from_name(name))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_refused(document: &[u8], why: &str) {
        let message = check_document(document).unwrap_err();
        assert!(message.contains(why), "{message}");
    }

    #[test]
    fn documents_without_a_name_are_refused() {
        check_refused(b"", "no front matter");
        check_refused(b"# Text", "no front matter");
        check_refused(b"---\nname: x", "no end");
        check_refused(b"---\nname: [\n---\n", "line 3");
        check_refused(b"---\nname:\n---\n", "no `name`");
        check_refused(b"---\nname: {a: b}\n---\n", "no `name`");
        check_refused(b"---\nname: \xff\n---\n", "UTF-8");
        check_refused(b"---\nname: x\n---\n\0", "NUL");
        check_refused(&[b'a'; MAX_DOCUMENT_BYTES + 1], "1 MB");
        assert!(check_document("\u{feff}---\r\nname: x\r\n...\r\n".as_bytes()).is_ok());
    }

    #[test]
    fn a_document_asks_for_an_id() {
        let id =
            |front: &str| id_of_document(&format!("---\n{front}\n---\n")).map(|id| id.to_string());
        assert_eq!(id("skill_id: my-id\nname: x").as_deref(), Some("my-id"));
        assert_eq!(
            id("skill_id: My_Id\nname: Hello World").as_deref(),
            Some("hello-world")
        );
        assert_eq!(id("skill_id: ../x\nname: 5").as_deref(), Some("5"));
        assert_eq!(id("title: x"), None);
    }
}
