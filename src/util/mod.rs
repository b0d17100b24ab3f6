//! Helpers that know nothing of sessions, skills or HTTP routes.

pub mod diagnosis;
pub mod hash;
pub(crate) mod http_client;
pub mod json;
pub(crate) mod media_type;
pub mod metrics;
pub mod origin;
pub mod python_json;
pub(crate) mod schema;
pub mod secret;
pub mod time;
