//! Which skills of a list are wanted.

use super::SkillSummary;

/// What a skill must be to be listed. Upper and lower case are one.
#[derive(Clone, Debug, Default)]
pub struct SkillFilter {
    text: Option<String>,
    tag: Option<String>,
    category: Option<String>,
}

impl SkillFilter {
    /// A filter for skills that hold `text` in their id, name, description, tags, keywords or category, and
    /// are filed under `tag` and `category`. What is `None` or empty does not count.
    pub fn new(text: Option<&str>, tag: Option<&str>, category: Option<&str>) -> Self {
        let wanted = |text: Option<&str>| {
            let text = text?.trim();
            (!text.is_empty()).then(|| text.to_lowercase())
        };
        Self {
            text: wanted(text),
            tag: wanted(tag),
            category: wanted(category),
        }
    }

    /// Whether every skill is wanted.
    pub fn is_empty(&self) -> bool {
        self.text.is_none() && self.tag.is_none() && self.category.is_none()
    }

    /// Whether this skill is wanted.
    pub fn fits(&self, listed: &SkillSummary) -> bool {
        let skill = &listed.skill;
        let is = |wanted: &Option<String>, values: &[String]| {
            wanted
                .as_ref()
                .is_none_or(|wanted| values.iter().any(|value| value.to_lowercase() == *wanted))
        };
        let holds = |text: &String| {
            let short = [listed.id.as_str(), &skill.name, &skill.description].into_iter();
            let labels = skill
                .tags
                .iter()
                .chain(&skill.keywords)
                .chain(&skill.category);
            short
                .chain(labels.map(String::as_str))
                .any(|value| value.to_lowercase().contains(text))
        };
        is(&self.tag, &skill.tags)
            && is(&self.category, skill.category.as_slice())
            && self.text.as_ref().is_none_or(holds)
    }
}
