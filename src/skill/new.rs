//! A new skill, and its document.

use serde::Deserialize;

use super::fence::code_block;
use super::lines::lines;
use super::yaml::{quote, write_flow_sequence};
use super::{
    ChangeError, ChosenId, Code, Description, Label, Language, NewId, Parameters, SkillPatch, Tags,
};
use crate::domain::name::Name;

/// A skill to create.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSkill {
    /// The id; derived from the name if it is missing.
    #[serde(default)]
    pub id: Option<ChosenId>,
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
    pub tags: Option<Tags>,
    /// The category.
    #[serde(default)]
    pub category: Option<Label>,
    /// The keywords.
    #[serde(default)]
    pub keywords: Option<Tags>,
    /// The version.
    #[serde(default)]
    pub version: Option<Label>,
    /// The author.
    #[serde(default)]
    pub author: Option<Label>,
    /// The type.
    #[serde(default)]
    pub r#type: Option<Label>,
    /// The execution mode.
    #[serde(default)]
    pub execution_mode: Option<Label>,
    /// The inputs.
    #[serde(default)]
    pub inputs: Option<Parameters>,
    /// The outputs.
    #[serde(default)]
    pub outputs: Option<Parameters>,
}

impl NewSkill {
    /// Returns the given id, or the one that is derived from the name.
    pub fn id(&self) -> NewId {
        match &self.id {
            Some(id) => NewId::chosen(id.clone().into_id()),
            None => NewId::from_name(self.name.as_str()),
        }
    }

    /// Returns the document: front matter, the name as a heading, the description, and the code as a code block.
    ///
    /// Parsing the document returns equal values: no value can end its field, the front matter or the code block, or
    /// begin a heading.
    ///
    /// # Errors
    /// If the document would exceed a limit.
    pub fn into_document(mut self) -> Result<String, ChangeError> {
        let others = self.take_other_fields();
        let document = self.into_base_document();
        // A change of these fields writes them in the same way.
        if others.is_empty() {
            Ok(document)
        } else {
            others.apply(&document)
        }
    }

    /// Removes the fields that the base document does not have, and returns them as a patch.
    fn take_other_fields(&mut self) -> SkillPatch {
        SkillPatch {
            category: self.category.take().map(Some),
            keywords: self.keywords.take().map(Some),
            version: self.version.take().map(Some),
            author: self.author.take().map(Some),
            r#type: self.r#type.take().map(Some),
            execution_mode: self.execution_mode.take().map(Some),
            inputs: self.inputs.take().map(Some),
            outputs: self.outputs.take().map(Some),
            ..SkillPatch::default()
        }
    }

    fn into_base_document(self) -> String {
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
            write_flow_sequence(self.tags.as_ref().map_or(&[][..], Tags::as_slice)),
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
        assert_eq!(skill.id(), NewId::from_name("Hello World"));
        assert_eq!(
            skill.into_document().unwrap(),
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
        let document = |json| new_skill(json).into_document().unwrap();
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
    fn tags_are_optional_and_unknown_fields_are_rejected() {
        let unknown = r#"{"name":"x","description":"","ID":"x"}"#;
        assert!(serde_json::from_str::<NewSkill>(unknown).is_err());
        let skill = new_skill(r#"{"name":"x","description":"","code":"","language":"c++"}"#);
        let document = skill.into_document().unwrap();
        assert!(document.contains("\ntags: []\n"), "{document}");
        assert!(
            document.contains("# Skill: x\n\n## Code\n\n```c++\n\n```\n"),
            "{document}"
        );
    }

    #[test]
    fn new_skill_has_every_field_of_a_change() {
        let new = new_skill(
            r#"{"id":"chosen","name":"x","description":"d","category":"k: v","keywords":["a","b"],"version":"1.10",
                "author":"me","type":"node","execution_mode":"sync","inputs":[{"name":"a"}],"outputs":[]}"#,
        );
        assert_eq!(new.id().id.as_str(), "chosen");
        assert_eq!(
            new.into_document().unwrap(),
            "---\nname: x\ndescription: d\ntags: []\ncategory: \"k: v\"\nkeywords: [a, b]\nversion: \"1.10\"\n\
             author: me\ntype: node\nexecution_mode: sync\ninputs: [{name: a}]\n---\n\n# Skill: x\n\nd\n"
        );
    }

    #[test]
    fn front_matter_over_its_limit_is_rejected() {
        let quotes = || Some(vec!["\"".repeat(16); 1000].try_into().unwrap());
        let skill = NewSkill {
            tags: quotes(),
            keywords: quotes(),
            ..new_skill(r#"{"name":"x","description":""}"#)
        };
        assert!(matches!(
            skill.into_document(),
            Err(ChangeError::TooLarge(_))
        ));
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
            tags: Some(quotes.try_into().unwrap()),
            ..new_skill(r#"{"name":"x","description":""}"#)
        };
        let document = skill.clone().into_document().unwrap();
        crate::skill::check_document(document.as_bytes()).unwrap();
        let read = crate::skill::Skill::read(&document, &skill.id().id);
        assert_eq!(read.warnings, [""; 0]);
        assert_eq!(read.code, Some(code));
    }
}
