//! Pathnames of skills and files, in the layout of the Python version.

use crate::domain::file_path::{FilePath, StoredPath};
use crate::domain::volume::{Volume, VolumeId, VolumeKind};
use crate::skill::SkillId;
use crate::util::unicode::to_nfc;

/// The longest pathname that the service accepts, in characters.
const MAX_PATHNAME_CHARS: usize = 950;
/// The extension of a skill's document.
const DOCUMENT_SUFFIX: &str = ".md";

/// Returns the prefix of the skills of a volume.
pub fn skills(volume: &Volume) -> String {
    format!("{}skills/", root(volume))
}

/// Returns the pathname of a skill's document.
pub fn skill(volume: &Volume, id: &SkillId) -> String {
    format!("{}{id}{DOCUMENT_SUFFIX}", skills(volume))
}

/// Returns the id of the skill whose document has this name below [`skills`]; `None` for other names.
pub fn skill_id(name: &str) -> Option<SkillId> {
    SkillId::parse(name.strip_suffix(DOCUMENT_SUFFIX)?)
}

/// Returns the prefix of the files of a volume.
pub fn files(volume: &Volume) -> String {
    format!("{}files/", root(volume))
}

/// Returns the pathname of a file.
pub fn file(volume: &Volume, path: &FilePath) -> String {
    format!("{}{path}", files(volume))
}

/// Returns the pathname of a file that any program may have stored.
pub fn stored_file(volume: &Volume, path: &StoredPath) -> String {
    format!("{}{path}", files(volume))
}

/// Returns the volume and the path of the file with this pathname, in any Unicode normal form; `None` if it is not the
/// pathname of a file.
pub fn file_at(pathname: &str) -> Option<(Volume, FilePath)> {
    let mut parts = pathname.strip_prefix("volumes/")?.splitn(4, '/');
    let (volume, id) = (parts.next()?, parts.next()?);
    let volume = Volume {
        kind: VolumeKind::try_from(volume.to_owned()).ok()?,
        id: VolumeId::try_from(id.to_owned()).ok()?,
    };
    let path = parts.nth(1).and_then(|path| FilePath::parse(path).ok())?;
    let normal = file(&volume, &path);
    let is_exact = to_nfc(pathname) == normal;
    let is_known = volume.kind != VolumeKind::System || volume == Volume::system();
    (is_exact && is_known && fits(&normal)).then_some((volume, path))
}

/// Returns whether the service accepts a pathname of this length.
pub fn fits(pathname: &str) -> bool {
    pathname.chars().count() <= MAX_PATHNAME_CHARS
}

/// Returns the prefix of a volume. A volume id contains no `/` and is neither `.` nor `..`, so pathnames cannot leave
/// their volume.
fn root(volume: &Volume) -> String {
    format!("volumes/{volume}/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_normal_pathnames_of_files_are_parsed() {
        let at = |pathname| file_at(pathname).map(|(volume, path)| file(&volume, &path));
        let pathname = "volumes/user/a@b.c/files/notes/plan.md";
        assert_eq!(at(pathname).as_deref(), Some(pathname));
        for pathname in [
            "",
            "plan.md",
            "volumes/user/default/files/",
            "volumes/user/default/files/../x",
            "volumes/user/default/files/a//b",
            "volumes/user/default/skills/x.md",
            "volumes/user/../files/x",
            "volumes/other/default/files/x",
            "volumes/system/other/files/x",
            "/volumes/user/default/files/x",
        ] {
            assert_eq!(at(pathname), None, "{pathname}");
        }
        assert_eq!(
            at("volumes/user/default/files/cafe\u{301}").as_deref(),
            Some("volumes/user/default/files/caf\u{e9}")
        );
    }
}
