#![doc = include_str!("../ARCHITECTURE.md")]

// In reading order: what there is, where it is kept, how it is served.
pub mod caller;
pub mod digest;
pub mod file_path;
pub mod json;
pub mod message;
pub mod metadata;
pub mod name;
pub mod origin;
pub mod python_json;
pub mod rate_limit;
pub mod session;
pub mod skill;
pub mod volume;

pub mod app;
pub mod auth;
pub mod blob;
pub mod config;
pub mod diagnosis;
pub mod error;
pub mod meter;
pub(crate) mod outgoing;
pub mod samples;
pub mod skill_samples;
pub mod store;

pub mod catalog;

pub mod http;
pub mod local;
pub mod openapi;
pub mod serve;
