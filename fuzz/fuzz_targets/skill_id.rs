//! Skill ids: a valid id stays in its folder, and an id derived from a name is valid.

#![no_main]

use libfuzzer_sys::fuzz_target;
use llmos::blob::paths;
use llmos::domain::volume::Volume;
use llmos::skill::SkillId;
use llmos::skill::id::MAX_SKILL_ID_BYTES;

fuzz_target!(|text: &str| {
    check_slug(text);
    let Some(id) = SkillId::parse(text) else {
        return;
    };
    assert_eq!(id.as_str(), text);
    assert!(!text.is_empty() && text.len() <= MAX_SKILL_ID_BYTES);
    assert!(!text.contains(['/', '\0']) && text != "." && text != "..");
    // The normal form is a fixed point, and stays one segment.
    if let Some(normal) = id.normalized().filter(|id| id.as_str().len() <= MAX_SKILL_ID_BYTES) {
        assert!(normal.normalized().is_none() && SkillId::parse(normal.as_str()).is_some());
    }

    let volume = Volume::system();
    let pathname = paths::skill(&volume, &id);
    assert_eq!(pathname.split('/').count(), 5, "{pathname:?}");
    let name = pathname.strip_prefix(&paths::skills(&volume)).unwrap();
    assert_eq!(paths::skill_id(name), Some(id));
});

fn check_slug(name: &str) {
    let id = SkillId::from_name(name);
    assert!(id.is_strict(), "{id}");
    assert_eq!(SkillId::parse(id.as_str()).as_ref(), Some(&id));
    assert_eq!(SkillId::from_name(id.as_str()), id);
}
