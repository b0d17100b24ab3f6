//! What a document says.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::SkillId;
use crate::json;

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
        let _ = document;
        Self {
            name: id.to_string(),
            description: String::new(),
            code: None,
            language: None,
            tags: Vec::new(),
            category: None,
            keywords: Vec::new(),
            version: None,
            author: None,
            r#type: None,
            execution_mode: None,
            inputs: json::raw(&[(); 0]),
            outputs: json::raw(&[(); 0]),
            warnings: vec!["documents are not read yet".to_owned()],
            created_at: None,
        }
    }
}
