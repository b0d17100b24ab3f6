//! Tests with other programs: Node, Chromium, Python, the Vercel CLI, faketime.
#![allow(clippy::unwrap_used, missing_docs, unreachable_pub)]

#[path = "../support/mod.rs"]
#[allow(dead_code, unused_imports, reason = "each test binary uses a part")]
mod support;
#[path = "../workload/mod.rs"]
mod workload;

// libtest starts tests in the alphabetical order of their names. The Vercel CLI compiles the functions for minutes,
// so its test has to start first: then it runs beside all others, and not alone at the end.
#[path = "vercel.rs"]
mod a_vercel;

mod agent_skills;
mod browser_uploads;
mod chat_clients;
mod chat_service;
mod chromium;
mod console;
mod contract;
mod docs;
mod fault_workloads;
mod local_model;
mod model_wires;
mod official_client;
mod types;
mod ui_stream;
