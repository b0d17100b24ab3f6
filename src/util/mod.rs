//! Helpers that know nothing of sessions, skills or HTTP routes.

pub mod diagnosis;
pub mod hash;
pub(crate) mod http_client;
pub mod json;
pub mod log;
pub mod metrics;
pub mod origin;
pub mod python_json;
pub mod secret;
pub mod time;
pub mod trace_parent;
