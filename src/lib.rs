#![doc = include_str!("../ARCHITECTURE.md")]

// The floors of the crate, lowest first. A module imports from its own floor or from floors below.

// Helpers: JSON, time, hashes, secrets, origins, the HTTP client, metrics, logging.
pub mod util;

// Value types: sessions, messages, volumes, callers, rate limits. No I/O.
pub mod domain;

// Authentication: credentials to a caller.
pub mod auth;
// The format of skill documents: parse, edit, write.
pub mod skill;

// The client of Vercel Blob.
pub mod blob;
// The clients of language models.
pub mod provider;
// Sessions, messages and cached skills in Redis.
pub mod store;

// Configuration from the environment.
pub mod config;

// Operations on sessions, skills and files, without HTTP.
pub mod service;

// Local development: private storage, startup banner, reports.
pub mod local;

// Configuration and clients, and the services of a request.
pub mod app;

// The HTTP API: routes, extractors, middleware, errors.
pub mod http;

// The OpenAPI description of the API.
pub mod openapi;
// Runs a router as a Vercel function.
pub mod vercel;
