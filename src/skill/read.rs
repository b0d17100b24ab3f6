//! The fields of a skill, parsed from its document.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::SkillId;
use super::document::Document;
use super::values::Values;

/// The fields of a skill, parsed from its document. `warnings` lists the problems of the document.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = SkillFields)]
pub struct Skill {
    /// The name; the id if the document has no name.
    pub name: String,
    /// The description; empty if the document has none.
    pub description: String,
    /// The content of the first fenced code block under `## Code`, unchanged.
    #[schema(required)]
    pub code: Option<String>,
    /// The language of the code: `language` of the front matter, otherwise the info string of the code block.
    #[schema(required)]
    pub language: Option<String>,
    /// The tags.
    pub tags: Vec<String>,
    /// The category.
    #[schema(required)]
    pub category: Option<String>,
    /// The keywords.
    pub keywords: Vec<String>,
    /// The version as written: `1.10` is not `1.1`.
    #[schema(required)]
    pub version: Option<String>,
    /// The author.
    #[schema(required)]
    pub author: Option<String>,
    /// The type of the node.
    #[schema(required)]
    pub r#type: Option<String>,
    /// The execution mode of the node.
    #[schema(required)]
    pub execution_mode: Option<String>,
    /// The inputs of the node: a JSON array of objects.
    #[schema(value_type = super::Parameters)]
    pub inputs: Box<RawValue>,
    /// The outputs of the node: a JSON array of objects.
    #[schema(value_type = super::Parameters)]
    pub outputs: Box<RawValue>,
    /// The problems of the document, with the line number if there is one.
    pub warnings: Vec<String>,
    /// The time of creation, if the document contains it as RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<String>,
}

impl Skill {
    /// Returns a skill whose document cannot be read; `warning` contains the reason.
    pub fn unreadable(id: &SkillId, warning: impl Into<String>) -> Self {
        let mut skill = Self::read("", id);
        skill.warnings = vec![warning.into()];
        skill
    }

    /// Parses a document. This never fails: malformed values are omitted, with a warning.
    pub fn read(document: &str, id: &SkillId) -> Self {
        let document = Document::parse(document);
        let mut values = Values::new(&document);
        let name = values.text("name").filter(|name| !name.trim().is_empty());
        if document.front_matter.is_ok() {
            if name.is_none() {
                values.warn(None, "`name` is missing; the id is used instead");
            }
            if !values.has("description") {
                values.warn(None, "`description` is missing");
            }
        }
        let other_id = values.text("skill_id").filter(|given| given != id.as_str());
        if other_id.is_some() {
            let line = values.line("skill_id");
            values.warn(
                line,
                "`skill_id` differs from the id, which is the file name",
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
        let all_match = warnings.len() == expected.len()
            && warnings
                .iter()
                .zip(expected)
                .all(|(warning, part)| warning.contains(part));
        assert!(all_match, "{warnings:?}");
    }

    #[test]
    fn knowledge_document_is_parsed() {
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
    fn executable_node_document_is_parsed() {
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
    fn skill_serializes_in_field_order_and_deserializes_again() {
        let skill: NewSkill =
            serde_json::from_str(r#"{"name":"N","description":"D","code":"C","language":"l"}"#)
                .unwrap();
        let json = serde_json::to_string(&read(&skill.into_document().unwrap())).unwrap();
        assert_eq!(
            json,
            r#"{"name":"N","description":"D","code":"C","language":"l","tags":[],"category":null,"keywords":[],"version":null,"author":null,"type":null,"execution_mode":null,"inputs":[],"outputs":[],"warnings":[]}"#
        );
        let again: Skill = serde_json::from_str(&json).unwrap();
        assert_eq!(serde_json::to_string(&again).unwrap(), json);
    }

    #[test]
    fn invalid_creation_time_is_omitted() {
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
    fn malformed_front_matter_gives_a_warning_and_keeps_the_code() {
        let broken = "---\nname: x\nb: [1\n---\n## Code\n```js\n1\n```\n";
        check_warnings(broken, &["line 3: the front matter is malformed"]);
        let skill = read(broken);
        assert_eq!(
            (skill.name.as_str(), skill.code.as_deref()),
            ("the-id", Some("1"))
        );
        check_warnings("", &["no front matter"]);
        check_warnings("# Only text", &["no front matter"]);
        check_warnings(
            "\n---\nname: x\n",
            &["line 2: the front matter is not closed"],
        );
        check_warnings(
            "---\n- a\n---\n",
            &["line 2: the front matter is malformed: it is not a mapping"],
        );
        check_warnings("---\ntext\n---\n", &["not a mapping"]);
        let large = format!("---\nname: {}\n---\n", "x".repeat(MAX_FRONT_MATTER_BYTES));
        check_warnings(&large, &["larger than 64 KB"]);
    }

    #[test]
    fn null_tags_are_omitted() {
        let skill = read("---\nname: x\ntags:\n- a\n- # empty\n- ~\n- null\n- 'null'\n---\n");
        assert_eq!(skill.tags, ["a", "null"]);
    }

    #[test]
    fn value_that_is_read_in_part_gives_a_warning() {
        let document = "---\nname: Tips #1\ndescription: !important note\nauthor: &me x\nversion: 1 # first\n---\n";
        check_warnings(
            document,
            &[
                "line 2: `name` contains `#`, which begins a comment and is not part of the value. To keep the text, \
                 write: name: \"Tips #1\"",
                "line 3: `description` contains `!`, which begins a tag",
                "line 4: `author` contains `&`, which begins an anchor",
            ],
        );
        let quoted = "---\nname: 'Tips #1' # why\ndescription: C# and F#\n---\n";
        check_warnings(quoted, &[]);
    }

    #[test]
    fn surrogate_pairs_of_json_are_characters() {
        let skill = read("---\nname: \"\\ud83d\\ude80\"\ndescription: \"x \\uD83D\\uDE80\"\n---\n");
        assert_eq!(
            (skill.name.as_str(), skill.description.as_str()),
            ("🚀", "x 🚀")
        );
        assert_eq!(skill.warnings, [""; 0]);
    }

    #[test]
    fn malformed_values_give_warnings_with_their_lines() {
        check_warnings(
            "---\n---\n",
            &["`name` is missing", "`description` is missing"],
        );
        check_warnings(
            "---\nname: ''\ndescription: ''\n---\n",
            &["`name` is missing"],
        );
        let document = "---\nname: x\ndescription: [a]\nskill_id: other\ntags: a, b,,c\nkeywords: {a: 1}\ninputs:\n- a\n- {b: 1, b: 2}\noutputs: 5\nname: y\nversion: [1]\n---\n## Code\n~~~";
        check_warnings(
            document,
            &[
                "line 11: duplicate key \"name\"",
                "line 15: the fenced code block is not closed",
                "line 4: `skill_id` differs from the id",
                "line 3: `description` is not a string",
                "line 5: `tags` is a string, not a list",
                "line 6: `keywords` is not a list",
                "line 12: `version` is not a string",
                "line 8: an item of `inputs` is not a mapping",
                "line 9: duplicate key \"b\"",
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
            &["line 6: no fenced code block follows `## Code`"],
        );
    }

    #[test]
    fn more_than_twenty_warnings_are_summarized() {
        let document = format!(
            "---\nname: x\ndescription: d\n{}---\n",
            "a: 1\n".repeat(5000)
        );
        let warnings = read(&document).warnings;
        assert_eq!(warnings.len(), 21);
        assert_eq!(warnings[20], "and 4979 more");
    }
}
