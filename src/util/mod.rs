//! Helpers that do not depend on sessions, skills or routes.

pub mod background;
pub mod bearer;
pub(crate) mod decimal;
pub mod diagnosis;
pub mod etag;
pub(crate) mod field_names;
pub mod hash;
pub mod host;
pub(crate) mod http_client;
pub(crate) mod invisible;
pub mod json;
pub mod log;
pub(crate) mod media_type;
pub mod metrics;
pub(crate) mod once_per_minute;
pub mod origin;
pub mod percent;
pub mod python_json;
pub(crate) mod schema;
pub mod secret;
pub mod signing;
pub(crate) mod surrogate;
pub mod time;
pub mod trace_parent;
pub(crate) mod unicode;
