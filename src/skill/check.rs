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
