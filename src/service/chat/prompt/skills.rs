//! Skills in the instructions of a model.

use std::fmt::Write;

use crate::provider::request::SystemText;

/// A skill in the catalogue.
#[derive(Clone, Debug, Default)]
pub struct PromptSkill {
    /// The id.
    pub id: String,
    /// The name.
    pub name: String,
    /// What the skill does and when to use it.
    pub description: String,
    /// The category.
    pub category: Option<String>,
    /// The keywords.
    pub keywords: Vec<String>,
}

/// A skill that a request names, with its document.
#[derive(Clone, Debug, Default)]
pub struct NamedSkill {
    /// The skill.
    pub skill: PromptSkill,
    /// The whole document.
    pub content: String,
}

/// Returns the skills that fit a message, best first: 2 points for any keyword in the message, 3 for the name, 1 for the
/// category, without regard to case. Skills without points are left out; equal ones keep their order.
pub fn rank(skills: &[PromptSkill], message: &str, max_skills: usize) -> Vec<PromptSkill> {
    let message = message.to_lowercase();
    let has = |text: &str| !text.is_empty() && message.contains(&text.to_lowercase());
    let points = |skill: &PromptSkill| {
        let keyword = skill.keywords.iter().any(|keyword| has(keyword));
        let category = skill.category.as_deref().is_some_and(has);
        u8::from(keyword) * 2 + u8::from(has(&skill.name)) * 3 + u8::from(category)
    };
    let mut ranked: Vec<(u8, &PromptSkill)> = skills
        .iter()
        .map(|skill| (points(skill), skill))
        .filter(|(points, _)| *points > 0)
        .collect();
    ranked.sort_by_key(|(points, _)| std::cmp::Reverse(*points));
    let ranked = ranked.into_iter().take(max_skills);
    ranked.map(|(_, skill)| skill.clone()).collect()
}

/// Returns the instructions: the text of the deployment, texts of the conversation, the catalogue of skills that the model
/// can load, and the skills that the request names, which may differ in the next request.
pub fn system_texts(
    deployment: Option<&str>,
    conversation: &[String],
    catalogue: &[PromptSkill],
    named: &[NamedSkill],
) -> Vec<SystemText> {
    let mut texts: Vec<(String, bool)> = Vec::new();
    texts.extend(deployment.map(|text| (text.to_owned(), true)));
    texts.extend(conversation.iter().map(|text| (text.clone(), true)));
    texts.extend(self::catalogue(catalogue).map(|text| (text, true)));
    texts.extend(named.iter().map(|skill| (document(skill), false)));
    texts.retain(|(text, _)| !text.trim().is_empty());
    let texts = texts.into_iter();
    texts
        .map(|(text, is_stable)| SystemText { text, is_stable })
        .collect()
}

/// Returns the catalogue; `None` without skills.
fn catalogue(skills: &[PromptSkill]) -> Option<String> {
    let mut text = String::from(
        "## Skills\n\nThe skills below are documents with instructions for certain tasks. Before a task that a description \
         fits, call `load_skill` with the id of the skill, then follow the document.\n",
    );
    for skill in skills {
        let (id, name) = (&skill.id, one_line(&skill.name));
        let description = one_line(&skill.description);
        let _ = write!(text, "\n- `{id}`: {name}");
        if !description.is_empty() {
            let _ = write!(text, ". {description}");
        }
    }
    (!skills.is_empty()).then_some(text)
}

/// Returns a skill with its document.
fn document(named: &NamedSkill) -> String {
    let skill = &named.skill;
    let mut text = format!("## Available Skill: {}\n", one_line(&skill.name));
    if let Some(category) = &skill.category {
        let _ = write!(text, "\n**Category**: {}", one_line(category));
    }
    if !skill.description.is_empty() {
        let _ = write!(text, "\n**When to use**: {}", one_line(&skill.description));
    }
    let _ = write!(text, "\n\n{}", named.content);
    text
}

/// Returns a text without line breaks.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn skill(name: &str, category: &str, keywords: &[&str]) -> PromptSkill {
        PromptSkill {
            id: name.to_lowercase(),
            name: name.to_owned(),
            description: "Does\nthings".to_owned(),
            category: Some(category.to_owned()),
            keywords: keywords.iter().map(|it| (*it).to_owned()).collect(),
        }
    }

    #[test]
    fn rank_adds_keyword_name_and_category() {
        let skills = [
            skill("Other", "zebra", &["lion"]),
            skill("Category", "coding", &[]),
            skill("Keyword", "", &["Python", "code"]),
            skill("Write Python", "none", &[]),
            skill("write", "coding", &["python"]),
        ];
        let names = |max| -> Vec<String> {
            let ranked = rank(&skills, "Please WRITE PYTHON code, I am coding", max);
            ranked.into_iter().map(|skill| skill.name).collect()
        };
        assert_eq!(names(9), ["write", "Write Python", "Keyword", "Category"]);
        assert_eq!(names(1), ["write"]);
        assert!(rank(&skills, "hello", 9).is_empty());
    }

    #[test]
    fn stable_texts_come_first() {
        let named = NamedSkill {
            skill: skill("A", "c", &[]),
            content: "---\nname: A\n---\nbody".to_owned(),
        };
        let texts = system_texts(
            Some("Be kind."),
            &["Be brief.".to_owned(), " ".to_owned()],
            &[skill("B", "c", &[])],
            &[named],
        );
        let stable: Vec<bool> = texts.iter().map(|text| text.is_stable).collect();
        assert_eq!(stable, [true, true, true, false]);
        assert!(
            texts[2].text.ends_with("\n- `b`: B. Does things"),
            "{texts:?}"
        );
        assert_eq!(
            texts[3].text,
            "## Available Skill: A\n\n**Category**: c\n**When to use**: Does things\n\n---\nname: A\n---\nbody"
        );
        assert!(system_texts(None, &[], &[], &[]).is_empty());
    }
}
