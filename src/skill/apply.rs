//! Applies a patch to a document and keeps all other text unchanged.
//!
//! The document is edited in place, not written anew from its fields: comments, unknown keys and the body are the
//! user's own.

use super::code::Section;
use super::document::Document;
use super::front_matter::Edit;
use super::new::introduction;
use super::parts::{Missing, with_empty_front_matter};
use super::values::Values;
use super::yaml::{quote, write_flow_json, write_flow_sequence};
use super::{ChangeError, Description, Label, Language, Parameters, SkillPatch, Tags};
use super::{MAX_DOCUMENT_BYTES, MAX_FRONT_MATTER_BYTES};
use crate::domain::name::Name;

impl SkillPatch {
    /// Returns the patched document; all other text is unchanged.
    ///
    /// A field that already has the given value keeps its notation. The heading and the description in the body are
    /// updated if they have the form of [`NewSkill`](super::NewSkill).
    ///
    /// # Errors
    /// If the front matter cannot be parsed, or the result exceeds a limit.
    pub fn apply(&self, document: &str) -> Result<String, ChangeError> {
        let parsed = Document::parse(document);
        let parts = match parsed.parts {
            Ok(parts) => parts,
            Err(Missing::Opening) => {
                let with_front_matter = with_empty_front_matter(document);
                let changed = self.apply(&with_front_matter)?;
                let is_changed = changed != with_front_matter;
                return Ok(if is_changed {
                    changed
                } else {
                    document.to_owned()
                });
            }
            Err(Missing::Closing(_)) => {
                let reason = "the front matter is not closed".to_owned();
                return Err(ChangeError::Unreadable(reason));
            }
        };
        let front_matter = parsed
            .front_matter
            .as_ref()
            .map_err(|reason| ChangeError::Unreadable(reason.clone()))?;
        let yaml = front_matter
            .edit(&self.edits(&parsed))
            .map_err(ChangeError::Unreadable)?;
        let body = self.change_introduction(&parsed, parts.line_ending());
        let body = self.change_code(&parsed, body, parts.line_ending())?;
        if yaml.len() > MAX_FRONT_MATTER_BYTES {
            return Err(ChangeError::TooLarge(
                "the front matter would be larger than 64 KB",
            ));
        }
        let changed = parts.with(&yaml, &body);
        if changed.len() > MAX_DOCUMENT_BYTES {
            return Err(ChangeError::TooLarge(
                "the document would be larger than 1 MB",
            ));
        }
        Ok(changed)
    }

    /// Returns the edits of the front matter.
    fn edits(&self, document: &Document<'_>) -> Vec<Edit> {
        let front_matter = document.front_matter.as_ref().ok();
        let is_absent = |key| front_matter.is_none_or(|yaml| yaml.get(key).is_none());
        let text = |key, change: Option<Option<&str>>| {
            let value = change?;
            let same = value.map_or(is_absent(key), |text| document.text(key) == Some(text));
            (!same).then(|| (key, value.map(quote)))
        };
        let list = |key, change: &Option<Option<Tags>>| {
            let value = change.as_ref()?.as_ref().map(Tags::as_slice);
            let same = value.map_or(is_absent(key), |tags| {
                Values::new(document).list(key) == tags
            });
            (!same).then(|| (key, value.map(write_flow_sequence)))
        };
        let parameters = |key, change: &Option<Option<Parameters>>| {
            let value = change.as_ref()?.as_ref();
            let value = value.map(|list| write_flow_json(list.as_raw()));
            let stored = || write_flow_json(&Values::new(document).parameters(key));
            let same = value
                .as_ref()
                .map_or(is_absent(key), |yaml| *yaml == stored());
            (!same).then_some((key, value))
        };
        let label = |key, change: &Option<Option<Label>>| {
            text(
                key,
                change
                    .as_ref()
                    .map(|label| label.as_ref().map(Label::as_str)),
            )
        };
        let language = self
            .language
            .as_ref()
            .map(|language| language.as_ref().map(Language::as_str));
        let edits = [
            text("name", self.name.as_ref().map(|name| Some(name.as_str()))),
            text(
                "description",
                self.description.as_ref().map(|text| Some(text.as_str())),
            ),
            text(
                "language",
                language.filter(|new| new.is_none() || *new != language_of(document)),
            ),
            list("tags", &self.tags),
            label("category", &self.category),
            list("keywords", &self.keywords),
            label("version", &self.version),
            label("author", &self.author),
            label("type", &self.r#type),
            label("execution_mode", &self.execution_mode),
            parameters("inputs", &self.inputs),
            parameters("outputs", &self.outputs),
        ];
        edits.into_iter().flatten().collect()
    }

    /// Returns the body with the new name and description, if it begins with the old ones.
    fn change_introduction(&self, document: &Document<'_>, line_ending: &str) -> String {
        let old = (
            document.text("name").unwrap_or_default(),
            document.text("description").unwrap_or_default(),
        );
        let new = (
            self.name.as_ref().map_or(old.0, Name::as_str),
            self.description.as_ref().map_or(old.1, Description::as_str),
        );
        let rest = document
            .body
            .strip_prefix(&introduction(old.0, old.1, line_ending))
            .filter(|rest| rest.is_empty() || rest.starts_with(['\n', '\r']));
        match rest {
            Some(rest) if new != old => introduction(new.0, new.1, line_ending) + rest,
            _ => document.body.to_owned(),
        }
    }

    /// Returns the body with the new code and language.
    fn change_code(
        &self,
        document: &Document<'_>,
        body: String,
        line_ending: &str,
    ) -> Result<String, ChangeError> {
        let section = Section::parse(&body);
        let old = section.fence.as_ref().map(|fence| fence.code());
        let language = self.language.as_ref();
        let language = language.map(|new| new.as_ref().map_or("", Language::as_str));
        match &self.code {
            Some(Some(code)) if old.as_deref() != Some(code.as_str()) => {
                let language = match section.fence {
                    // An existing code block without a language stays without one.
                    Some(_) => language,
                    None => language.or_else(|| language_of(document)),
                };
                let changed = section.with_code(&body, code.as_str(), language, line_ending);
                let stored = Section::parse(&changed)
                    .fence
                    .map(|fence| fence.code().into_owned());
                if stored.as_deref() != Some(code.as_str()) {
                    let reason = "its code section cannot be edited".to_owned();
                    return Err(ChangeError::Unreadable(reason));
                }
                Ok(changed)
            }
            Some(None) => Ok(section.without_code(&body)),
            _ => Ok(match (language, &section.fence) {
                (Some(language), Some(fence))
                    if fence.language().unwrap_or_default() != language =>
                {
                    section.with_language(&body, language)
                }
                _ => body,
            }),
        }
    }
}

/// Returns the language of a document's code, if it is a valid [`Language`].
fn language_of<'a>(document: &'a Document<'_>) -> Option<&'a str> {
    let in_fence = document
        .section
        .fence
        .as_ref()
        .and_then(|fence| fence.language());
    document
        .text("language")
        .or(in_fence)
        .filter(|text| Language::try_from((*text).to_owned()).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::skill::NewSkill;

    fn change(json: &str) -> SkillPatch {
        serde_json::from_str(json).unwrap()
    }

    #[track_caller]
    fn check(document: &str, json: &str, expected: &str) {
        assert_eq!(change(json).apply(document).as_deref(), Ok(expected));
    }

    #[test]
    fn patched_new_document_equals_the_document_of_the_patched_skill() {
        let new = |json| {
            serde_json::from_str::<NewSkill>(json)
                .unwrap()
                .into_document()
                .unwrap()
        };
        check(
            &new(r#"{"name":"A","description":"d\n# e","code":"1","language":"js","tags":["t"]}"#),
            r#"{"name":"B: C","description":"","code":"```","language":"py","tags":[]}"#,
            &new(r#"{"name":"B: C","description":"","code":"```","language":"py","tags":[]}"#),
        );
    }

    #[test]
    fn equal_values_keep_their_notation() {
        let document = "---\nname:   'A'\ndescription: >-\n  a\n  b\ntags: x, y\nversion: 1.10\ninputs:\n- {a: 1}\n---\nbody\n\n## Code\n   ~~~js y\n   1\n   ~~~";
        check(
            document,
            r#"{"name":"A","description":"a b","tags":["x","y"],"version":"1.10","inputs":[ {"a" : 1} ],"code":"1","language":"js","keywords":[],"category":null,"outputs":[]}"#,
            document,
        );
        check(document, "{}", document);
        check(
            "no front matter",
            r#"{"code":null,"tags":null}"#,
            "no front matter",
        );
    }

    #[test]
    fn null_removes_the_field() {
        check(
            "---\nname: A\n# c\nlanguage: js\ntags: [x]\nversion:\nz: 1\n---\nbody\n\n## Code\n\n```js\n1\n```\n",
            r#"{"language":null,"tags":null,"version":null,"code":null}"#,
            "---\nname: A\n# c\nz: 1\n---\nbody\n\n",
        );
        check(
            "---\nname: A\n---\n## Code\n```js x\n1\n```\n",
            r#"{"language":null}"#,
            "---\nname: A\n---\n## Code\n```\n1\n```\n",
        );
        for json in [r#"{"name":null}"#, r#"{"description":null}"#] {
            assert!(serde_json::from_str::<SkillPatch>(json).is_err());
        }
    }

    #[test]
    fn body_with_another_introduction_is_unchanged() {
        check(
            "---\nname: A\ndescription: d\n---\n\n# Skill: A\n\nd and more\n",
            r#"{"name":"B","description":"e"}"#,
            "---\nname: B\ndescription: e\n---\n\n# Skill: A\n\nd and more\n",
        );
        check(
            "---\r\nname: A\r\n---\r\n\r\n# Skill: A\r\n\r\ntext\r\n",
            r#"{"name":"B","code":"1"}"#,
            "---\r\nname: B\r\n---\r\n\r\n# Skill: B\r\n\r\ntext\r\n\r\n## Code\r\n\r\n```\r\n1\r\n```\r\n",
        );
    }

    #[test]
    fn null_items_survive_a_rewrite() {
        // The keys begin in different columns, so the front matter is rewritten.
        let document = "---\ntags:\n- # nothing\n- ~\n- a\n? b\n: c\n---\n";
        let changed = change(r#"{"version":"1"}"#).apply(document).unwrap();
        assert_eq!(
            changed,
            "---\ntags: [null, ~, a]\nb: c\nversion: \"1\"\n---\n"
        );
        let id = crate::skill::SkillId::parse("x").unwrap();
        for document in [document, &changed] {
            assert_eq!(crate::skill::Skill::read(document, &id).tags, ["a"]);
        }
    }

    #[test]
    fn document_without_front_matter_gets_one() {
        check(
            "\u{feff}text\r\n",
            r#"{"name":"A","tags":["b"]}"#,
            "\u{feff}---\r\nname: A\r\ntags: [b]\r\n---\r\ntext\r\n",
        );
        check("", r#"{"name":"A"}"#, "---\nname: A\n---\n");
        check(
            "---\nname: A\n---",
            r#"{"code":"1"}"#,
            "---\nname: A\n---\n\n## Code\n\n```\n1\n```\n",
        );
    }

    #[test]
    fn document_with_malformed_front_matter_cannot_be_patched() {
        for document in ["---\nname: [\n---\n", "---\nname: x\n", "---\n- x\n---\n"] {
            let error = change(r#"{"name":"A"}"#).apply(document).unwrap_err();
            assert!(matches!(error, ChangeError::Unreadable(_)), "{error}");
        }
    }

    #[test]
    fn result_over_a_limit_is_rejected() {
        let large = format!("---\nname: x\n---\n{}", "x".repeat(MAX_DOCUMENT_BYTES - 18));
        let error = change(r#"{"name":"a longer name"}"#)
            .apply(&large)
            .unwrap_err();
        assert_eq!(
            error,
            ChangeError::TooLarge("the document would be larger than 1 MB")
        );
        let large = format!(
            "---\nname: x\nz: {}\n---\n",
            "x".repeat(MAX_FRONT_MATTER_BYTES - 20)
        );
        let error = change(r#"{"name":"a longer name"}"#)
            .apply(&large)
            .unwrap_err();
        assert_eq!(
            error,
            ChangeError::TooLarge("the front matter would be larger than 64 KB")
        );
    }

    #[test]
    fn patch_without_fields_is_empty() {
        assert!(change("{}").is_empty());
        assert!(!change(r#"{"tags":null}"#).is_empty());
    }
}
