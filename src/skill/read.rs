//! What a document says.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::SkillId;
use super::document::Document;
use super::values::Values;

/// A skill, as its document says it. What is odd about the document is in `warnings`.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = SkillFields)]
pub struct Skill {
    /// What it is called; its id where the document gives no name.
    pub name: String,
    /// What it is for; empty where the document does not say.
    pub description: String,
    /// The code of the first fence under `## Code`, to the letter.
    #[schema(required)]
    pub code: Option<String>,
    /// The language of the code: what the front matter says, else what the fence says.
    #[schema(required)]
    pub language: Option<String>,
    /// What it is filed under.
    pub tags: Vec<String>,
    /// What kind of knowledge or node it is.
    #[schema(required)]
    pub category: Option<String>,
    /// Words that ask for it.
    pub keywords: Vec<String>,
    /// Its version, as it is written: `1.10` is not `1.1`.
    #[schema(required)]
    pub version: Option<String>,
    /// Who wrote it.
    #[schema(required)]
    pub author: Option<String>,
    /// What type of node it is.
    #[schema(required)]
    pub r#type: Option<String>,
    /// How the node is executed.
    #[schema(required)]
    pub execution_mode: Option<String>,
    /// What the node takes: a JSON array of objects.
    #[schema(value_type = super::Parameters)]
    pub inputs: Box<RawValue>,
    /// What the node gives: a JSON array of objects.
    #[schema(value_type = super::Parameters)]
    pub outputs: Box<RawValue>,
    /// What is odd about the document, in plain words, with the line where there is one.
    pub warnings: Vec<String>,
    /// When it was created, if the document says it as in RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<String>,
}

impl Skill {
    /// A skill whose document was not read, for the reason that `warning` says.
    pub fn unread(id: &SkillId, warning: impl Into<String>) -> Self {
        let mut skill = Self::read("", id);
        skill.warnings = vec![warning.into()];
        skill
    }

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::skill::{MAX_FRONT_MATTER_BYTES, NewSkill};

    fn read(document: &str) -> Skill {
        Skill::read(document, &SkillId::parse("the-id").unwrap())
    }

    #[track_caller]
    fn check_warnings(document: &str, expected: &[&str]) {
        let warnings = read(document).warnings;
        let all_there = warnings.len() == expected.len()
            && warnings
                .iter()
                .zip(expected)
                .all(|(it, part)| it.contains(part));
        assert!(all_there, "{warnings:?}");
    }

    #[test]
    fn knowledge_is_read() {
        let skill = read(
            "\u{feff}---\r\nname: Tax rules\r\ncategory: finance\r\ndescription: >-\r\n  What is\r\n  taxed\r\nkeywords: [tax, 'VAT', 19%]\r\nsource: {a: [1]}\r\n---\r\n# Tax\r\n",
        );
        assert_eq!(skill.name, "Tax rules");
        assert_eq!(skill.category.as_deref(), Some("finance"));
        assert_eq!(skill.description, "What is taxed");
        assert_eq!(skill.keywords, ["tax", "VAT", "19%"]);
        assert_eq!((skill.code, skill.language), (None, None));
        assert_eq!(skill.warnings, [""; 0]);
    }

    #[test]
    fn executable_nodes_are_read() {
        let skill = read(
            "---\nskill_id: the-id\nname: Fetch\ndescription: Fetches\ntype: executable\nexecution_mode: async\ncategory: net\ntags:\n- http\n- 1.10\nversion: 1.10\nauthor: ~\nestimated_time_ms: 100\nmemory_mb: 64\ninputs:\n  - name: url\n    type: string\n    description: \"the: url\"\n    default: null\n    required: true\n  - {name: n, default: 1.50}\noutputs:\n- name: body\n  type: string\n---\n\n## Code\n\n```python\nprint('---')\n```\n",
        );
        assert_eq!(skill.tags, ["http", "1.10"]);
        assert_eq!(skill.version.as_deref(), Some("1.10"));
        assert_eq!(skill.author, None);
        assert_eq!(skill.r#type.as_deref(), Some("executable"));
        assert_eq!(skill.execution_mode.as_deref(), Some("async"));
        assert_eq!(
            skill.inputs.get(),
            r#"[{"name":"url","type":"string","description":"the: url","default":null,"required":true},{"name":"n","default":1.50}]"#
        );
        assert_eq!(skill.outputs.get(), r#"[{"name":"body","type":"string"}]"#);
        assert_eq!(skill.code.as_deref(), Some("print('---')"));
        assert_eq!(skill.language.as_deref(), Some("python"));
        assert_eq!(skill.warnings, [""; 0]);
    }

    #[test]
    fn a_skill_is_json_in_the_order_of_its_fields_and_back() {
        let skill: NewSkill =
            serde_json::from_str(r#"{"name":"N","description":"D","code":"C","language":"l"}"#)
                .unwrap();
        let json = serde_json::to_string(&read(&skill.into_document())).unwrap();
        assert_eq!(
            json,
            r#"{"name":"N","description":"D","code":"C","language":"l","tags":[],"category":null,"keywords":[],"version":null,"author":null,"type":null,"execution_mode":null,"inputs":[],"outputs":[],"warnings":[]}"#
        );
        let again: Skill = serde_json::from_str(&json).unwrap();
        assert_eq!(serde_json::to_string(&again).unwrap(), json);
    }

    #[test]
    fn a_time_of_creation_is_one_or_nothing() {
        let time = |text| {
            read(&format!(
                "---\nname: x\ndescription: d\ncreated_at: {text}\n---\n"
            ))
            .created_at
        };
        assert_eq!(
            time("2025-12-14T10:00:00Z").as_deref(),
            Some("2025-12-14T10:00:00Z")
        );
        assert_eq!(time("yesterday"), None);
    }

    #[test]
    fn documents_that_cannot_be_parsed_say_why_and_keep_their_code() {
        let broken = "---\nname: x\nb: [1\n---\n## Code\n```js\n1\n```\n";
        check_warnings(broken, &["line 4: the front matter is not readable"]);
        let skill = read(broken);
        assert_eq!(
            (skill.name.as_str(), skill.code.as_deref()),
            ("the-id", Some("1"))
        );
        check_warnings("", &["no front matter"]);
        check_warnings("# Only text", &["no front matter"]);
        check_warnings("\n---\nname: x\n", &["line 2: the front matter has no end"]);
        check_warnings(
            "---\n- a\n---\n",
            &["line 2: the front matter is not readable: it is not a mapping"],
        );
        check_warnings("---\ntext\n---\n", &["not a mapping"]);
        let large = format!("---\nname: {}\n---\n", "x".repeat(MAX_FRONT_MATTER_BYTES));
        check_warnings(&large, &["larger than 64 KB"]);
    }

    #[test]
    fn an_item_that_is_nothing_is_no_tag() {
        let skill = read("---\nname: x\ntags:\n- a\n- # empty\n- ~\n- null\n- 'null'\n---\n");
        assert_eq!(skill.tags, ["a", "null"]);
    }

    #[test]
    fn odd_values_are_named_with_their_lines() {
        check_warnings("---\n---\n", &["no `name`", "no `description`"]);
        check_warnings("---\nname: ''\ndescription: ''\n---\n", &["no `name`"]);
        let document = "---\nname: x\ndescription: [a]\nskill_id: other\ntags: a, b,,c\nkeywords: {a: 1}\ninputs:\n- a\n- {b: 1, b: 2}\noutputs: 5\nname: y\nversion: [1]\n---\n## Code\n~~~";
        check_warnings(
            document,
            &[
                "line 11: the key \"name\" is there twice",
                "line 15: the fence that begins here is never closed",
                "line 4: `skill_id` is not the id",
                "line 3: `description` is not a text",
                "line 5: `tags` is a text",
                "line 6: `keywords` is not a list",
                "line 12: `version` is not a text",
                "line 8: an item of `inputs` is not a mapping",
                "line 9: the key \"b\" is there twice",
                "line 10: `outputs` is not a list of mappings",
            ],
        );
        let skill = read(document);
        assert_eq!(
            (skill.name.as_str(), skill.tags),
            ("y", ["a", "b", "c"].map(str::to_owned).into())
        );
        assert_eq!(skill.inputs.get(), r#"[{"b":2}]"#);
        check_warnings(
            "---\nname: x\ndescription: d\n---\n\n## Code\ntext\n",
            &["line 6: `## Code` has no fence"],
        );
    }

    #[test]
    fn of_many_warnings_there_are_a_few() {
        let document = format!(
            "---\nname: x\ndescription: d\n{}---\n",
            "a: 1\n".repeat(5000)
        );
        let warnings = read(&document).warnings;
        assert_eq!(warnings.len(), 21);
        assert_eq!(warnings[20], "and 4979 more");
    }
}
