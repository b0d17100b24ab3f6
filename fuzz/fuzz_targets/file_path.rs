//! File paths: a valid path stays in its volume, even if it is decoded repeatedly, and is recovered from its pathname.

#![no_main]

use libfuzzer_sys::fuzz_target;
use llmos::blob::paths;
use llmos::domain::file_path::{FilePath, MAX_PATH_BYTES, MAX_SEGMENT_BYTES};
use llmos::domain::volume::{Volume, VolumeId, VolumeKind};
use percent_encoding::percent_decode_str;

fuzz_target!(|text: &str| {
    if let Some((volume, path)) = paths::file_at(text) {
        let normal = paths::file(&volume, &path);
        assert_eq!(paths::file_at(&normal), Some((volume, path.clone())));
        check_path(path.as_str());
    }
    let Ok(path) = FilePath::parse(text) else {
        return;
    };
    check_path(path.as_str());
    // Normalisation is idempotent, so a stored path is found under its own name.
    assert_eq!(FilePath::parse(path.as_str()).as_ref(), Ok(&path));
    assert!(path.as_str().ends_with(path.file_name()) && !path.file_name().contains('/'));

    let volume = Volume::new(VolumeKind::User, VolumeId::default());
    let pathname = paths::file(&volume, &path);
    let name = pathname.strip_prefix(&paths::files(&volume));
    assert_eq!(name, Some(path.as_str()));
    let expected = paths::fits(&pathname).then_some((volume, path));
    assert_eq!(paths::file_at(&pathname), expected);
});

fn check_path(path: &str) {
    assert!((1..=MAX_PATH_BYTES).contains(&path.len()), "{path:?}");
    for segment in path.split('/') {
        assert!(segment.len() <= MAX_SEGMENT_BYTES, "{path:?}");
        let mut segment = segment.to_owned();
        loop {
            assert!(!["", ".", ".."].contains(&segment.as_str()), "{path:?}");
            assert!(!segment.contains(['/', '\\']), "{path:?}");
            assert!(!segment.chars().any(char::is_control), "{path:?}");
            let decoded = percent_decode_str(&segment)
                .decode_utf8_lossy()
                .into_owned();
            if decoded == segment {
                break;
            }
            segment = decoded;
        }
    }
}
