#![doc = include_str!("../ARCHITECTURE.md")]

// The floors of the crate, lowest first. A module imports from its own floor or from floors below.
pub mod util;

pub mod domain;

pub mod auth;
pub mod skill;

pub mod blob;
pub mod store;

pub mod config;

pub mod service;

pub mod app;
pub mod local;

pub mod http;

pub mod openapi;
pub mod vercel;
