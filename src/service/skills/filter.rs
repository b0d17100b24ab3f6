//! Filters of skills.

use super::SkillSummary;
use crate::util::unicode::to_nfc;

/// Returns a text in the form in which filters compare it: in lower case and Unicode normal form C.
fn folded(text: &str) -> String {
    to_nfc(&text.to_lowercase()).into_owned()
}

/// A filter of skills that ignores case and Unicode normal forms.
#[derive(Clone, Debug, Default)]
pub struct SkillFilter {
    text: Option<String>,
    tag: Option<String>,
    category: Option<String>,
}

impl SkillFilter {
    /// Returns a filter for skills that contain `text` in their id, name, description, tags, keywords or category, and have
    /// this `tag` and `category`. Empty values are ignored.
    pub fn new(text: Option<&str>, tag: Option<&str>, category: Option<&str>) -> Self {
        let wanted = |text: Option<&str>| {
            let text = text?.trim();
            (!text.is_empty()).then(|| folded(text))
        };
        Self {
            text: wanted(text),
            tag: wanted(tag),
            category: wanted(category),
        }
    }

    /// Returns whether the filter accepts every skill.
    pub fn is_empty(&self) -> bool {
        self.text.is_none() && self.tag.is_none() && self.category.is_none()
    }

    /// Returns whether the filter accepts a skill.
    pub fn accepts(&self, listed: &SkillSummary) -> bool {
        let skill = &listed.skill;
        let is = |wanted: &Option<String>, values: &[String]| {
            wanted
                .as_ref()
                .is_none_or(|wanted| values.iter().any(|value| folded(value) == *wanted))
        };
        let contains = |text: &String| {
            let short = [listed.id.as_str(), &skill.name, &skill.description].into_iter();
            let labels = skill
                .tags
                .iter()
                .chain(&skill.keywords)
                .chain(&skill.category);
            short
                .chain(labels.map(String::as_str))
                .any(|value| folded(value).contains(text))
        };
        is(&self.tag, &skill.tags)
            && is(&self.category, skill.category.as_slice())
            && self.text.as_ref().is_none_or(contains)
    }
}
