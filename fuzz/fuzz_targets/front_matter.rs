//! Skill documents: every document is parsed, a written document parses to the same values, and a change affects only
//! the named fields.
//!
//! An input is a document and a patch or a new skill in JSON, separated by a NUL.

#![no_main]

use libfuzzer_sys::fuzz_target;
use llmos::domain::name::Name;
use llmos::skill::{
    Code, Description, Label, Language, MAX_FRONT_MATTER_BYTES, NewSkill, Parameters, Skill,
    SkillId, SkillPatch, Tags, check_document, export, id_of_document,
};
use llmos::util::json;
use llmos_fuzz::halves;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::value::RawValue;

fuzz_target!(|input: &[u8]| {
    let (document, json) = halves(input).unwrap_or((input, b""));
    let checked = check_document(document);
    let Ok(document) = std::str::from_utf8(document) else {
        assert!(checked.is_err());
        return;
    };
    let skill = read(document);
    if checked.is_ok() {
        assert_eq!(checked, Ok(document));
        assert!(id_of_document(document).unwrap().id.is_strict());
    }
    check_export(document, &skill);
    if let Some(change) = parse::<SkillPatch>(json) {
        check_change(document, &skill, &change);
    }
    if let Some(new) = parse::<NewSkill>(json) {
        check_new(&new);
    }
});

fn parse<T: DeserializeOwned>(json: &[u8]) -> Option<T> {
    json::check(json, 64).ok()?;
    serde_json::from_slice(json).ok()
}

fn id() -> SkillId {
    SkillId::parse("an-id").unwrap()
}

/// Parses a document, which never fails, and checks that the skill survives serialisation.
fn read(document: &str) -> Skill {
    let skill = Skill::read(document, &id());
    let text = serde_json::to_string(&skill).unwrap();
    let again: Skill = serde_json::from_str(&text).unwrap();
    assert_eq!(serde_json::to_string(&again).unwrap(), text);
    for parameters in [&skill.inputs, &skill.outputs] {
        let parameters: Vec<Value> = serde_json::from_str(parameters.get()).unwrap();
        assert!(parameters.iter().all(Value::is_object));
    }
    skill
}

fn check_export(document: &str, skill: &Skill) {
    let exported = export(document, &id());
    // The service rejects documents with NUL. With many escaped characters, the export can exceed the limit.
    if exported.len() > MAX_FRONT_MATTER_BYTES || document.contains('\0') {
        return;
    }
    assert_eq!(check_document(exported.as_bytes()), Ok(&*exported));
    assert_eq!(id_of_document(&exported).map(|new| new.id), Some(id()));
    let read = Skill::read(&exported, &id());
    assert_eq!(read.name, "an-id");
    assert!(!read.description.trim().is_empty());
    assert_eq!(read.code, skill.code);
    assert_eq!(export(&exported, &id()), exported);
}

fn check_new(new: &NewSkill) {
    let Ok(document) = new.clone().into_document() else {
        return;
    };
    assert_eq!(check_document(document.as_bytes()), Ok(&*document));
    let id = id_of_document(&document).unwrap().id;
    assert!(new.id.is_some() || id == new.id().id);
    let skill = Skill::read(&document, &id);
    assert_eq!(skill.name, new.name.as_str());
    assert_eq!(skill.description, new.description.as_str());
    assert_eq!(skill.code.as_deref(), new.code.as_ref().map(Code::as_str));
    let language = new.language.as_ref().map(Language::as_str);
    assert_eq!(skill.language.as_deref(), language);
    assert_eq!(skill.tags, new.tags.clone().unwrap_or_default().as_slice());
    assert_eq!(skill.warnings, [""; 0]);
}

fn check_change(document: &str, before: &Skill, change: &SkillPatch) {
    let Ok(changed) = change.apply(document) else {
        return;
    };
    if change.is_empty() {
        assert_eq!(changed, document);
    }
    assert_eq!(change.apply(&changed).unwrap(), changed);
    let after = read(&changed);

    let name = change.name.as_ref().map(Name::as_str);
    assert_eq!(after.name, name.unwrap_or(&before.name));
    let description = change.description.as_ref().map(Description::as_str);
    assert_eq!(
        after.description,
        description.unwrap_or(&before.description)
    );
    check_text(&change.code, Code::as_str, &before.code, &after.code);
    // Without `language`, the document has the language of its code block, which the patch can remove.
    if let Some(Some(language)) = &change.language {
        assert_eq!(after.language.as_deref(), Some(Language::as_str(language)));
    }
    for (change, before, after) in [
        (&change.category, &before.category, &after.category),
        (&change.version, &before.version, &after.version),
        (&change.author, &before.author, &after.author),
        (&change.r#type, &before.r#type, &after.r#type),
        (
            &change.execution_mode,
            &before.execution_mode,
            &after.execution_mode,
        ),
    ] {
        check_text(change, Label::as_str, before, after);
    }
    check_tags(&change.tags, &before.tags, &after.tags);
    check_tags(&change.keywords, &before.keywords, &after.keywords);
    check_parameters(&change.inputs, &before.inputs, &after.inputs);
    check_parameters(&change.outputs, &before.outputs, &after.outputs);
    assert_eq!(after.created_at, before.created_at);
}

fn check_text<T>(
    change: &Option<Option<T>>,
    as_str: fn(&T) -> &str,
    before: &Option<String>,
    after: &Option<String>,
) {
    match change {
        Some(change) => assert_eq!(after.as_deref(), change.as_ref().map(as_str)),
        None => assert_eq!(after, before),
    }
}

fn check_tags(change: &Option<Option<Tags>>, before: &[String], after: &[String]) {
    match change {
        Some(change) => assert_eq!(after, change.as_ref().map_or(&[][..], Tags::as_slice)),
        None => assert_eq!(after, before),
    }
}

fn check_parameters(change: &Option<Option<Parameters>>, before: &RawValue, after: &RawValue) {
    match change {
        Some(Some(change)) => assert_eq!(value(after), value(change.as_raw())),
        Some(None) => assert_eq!(after.get(), "[]"),
        None => assert_eq!(after.get(), before.get()),
    }
}

fn value(raw: &RawValue) -> Value {
    serde_json::from_str(raw.get()).unwrap()
}
