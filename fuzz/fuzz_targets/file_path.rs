//! Paths of files: what is one stays below its volume, however often it is decoded, and comes back from its
//! pathname.

#![no_main]

use libfuzzer_sys::fuzz_target;
use llmos::blob::paths;
use llmos::domain::file_path::{FilePath, MAX_PART_BYTES, MAX_PATH_BYTES};
use llmos::domain::volume::{VolumeKind, VolumeId, Volume};
use percent_encoding::percent_decode_str;

fuzz_target!(|text: &str| {
    if let Some((volume, path)) = paths::file_at(text) {
        assert_eq!(paths::file(&volume, &path), text);
        check_path(path.as_str());
    }
    let Ok(path) = FilePath::parse(text) else {
        return;
    };
    check_path(path.as_str());
    // Normal, so that it is found again under the name that it was stored under.
    assert_eq!(FilePath::parse(path.as_str()).as_ref(), Ok(&path));
    assert!(path.as_str().ends_with(path.file_name()) && !path.file_name().contains('/'));

    let volume = Volume {
        volume: VolumeKind::User,
        id: VolumeId::default(),
    };
    let pathname = paths::file(&volume, &path);
    let name = pathname.strip_prefix(&paths::files(&volume));
    assert_eq!(name, Some(path.as_str()));
    let expected = paths::fits(&pathname).then_some((volume, path));
    assert_eq!(paths::file_at(&pathname), expected);
});

fn check_path(path: &str) {
    assert!((1..=MAX_PATH_BYTES).contains(&path.len()), "{path:?}");
    for part in path.split('/') {
        assert!(part.len() <= MAX_PART_BYTES, "{path:?}");
        let mut part = part.to_owned();
        loop {
            assert!(!["", ".", ".."].contains(&part.as_str()), "{path:?}");
            assert!(!part.contains(['/', '\\']), "{path:?}");
            assert!(!part.chars().any(char::is_control), "{path:?}");
            let decoded = percent_decode_str(&part).decode_utf8_lossy().into_owned();
            if decoded == part {
                break;
            }
            part = decoded;
        }
    }
}
