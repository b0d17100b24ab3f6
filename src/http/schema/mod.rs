//! Building blocks of the OpenAPI descriptions that several routes share: parameters, errors, and responses.

pub(crate) mod parameters;
pub(crate) mod problem;
pub(crate) mod responses;
