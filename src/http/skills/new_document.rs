//! The id and the document of a new skill, from the body of a request.

use crate::http::error::{Error, Result};
use crate::http::extract::body::{JsonBody, JsonOrMarkdown};
use crate::skill::{NewId, NewSkill, check_document, id_of_document};

/// A skill to create.
pub(super) struct NewDocument {
    pub(super) id: NewId,
    pub(super) document: String,
}

impl NewDocument {
    /// Parses a body.
    ///
    /// # Errors
    /// Names the field that is invalid.
    pub(super) fn from_body(body: &JsonOrMarkdown) -> Result<Self> {
        match body {
            JsonOrMarkdown::Json(body) => Self::from_json(body),
            JsonOrMarkdown::Markdown(text) => {
                let document = checked(text)?;
                let id = id_of_document(&document)
                    .ok_or_else(|| Error::field("document", "the front matter has no `name`"))?;
                Ok(Self { id, document })
            }
        }
    }

    /// Parses the fields of a skill.
    ///
    /// # Errors
    /// Names the field that is invalid.
    pub(super) fn from_json(body: &JsonBody) -> Result<Self> {
        let new: NewSkill = body.parse()?;
        let id = new.id();
        let document = new
            .into_document()
            .map_err(|error| Error::field("document", error.to_string()))?;
        Ok(Self { id, document })
    }
}

/// Validates a whole document.
///
/// # Errors
/// Names the field `document`.
pub(super) fn checked(text: &[u8]) -> Result<String> {
    match check_document(text) {
        Ok(document) => Ok(document.to_owned()),
        Err(message) => Err(Error::field("document", message)),
    }
}
