//! Middleware around every route.

pub(crate) mod cors;
pub(crate) mod cross_site;
pub(crate) mod request_log;
