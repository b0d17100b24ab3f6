//! Property tests of skills, documents and patches, with generated inputs that are hard to parse.

use proptest::prelude::*;

use super::*;
use crate::domain::name::Name;

/// Pieces with a meaning in YAML or Markdown, or with an unusual appearance.
const PIECES: &[&str] = &[
    "a",
    "B c",
    "0",
    "1.10",
    "true",
    "null",
    "~",
    "yes",
    ": ",
    ":",
    " #",
    "#",
    "---",
    "...",
    "- ",
    "\n",
    "\n\n",
    "\r\n",
    "\t",
    " ",
    "  ",
    "\"",
    "'",
    "\\",
    "`",
    "```",
    "````",
    "~~~",
    "## Code",
    "\n## Code\n\n```\n",
    "\n---\n",
    "\n...\n",
    "# Skill: ",
    "[",
    "]",
    "{",
    "}",
    ",",
    "&a",
    "*a",
    "!!binary ",
    "<<",
    "|",
    ">",
    "%",
    "@",
    "?",
    "=",
    "===",
    "\u{2028}",
    "\u{2029}",
    "\u{85}",
    "\u{a0}",
    "\u{feff}",
    "\u{202e}",
    "\u{200d}",
    "\u{fffe}",
    "\u{e0041}",
    "é",
    "e\u{301}",
    "日本",
    "😀",
    "👩‍💻",
    "\\u0000",
    "\\x41",
    "{{x}}",
    "<!--",
    "<b>",
];

fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => proptest::sample::select(PIECES).prop_map(str::to_owned),
        1 => any::<char>().prop_map(String::from),
    ]
}

fn text(pieces: usize) -> impl Strategy<Value = String> {
    proptest::collection::vec(piece(), 0..pieces).prop_map(|pieces| pieces.concat())
}

/// Generates a valid value of a field, without the characters that it rejects.
fn field<T: TryFrom<String, Error = &'static str> + std::fmt::Debug>(
    pieces: usize,
    is_kept: fn(char) -> bool,
) -> impl Strategy<Value = T> {
    text(pieces).prop_filter_map("rejected", move |text| {
        T::try_from(
            text.chars()
                .filter(|character| is_kept(*character))
                .collect(),
        )
        .ok()
    })
}

fn in_line(character: char) -> bool {
    !character.is_control()
}

fn in_lines(character: char) -> bool {
    !character.is_control() || matches!(character, '\n' | '\r' | '\t')
}

fn tags() -> impl Strategy<Value = Tags> {
    let tag = field::<Label>(4, in_line).prop_map(|label| label.as_str().to_owned());
    proptest::collection::vec(tag, 0..5)
        .prop_filter_map("rejected", |tags| Tags::try_from(tags).ok())
}

fn language() -> impl Strategy<Value = Language> {
    "[A-Za-z0-9+#._-]{1,8}".prop_filter_map("rejected", |text| Language::try_from(text).ok())
}

fn code() -> impl Strategy<Value = Code> {
    let with_returns = (text(12), any::<bool>()).prop_map(|(text, returns)| {
        if returns {
            text.replace('\n', "\r")
        } else {
            text
        }
    });
    with_returns.prop_filter_map("rejected", |text| Code::try_from(text).ok())
}

fn new_skill() -> impl Strategy<Value = NewSkill> {
    use proptest::option::of;
    let name = field::<Name>(6, in_line);
    let description = field::<Description>(12, in_lines);
    let label = || of(field::<Label>(4, in_line));
    let others = (label(), of(tags()), label(), of(parameters()));
    let base = (name, description, of(code()), of(language()), of(tags()));
    (base, others).prop_map(
        |((name, description, code, language, tags), (category, keywords, version, inputs))| {
            NewSkill {
                id: None,
                name,
                description,
                code,
                language,
                tags,
                category: category.clone(),
                keywords,
                version: version.clone(),
                author: version.clone(),
                r#type: version,
                execution_mode: category,
                inputs: inputs.clone(),
                outputs: inputs,
            }
        },
    )
}

fn parameters() -> impl Strategy<Value = Parameters> {
    proptest::collection::vec((text(4), text(4)), 0..3).prop_filter_map("rejected", |entries| {
        let items: Vec<serde_json::Value> = entries
            .into_iter()
            .map(|(key, value)| serde_json::json!({key: value, "n": [1.50, null, true, {}]}))
            .collect();
        Parameters::try_from(crate::util::json::raw(&items)).ok()
    })
}

fn change() -> impl Strategy<Value = SkillPatch> {
    use proptest::option::of;
    let first = (
        of(field::<Name>(6, in_line)),
        of(field::<Description>(12, in_lines)),
        of(of(code())),
        of(of(language())),
        of(of(tags())),
        of(of(parameters())),
    );
    let label = || of(of(field::<Label>(4, in_line)));
    (first, label(), label(), of(of(tags()))).prop_map(
        |((name, description, code, language, tags, inputs), category, version, keywords)| {
            SkillPatch {
                name,
                description,
                code,
                language,
                tags,
                inputs,
                category,
                version,
                keywords,
                ..SkillPatch::default()
            }
        },
    )
}

/// Generates documents of all formats, with unknown keys.
fn document() -> impl Strategy<Value = String> {
    let known = proptest::sample::select(
        &[
            "---\r\n# first\r\nunknown: {a: [1, 'x'], b: ~} # why\r\n\r\nname: Old  # c\r\ntags: [a,\r\n  b]\r\nother: |+\r\n  text\r\n\r\n# last\r\n---\r\n\r\n# Skill: Old\r\n\r\n## Code\r\n```js\r\n1\r\n```\r\ntail",
            "\u{feff}---\n{unknown: 1.10, other: [yes, 2020-01-01, \"é\\u2028\"], name: x}\n---\nbody\n",
            "---\n  name: x\n  unknown: &u [1, {a: b}]\n  version: *u\n  other: *u\n...\n```\nopen",
            "---\nunknown: x\nother: >-\n  a\n\n  b\nname: \"a\n  b\"\nversion: 1.10\ninputs:\n- name: a\n  default: 007\noutputs: []\n---",
            "---\n? unknown\n: - 1\n  - 2\n? other\n: 'x'\n? [a, b]\n: c\n\"name\": n\n---\n",
            "---\nunknown: !!str 5\nother: !local {a: 1}\nname: 1\nname: 2\n---\n## code ##\n\n~~~~ py `x`\n  a\n~~~~\n## Code\n```\nb\n```\n",
        ][..],
    );
    prop_oneof![
        known.prop_map(str::to_owned),
        new_skill().prop_map(|skill| {
            let document = skill.into_document().unwrap();
            document.replacen("---\n", "---\nunknown: {a: 1}\nother: 'it''s'\n", 1)
        }),
    ]
}

fn unknown_values(text: &str) -> Vec<yaml::Node> {
    let document = document::Document::parse(text);
    let front_matter = document.front_matter.unwrap();
    ["unknown", "other"]
        .map(|key| front_matter.get(key).unwrap().clone())
        .into()
}

fn id() -> SkillId {
    SkillId::parse("an-id").unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn new_skill_parses_to_equal_values(skill in new_skill()) {
        let document = skill.clone().into_document().unwrap();
        let read = Skill::read(&document, &skill.id().id);
        prop_assert_eq!(&read.name, skill.name.as_str());
        prop_assert_eq!(&read.description, skill.description.as_str());
        prop_assert_eq!(read.code.as_deref(), skill.code.as_ref().map(Code::as_str));
        prop_assert_eq!(read.language.as_deref(), skill.language.as_ref().map(Language::as_str));
        let list = |tags: &Option<Tags>| tags.clone().unwrap_or_default().as_slice().to_vec();
        prop_assert_eq!(read.tags, list(&skill.tags));
        prop_assert_eq!(read.keywords, list(&skill.keywords));
        prop_assert_eq!(read.category.as_deref(), skill.category.as_ref().map(Label::as_str));
        prop_assert_eq!(read.execution_mode.as_deref(), skill.execution_mode.as_ref().map(Label::as_str));
        prop_assert_eq!(read.author.as_deref(), skill.author.as_ref().map(Label::as_str));
        prop_assert_eq!(read.warnings, Vec::<String>::new());
        prop_assert_eq!(check_document(document.as_bytes()), Ok(document.as_str()));
        prop_assert_eq!(id_of_document(&document), Some(skill.id()));
        // Some parsers end the front matter at the first `---`, even within a line.
        let front_matter = document.strip_prefix("---").and_then(|text| text.split("\n---\n").next());
        prop_assert_eq!(document.split("---").nth(1).map(|yaml| yaml.trim_end_matches('\n')), front_matter);
    }

    #[test]
    fn patch_sets_its_fields_and_keeps_all_others(document in document(), changes in proptest::collection::vec(change(), 1..4)) {
        let unknown = unknown_values(&document);
        let mut current = document;
        for change in changes {
            let before = Skill::read(&current, &id());
            let changed = change.apply(&current).map_err(|error| TestCaseError::fail(error.to_string()))?;
            prop_assert_eq!(&unknown_values(&changed), &unknown);
            prop_assert_eq!(&change.apply(&changed).unwrap(), &changed);
            let after = Skill::read(&changed, &id());
            let name = change.name.as_ref().map_or(before.name.as_str(), Name::as_str);
            prop_assert_eq!(&after.name, name);
            let description = change.description.as_ref().map_or(before.description.as_str(), Description::as_str);
            prop_assert_eq!(&after.description, description);
            match &change.code {
                Some(Some(code)) => prop_assert_eq!(after.code.as_deref(), Some(code.as_str())),
                Some(None) => prop_assert_eq!(&after.code, &None),
                None => prop_assert_eq!(&after.code, &before.code),
            }
            if let Some(Some(language)) = &change.language {
                prop_assert_eq!(after.language.as_deref(), Some(language.as_str()));
            }
            match &change.tags {
                Some(tags) => prop_assert_eq!(&after.tags[..], tags.as_ref().map_or(&[][..], Tags::as_slice)),
                None => prop_assert_eq!(&after.tags, &before.tags),
            }
            match &change.version {
                Some(version) => prop_assert_eq!(after.version.as_deref(), version.as_ref().map(Label::as_str)),
                None => prop_assert_eq!(&after.version, &before.version),
            }
            match &change.inputs {
                Some(inputs) => {
                    let expected = inputs.as_ref().map_or("[]", |inputs| inputs.as_raw().get());
                    prop_assert_eq!(after.inputs.get(), expected);
                }
                None => prop_assert_eq!(after.inputs.get(), before.inputs.get()),
            }
            current = changed;
        }
    }

    #[test]
    fn arbitrary_text_parses_without_panic(text in text(60)) {
        for text in [text.clone(), format!("---\n{text}\n---\n{text}")] {
            let skill = Skill::read(&text, &id());
            prop_assert!(serde_json::from_str::<serde_json::Value>(skill.inputs.get()).is_ok());
            let _ = (check_document(text.as_bytes()), id_of_document(&text), export(&text, &id()));
        }
    }

    #[test]
    fn mutated_document_parses_without_panic(document in document(), at in any::<proptest::sample::Index>(), length in 0..20_usize, piece in text(3), change in change()) {
        let characters: Vec<char> = document.chars().collect();
        let at = at.index(characters.len() + 1);
        let after = (at + length).min(characters.len());
        let mutated: String = characters[..at].iter().copied().chain(piece.chars()).chain(characters[after..].iter().copied()).collect();
        let skill = Skill::read(&mutated, &id());
        prop_assert!(serde_json::from_str::<serde_json::Value>(skill.inputs.get()).is_ok());
        let _ = export(&mutated, &id());
        if let Ok(changed) = change.apply(&mutated) {
            prop_assert_eq!(change.apply(&changed).unwrap(), changed);
        }
    }

    #[test]
    fn quoted_string_parses_to_itself(text in text(12)) {
        let quoted = yaml::quote(&text);
        let is_safe = !quoted.contains(['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}', '\u{202e}']) && !quoted.contains("---");
        prop_assert!(is_safe);
        for yaml in [quoted.clone(), format!("{quoted}: {quoted}"), format!("[{quoted}, {quoted}]")] {
            let node = yaml::parse(&yaml).unwrap().unwrap().node;
            let parts: Vec<&yaml::Node> = match &node.value {
                yaml::Value::Scalar { .. } => vec![&node],
                yaml::Value::Sequence(items) => items.iter().collect(),
                yaml::Value::Mapping(entries) => vec![&entries[0].0, &entries[0].1],
            };
            for part in parts {
                prop_assert_eq!(part.text(), Some(text.as_str()));
                prop_assert_eq!(part.resolved(), Some(yaml::Resolved::Text));
            }
        }
    }
}
