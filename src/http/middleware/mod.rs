//! Middleware around every route.

pub(crate) mod cors;
pub(crate) mod cross_site;
pub(crate) mod embedding;
pub(crate) mod preflight;
pub(crate) mod render_errors;
pub(crate) mod request_log;

mod log_line;
mod logged_body;
mod request_id;
mod response_headers;
