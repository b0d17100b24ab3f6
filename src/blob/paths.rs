//! Where skills and files lie among the blobs, as the Python version laid them.

use crate::file_path::FilePath;
use crate::skill::SkillId;
use crate::volume::VolumeRef;

/// How the name of a skill's document ends.
const DOCUMENT_SUFFIX: &str = ".md";

/// What the pathnames of a volume's skills begin with.
pub fn skills(volume: &VolumeRef) -> String {
    format!("{}skills/", root(volume))
}

/// The pathname of a skill's document.
pub fn skill(volume: &VolumeRef, id: &SkillId) -> String {
    format!("{}{id}{DOCUMENT_SUFFIX}", skills(volume))
}

/// The skill whose document has this name below [`skills`]; `None` for what is no document.
pub fn skill_id(name: &str) -> Option<SkillId> {
    SkillId::parse(name.strip_suffix(DOCUMENT_SUFFIX)?)
}

/// What the pathnames of a volume's files begin with.
pub fn files(volume: &VolumeRef) -> String {
    format!("{}files/", root(volume))
}

/// The pathname of a file.
pub fn file(volume: &VolumeRef, path: &FilePath) -> String {
    format!("{}{path}", files(volume))
}

/// An id of a volume has no `/` and is no step, so nothing leaves its place.
fn root(volume: &VolumeRef) -> String {
    format!("volumes/{}/{}/", volume.volume.as_str(), volume.id.as_str())
}
