//! Skills: their ids, what their documents say, and how documents are read and written. No I/O.
//!
//! A skill is one markdown document with YAML front matter. Three kinds exist, and all are read:
//! - knowledge: `name`, `category`, `description`, `keywords`, and text;
//! - executable node: `skill_id`, `name`, `description`, `type`, `execution_mode`, `category`, `tags`,
//!   `version`, `author`, `inputs`, `outputs` and more, and code in a fence under `## Code`;
//! - what [`NewSkill`] writes: `name`, `description`, `language`, `tags`, and the code likewise.

mod agent_skills;
mod apply;
mod change;
mod check;
mod code;
mod document;
mod fence;
pub mod fields;
mod front_matter;
pub mod id;
mod lines;
mod new;
mod parts;
#[cfg(test)]
mod properties;
mod read;
mod schema;
mod values;
mod yaml;

pub use self::agent_skills::export;
pub use self::change::{ChangeError, SkillPatch};
pub use self::check::{check_document, id_of_document};
pub use self::fields::{Code, Description, Label, Language, Parameters, Tags};
pub use self::id::SkillId;
pub use self::new::NewSkill;
pub use self::read::Skill;

/// The largest document, in bytes.
pub const MAX_DOCUMENT_BYTES: usize = 1024 * 1024;
/// The largest front matter, in bytes; a larger one is not parsed.
pub const MAX_FRONT_MATTER_BYTES: usize = 64 * 1024;
