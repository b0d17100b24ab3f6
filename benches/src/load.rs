//! Load by `wrk`: requests of one kind for one second, as many as the server can answer.

use std::io::Write;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use tempfile::NamedTempFile;

use crate::request::Request;

const SCRIPT: &str = include_str!("wrk.lua");

/// The figures of wrk.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    pub requests: u64,
    pub per_second: f64,
    pub p50_micros: u64,
    pub p99_micros: u64,
}

/// The load generator.
pub struct Wrk {
    script: NamedTempFile,
}

impl Wrk {
    pub fn new() -> Result<Self> {
        let mut script = NamedTempFile::new()?;
        script.write_all(SCRIPT.as_bytes())?;
        Ok(Self { script })
    }

    /// Sends `request` on `connections` connections for a second.
    ///
    /// # Errors
    /// If a response is missing or not a 2xx.
    pub fn run(&self, base: &str, request: &Request, connections: u32) -> Result<Load> {
        let output = Command::new("wrk")
            .args(["--threads", "1", "--duration", "1s", "--timeout", "5s"])
            .args(["--connections", &connections.to_string()])
            .arg("--script")
            .arg(self.script.path())
            .arg(format!("{base}{}", request.path))
            .args(["--", request.method])
            .arg(request.body.as_deref().unwrap_or_default())
            .args(&request.token)
            .output()
            .context("wrk is not installed: run `make bench`, which installs it")?;
        let text = String::from_utf8_lossy(&output.stdout);
        let found = text.lines().rev().find(|line| line.starts_with('{'));
        let found: Value = serde_json::from_str(
            found.with_context(|| format!("wrk printed no figures: {text}"))?,
        )?;
        let number = |name: &str| {
            found[name]
                .as_u64()
                .with_context(|| format!("wrk printed no {name}"))
        };
        let (requests, micros) = (number("requests")?, number("micros")?);
        ensure!(
            number("errors")? == 0 && requests > 0,
            "{} {} on {connections} connections: {found}",
            request.method,
            request.path
        );
        Ok(Load {
            requests,
            per_second: requests as f64 / micros as f64 * 1e6,
            p50_micros: number("p50")?,
            p99_micros: number("p99")?,
        })
    }
}
