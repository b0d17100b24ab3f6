//! Where skills and files lie among the blobs, as the Python version laid them.

use std::fmt;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::domain::file_path::FilePath;
use crate::domain::volume::{Volume, VolumeId, VolumeKind};
use crate::skill::SkillId;

/// The longest pathname that the service takes, in characters.
const MAX_PATHNAME_CHARS: usize = 950;
/// How the name of a skill's document ends.
const DOCUMENT_SUFFIX: &str = ".md";

/// What a path keeps as it is in an address: what RFC 3986 leaves unreserved, and the slash.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'/');

/// What the pathnames of a volume's skills begin with.
pub fn skills(volume: &Volume) -> String {
    format!("{}skills/", root(volume))
}

/// The pathname of a skill's document.
pub fn skill(volume: &Volume, id: &SkillId) -> String {
    format!("{}{id}{DOCUMENT_SUFFIX}", skills(volume))
}

/// The skill whose document has this name below [`skills`]; `None` for what is no document.
pub fn skill_id(name: &str) -> Option<SkillId> {
    SkillId::parse(name.strip_suffix(DOCUMENT_SUFFIX)?)
}

/// What the pathnames of a volume's files begin with.
pub fn files(volume: &Volume) -> String {
    format!("{}files/", root(volume))
}

/// The pathname of a file.
pub fn file(volume: &Volume, path: &FilePath) -> String {
    format!("{}{path}", files(volume))
}

/// The volume and the path of the file with this pathname; `None` for what is none, or is not in normal form.
pub fn file_at(pathname: &str) -> Option<(Volume, FilePath)> {
    let mut parts = pathname.strip_prefix("volumes/")?.splitn(4, '/');
    let (volume, id) = (parts.next()?, parts.next()?);
    let volume = Volume {
        kind: VolumeKind::try_from(volume.to_owned()).ok()?,
        id: VolumeId::try_from(id.to_owned()).ok()?,
    };
    let path = parts.nth(1).and_then(|path| FilePath::parse(path).ok())?;
    let is_exact = file(&volume, &path) == pathname;
    let is_known = volume.kind != VolumeKind::System || volume == Volume::system();
    (is_exact && is_known && fits(pathname)).then_some((volume, path))
}

/// Whether the service takes a pathname of this length.
pub fn fits(pathname: &str) -> bool {
    pathname.chars().count() <= MAX_PATHNAME_CHARS
}

/// A path as it stands in an address.
pub fn encoded(path: &str) -> impl fmt::Display {
    utf8_percent_encode(path, PLAIN)
}

/// An id of a volume has no `/` and is no step, so nothing leaves its place.
fn root(volume: &Volume) -> String {
    format!("volumes/{volume}/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pathnames_of_files_are_read_as_such() {
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
            "volumes/user/default/files/cafe\u{301}",
        ] {
            assert_eq!(at(pathname), None, "{pathname}");
        }
    }
}
