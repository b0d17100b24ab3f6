//! The paths of resources, for `Location` headers.

use crate::domain::session::SessionId;
use crate::domain::volume::VolumeKind;
use crate::skill::SkillId;
use crate::util::percent::encode_path;

/// Returns the path of a session.
pub(crate) fn of_session(id: &SessionId) -> String {
    format!("/api/sessions/{id}")
}

/// Returns the path of a skill, with its volume.
pub(crate) fn of_skill(volume: VolumeKind, volume_id: &str, id: &SkillId) -> String {
    let path = format!("/api/skills/{}?", encode_path(id.as_str()));
    let start_of_query = path.len();
    form_urlencoded::Serializer::for_suffix(path, start_of_query)
        .append_pair("volume", volume.as_str())
        .append_pair("volume_id", volume_id)
        .finish()
}
