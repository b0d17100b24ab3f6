//! What a document says.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::SkillId;
use super::document::Document;
use super::values::Values;

/// A skill, as its document says it. What is odd about the document is in `warnings`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Skill {
    /// What it is called; its id where the document gives no name.
    pub name: String,
    /// What it is for; empty where the document does not say.
    pub description: String,
    /// The code of the first fence under `## Code`, to the letter.
    pub code: Option<String>,
    /// The language of the code: what the front matter says, else what the fence says.
    pub language: Option<String>,
    /// What it is filed under.
    pub tags: Vec<String>,
    /// What kind of knowledge or node it is.
    pub category: Option<String>,
    /// Words that ask for it.
    pub keywords: Vec<String>,
    /// Its version, as it is written: `1.10` is not `1.1`.
    pub version: Option<String>,
    /// Who wrote it.
    pub author: Option<String>,
    /// What type of node it is.
    pub r#type: Option<String>,
    /// How the node is executed.
    pub execution_mode: Option<String>,
    /// What the node takes: a JSON array of objects.
    pub inputs: Box<RawValue>,
    /// What the node gives: a JSON array of objects.
    pub outputs: Box<RawValue>,
    /// What is odd about the document, in plain words, with the line where there is one.
    pub warnings: Vec<String>,
    /// When it was created, if the document says it as in RFC 3339.
    pub created_at: Option<String>,
}

impl Skill {
    /// Reads a document. This never fails: what cannot be read is missing, and a warning says why.
    pub fn read(document: &str, id: &SkillId) -> Self {
        let document = Document::of(document);
        let mut values = Values::of(&document);
        let name = values.text("name").filter(|name| !name.trim().is_empty());
        if document.front_matter.is_ok() {
            if name.is_none() {
                values.warn(None, "there is no `name`; the id stands in for it");
            }
            if !values.has("description") {
                values.warn(None, "there is no `description`");
            }
        }
        let named = values.text("skill_id").filter(|named| named != id.as_str());
        if named.is_some() {
            let line = values.line("skill_id");
            values.warn(
                line,
                "`skill_id` is not the id, which is the name of the file",
            );
        }
        let fence = document.section.fence.as_ref();
        let skill = Self {
            name: name.unwrap_or_else(|| id.to_string()),
            description: values.text("description").unwrap_or_default(),
            code: fence.map(|fence| fence.code().into_owned()),
            language: values
                .text("language")
                .or_else(|| fence?.language().map(str::to_owned)),
            tags: values.list("tags"),
            category: values.text("category"),
            keywords: values.list("keywords"),
            version: values.text("version"),
            author: values.text("author"),
            r#type: values.text("type"),
            execution_mode: values.text("execution_mode"),
            inputs: values.parameters("inputs"),
            outputs: values.parameters("outputs"),
            warnings: Vec::new(),
            created_at: values
                .text("created_at")
                .filter(|time| chrono::DateTime::parse_from_rfc3339(time).is_ok()),
        };
        Self {
            warnings: values.into_warnings(),
            ..skill
        }
    }
}
