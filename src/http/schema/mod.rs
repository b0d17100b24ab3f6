//! Vocabulary of the OpenAPI description: schemas, parameters and responses that several routes share.

pub(crate) mod parameters;
pub(crate) mod problem;
pub(crate) mod responses;
pub(crate) mod schemas;
