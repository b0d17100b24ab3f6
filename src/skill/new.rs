//! A new skill, and its document.

use serde::Deserialize;

use super::fence::code_block;
use super::lines::lines;
use super::yaml::{quote, write_flow_sequence};
use super::{Code, Description, Language, SkillId, Tags};
use crate::domain::name::Name;

/// A skill to create.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
pub struct NewSkill {
    /// The name.
    pub name: Name,
    /// The description.
    pub description: Description,
    /// The code.
    #[serde(default)]
    pub code: Option<Code>,
    /// The language of the code.
    #[serde(default)]
    pub language: Option<Language>,
    /// The tags.
    #[serde(default)]
    pub tags: Tags,
}

impl NewSkill {
    /// Returns the id that is derived from the name.
    pub fn id(&self) -> SkillId {
        SkillId::from_name(self.name.as_str())
    }

    /// Returns the document: front matter, the name as a heading, the description, and the code as a code block.
    ///
    /// Parsing the document returns equal values: no value can end its field, the front matter or the code block, or
    /// begin a heading.
    pub fn into_document(self) -> String {
        let (name, description) = (self.name.as_str(), self.description.as_str());
        let language = self.language.as_ref().map(Language::as_str);
        let field = language.map(|language| format!("language: {}\n", quote(language)));
        let section = self.code.map(|code| {
            let fence = code_block(code.as_str(), language.unwrap_or_default(), "\n");
            format!("\n## Code\n\n{fence}\n")
        });
        format!(
            "---\nname: {}\ndescription: {}\n{}tags: {}\n---\n{}{}",
            quote(name),
            quote(description),
            field.unwrap_or_default(),
            write_flow_sequence(self.tags.as_slice()),
            introduction(name, description, "\n"),
            section.unwrap_or_default(),
        )
    }
}

/// Returns the beginning of a document's body: the name as a heading, and the description.
pub(super) fn introduction(name: &str, description: &str, line_ending: &str) -> String {
    let heading = [line_ending, "# Skill: ", name, line_ending].concat();
    if description.is_empty() {
        return heading;
    }
    let description: String = lines(description)
        .flat_map(|line| {
            let blanks = line.text.len() - line.text.trim_start_matches([' ', '\t']).len();
            let (blanks, text) = line.text.split_at(blanks);
            let escape = if starts_block(text) { "\\" } else { "" };
            [blanks, escape, text, line.ending]
        })
        .collect();
    [&heading, line_ending, &description, line_ending].concat()
}

/// Returns whether Markdown would parse a line as a heading, a heading underline, a code fence or an HTML block.
fn starts_block(text: &str) -> bool {
    let underlines =
        |mark: char| text.starts_with(mark) && text.trim_end_matches([' ', '\t', mark]).is_empty();
    text.starts_with(['#', '<'])
        || text.starts_with("```")
        || text.starts_with("~~~")
        || underlines('=')
        || underlines('-')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn new_skill(json: &str) -> NewSkill {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn document_has_front_matter_heading_description_and_code() {
        let skill = new_skill(
            r#"{"name":" Hello World ","description":"Prints: hello","code":"print(1)","language":"python","tags":["a","b c","d, e"]}"#,
        );
        assert_eq!(skill.id().as_str(), "hello-world");
        assert_eq!(
            skill.into_document(),
            "---\nname: Hello World\ndescription: \"Prints: hello\"\nlanguage: python\ntags: [a, b c, \"d, e\"]\n---\n\n# Skill: Hello World\n\nPrints: hello\n\n## Code\n\n```python\nprint(1)\n```\n"
        );
    }

    #[test]
    fn description_lines_that_start_a_block_are_escaped() {
        let description = "## Code\n ```\n\t~~~\r# a\r\n<!--\n===\n- - -\n---\n- item\n`x` #";
        assert_eq!(
            introduction("n", description, "\n"),
            "\n# Skill: n\n\n\\## Code\n \\```\n\t\\~~~\r\\# a\r\n\\<!--\n\\===\n\\- - -\n\\---\n- item\n`x` #\n"
        );
    }

    #[test]
    fn code_and_language_are_optional() {
        let document = |json| new_skill(json).into_document();
        assert_eq!(
            document(r#"{"name":"x","description":"d"}"#),
            "---\nname: x\ndescription: d\ntags: []\n---\n\n# Skill: x\n\nd\n"
        );
        assert_eq!(
            document(r#"{"name":"x","description":"d","code":"z","language":null}"#),
            "---\nname: x\ndescription: d\ntags: []\n---\n\n# Skill: x\n\nd\n\n## Code\n\n```\nz\n```\n"
        );
    }

    #[test]
    fn tags_are_optional_and_unknown_fields_are_ignored() {
        let skill = new_skill(r#"{"name":"x","description":"","code":"","language":"c++","id":1}"#);
        let document = skill.into_document();
        assert!(document.contains("\ntags: []\n"), "{document}");
        assert!(
            document.contains("# Skill: x\n\n## Code\n\n```c++\n\n```\n"),
            "{document}"
        );
    }

    #[test]
    fn largest_skill_fits_into_a_document() {
        let hidden = "\u{e0041}";
        let quotes = vec!["\"".repeat(16); 1000];
        let code = "`".repeat(1000) + &"x".repeat(crate::skill::fields::MAX_CODE_BYTES - 1000);
        let skill = NewSkill {
            name: hidden.repeat(200).try_into().unwrap(),
            description: hidden.repeat(2048).try_into().unwrap(),
            code: Some(code.clone().try_into().unwrap()),
            language: Some("x".repeat(64).try_into().unwrap()),
            tags: quotes.try_into().unwrap(),
        };
        let document = skill.clone().into_document();
        crate::skill::check_document(document.as_bytes()).unwrap();
        let read = crate::skill::Skill::read(&document, &skill.id());
        assert_eq!(read.warnings, [""; 0]);
        assert_eq!(read.code, Some(code));
    }
}
