//! Changes of a document that leave all else in it as it was.

use super::code::Section;
use super::document::Document;
use super::front_matter::Edit;
use super::new::introduction;
use super::parts::{Missing, with_empty_front_matter};
use super::values::Values;
use super::yaml::{flow_json, flow_list, quote};
use super::{ChangeError, Description, Label, Language, Parameters, SkillPatch, Tags};
use super::{MAX_DOCUMENT_BYTES, MAX_FRONT_MATTER_BYTES};
use crate::domain::name::Name;

impl SkillPatch {
    /// The document with the changes, and all else in it to the letter.
    ///
    /// A value that the document has already is left as it is written. The heading and the description in
    /// the body change along where they are as [`NewSkill`](super::NewSkill) writes them.
    ///
    /// # Errors
    /// If the front matter cannot be parsed, or the result is over a limit.
    pub fn apply(&self, document: &str) -> Result<String, ChangeError> {
        let taken = Document::of(document);
        let parts = match taken.parts {
            Ok(parts) => parts,
            Err(Missing::FrontMatter) => {
                let with_front_matter = with_empty_front_matter(document);
                let changed = self.apply(&with_front_matter)?;
                let is_changed = changed != with_front_matter;
                return Ok(if is_changed {
                    changed
                } else {
                    document.to_owned()
                });
            }
            Err(Missing::End(_)) => {
                let reason = "its front matter has no end".to_owned();
                return Err(ChangeError::Unreadable(reason));
            }
        };
        let front_matter = taken
            .front_matter
            .as_ref()
            .map_err(|reason| ChangeError::Unreadable(reason.clone()))?;
        let yaml = front_matter
            .edit(&self.edits(&taken))
            .map_err(ChangeError::Unreadable)?;
        let body = self.change_introduction(&taken, parts.line_ending());
        let body = self.change_code(&taken, body, parts.line_ending())?;
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

    /// What becomes of which keys.
    fn edits(&self, document: &Document<'_>) -> Vec<Edit> {
        let front_matter = document.front_matter.as_ref().ok();
        let is_absent = |key| front_matter.is_none_or(|it| it.get(key).is_none());
        let text = |key, change: Option<Option<&str>>| {
            let value = change?;
            let same = value.map_or(is_absent(key), |it| document.text(key) == Some(it));
            (!same).then(|| (key, value.map(quote)))
        };
        let list = |key, change: &Option<Option<Tags>>| {
            let value = change.as_ref()?.as_ref().map(Tags::as_slice);
            let same = value.map_or(is_absent(key), |it| Values::of(document).list(key) == it);
            (!same).then(|| (key, value.map(flow_list)))
        };
        let parameters = |key, change: &Option<Option<Parameters>>| {
            let value = change.as_ref()?.as_ref().map(|it| flow_json(it.as_raw()));
            let stored = || flow_json(&Values::of(document).parameters(key));
            let same = value.as_ref().map_or(is_absent(key), |it| *it == stored());
            (!same).then_some((key, value))
        };
        let label = |key, change: &Option<Option<Label>>| {
            text(
                key,
                change.as_ref().map(|it| it.as_ref().map(Label::as_str)),
            )
        };
        let language = self
            .language
            .as_ref()
            .map(|it| it.as_ref().map(Language::as_str));
        let edits = [
            text("name", self.name.as_ref().map(|it| Some(it.as_str()))),
            text(
                "description",
                self.description.as_ref().map(|it| Some(it.as_str())),
            ),
            text(
                "language",
                language.filter(|it| it.is_none() || *it != language_of(document)),
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

    /// The body with the new name and description, if it begins with the old ones.
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

    /// The body with the new code and language.
    fn change_code(
        &self,
        document: &Document<'_>,
        body: String,
        line_ending: &str,
    ) -> Result<String, ChangeError> {
        let section = Section::of(&body);
        let old = section.fence.as_ref().map(|fence| fence.code());
        let language = self.language.as_ref();
        let language = language.map(|it| it.as_ref().map_or("", Language::as_str));
        match &self.code {
            Some(Some(code)) if old.as_deref() != Some(code.as_str()) => {
                let language = match section.fence {
                    // A fence that says no language goes on so.
                    Some(_) => language,
                    None => language.or_else(|| language_of(document)),
                };
                let changed = section.with_code(&body, code.as_str(), language, line_ending);
                let stored = Section::of(&changed)
                    .fence
                    .map(|fence| fence.code().into_owned());
                if stored.as_deref() != Some(code.as_str()) {
                    let reason = "there is no place for code in it".to_owned();
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

/// The language of a document's code, if it is one that a caller could give.
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
    fn a_change_of_our_document_is_the_document_of_the_changed_skill() {
        let new = |json| {
            serde_json::from_str::<NewSkill>(json)
                .unwrap()
                .into_document()
        };
        check(
            &new(r#"{"name":"A","description":"d\n# e","code":"1","language":"js","tags":["t"]}"#),
            r#"{"name":"B: C","description":"","code":"```","language":"py","tags":[]}"#,
            &new(r#"{"name":"B: C","description":"","code":"```","language":"py","tags":[]}"#),
        );
    }

    #[test]
    fn what_is_equal_already_stays_as_it_is_written() {
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
    fn null_removes() {
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
    fn a_body_that_says_something_else_is_left_alone() {
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
    fn an_item_that_is_nothing_stays_nothing() {
        // Not all keys begin in the same column, so the front matter is written anew.
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
    fn a_document_without_front_matter_gets_one() {
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
    fn what_cannot_be_changed_in_parts_says_so() {
        for document in ["---\nname: [\n---\n", "---\nname: x\n", "---\n- x\n---\n"] {
            let error = change(r#"{"name":"A"}"#).apply(document).unwrap_err();
            assert!(matches!(error, ChangeError::Unreadable(_)), "{error}");
        }
    }

    #[test]
    fn results_over_a_limit_are_refused() {
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
    fn an_empty_change_is_empty() {
        assert!(change(r#"{"unknown":1}"#).is_empty());
        assert!(!change(r#"{"tags":null}"#).is_empty());
    }
}
