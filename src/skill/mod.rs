//! Skills: ids, and parsing, editing and writing of skill documents. No I/O.
//!
//! A skill is a Markdown document with YAML front matter. Three formats are supported:
//! - knowledge: `name`, `category`, `description`, `keywords`, and a body;
//! - executable node: `skill_id`, `name`, `description`, `type`, `execution_mode`, `category`, `tags`,
//!   `version`, `author`, `inputs`, `outputs` and more, and a fenced code block under `## Code`;
//! - the format of [`NewSkill`]: `name`, `description`, `language`, `tags`, and a code block under `## Code`.

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
mod lost_text;
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
pub use self::id::{ChosenId, NewId, SkillId};
pub use self::new::NewSkill;
pub use self::read::Skill;

/// The maximum size of a document, in bytes.
pub const MAX_DOCUMENT_BYTES: usize = 1024 * 1024;
/// The maximum size of front matter, in bytes; larger front matter is not parsed.
pub const MAX_FRONT_MATTER_BYTES: usize = 64 * 1024;
