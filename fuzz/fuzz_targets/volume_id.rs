//! Volumes and their ids: what is one is one part of a key and of a pathname.

#![no_main]

use libfuzzer_sys::fuzz_target;
use llmos::blob::paths;
use llmos::domain::file_path::FilePath;
use llmos::domain::volume::{MAX_VOLUME_ID_CHARS, VolumeKind, VolumeId, Volume};

fuzz_target!(|text: &str| {
    if let Ok(volume) = VolumeKind::try_from(text.to_owned()) {
        assert_eq!(volume.as_str(), text);
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

    for volume in [VolumeKind::User, VolumeKind::Team] {
        let volume = Volume {
            volume,
            id: id.clone(),
        };
        let path = FilePath::parse("a/b").unwrap();
        let pathname = paths::file(&volume, &path);
        assert_eq!(pathname.split('/').count(), 6, "{pathname:?}");
        assert_eq!(paths::file_at(&pathname), Some((volume, path)));
    }
});
