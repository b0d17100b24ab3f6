//! Volumes and their ids: a valid id is one segment of a key and of a pathname.

#![no_main]

use libfuzzer_sys::fuzz_target;
use llmos::blob::paths;
use llmos::domain::file_path::FilePath;
use llmos::domain::volume::{MAX_VOLUME_ID_CHARS, Volume, VolumeId, VolumeKind};

fuzz_target!(|text: &str| {
    if let Ok(kind) = VolumeKind::try_from(text.to_owned()) {
        assert_eq!(kind.as_str(), text);
    }
    let in_json = serde_json::from_value::<VolumeId>(text.into()).ok();
    let Ok(id) = VolumeId::try_from(text.to_owned()) else {
        assert_eq!(in_json, None);
        return;
    };
    assert_eq!(in_json.as_ref(), Some(&id));
    assert_eq!(id.as_str(), text);
    assert!(!text.is_empty() && text.len() <= MAX_VOLUME_ID_CHARS);
    assert!(!text.contains(['/', ':', '\\', '%', '\0']) && text.is_ascii());
    assert!(text != "." && text != "..");

    for kind in [VolumeKind::User, VolumeKind::Team] {
        let volume = Volume::new(kind, id.clone());
        let path = FilePath::parse("a/b").unwrap();
        let pathname = paths::file(&volume, &path);
        assert_eq!(pathname.split('/').count(), 6, "{pathname:?}");
        assert_eq!(paths::file_at(&pathname), Some((volume, path)));
    }
});
