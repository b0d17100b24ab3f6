//! Documents as the Agent Skills specification (agentskills.io) wants them.

use super::SkillId;

/// The document as the Agent Skills specification wants it, for a folder of the name that it gives itself.
pub fn export(document: &str, id: &SkillId) -> String {
    let _ = id;
    document.to_owned()
}
