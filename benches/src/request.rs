//! One kind of request, as `wrk` and the preparation send it.

use anyhow::{Context, Result};
use serde_json::Value;

/// A request.
#[derive(Clone, Debug)]
pub struct Request {
    pub method: &'static str,
    pub path: String,
    pub body: Option<String>,
}

impl Request {
    pub fn get(path: impl Into<String>) -> Self {
        Self {
            method: "GET",
            path: path.into(),
            body: None,
        }
    }

    pub fn post(path: impl Into<String>, body: &Value) -> Self {
        Self {
            method: "POST",
            path: path.into(),
            body: Some(body.to_string()),
        }
    }

    /// Sends the request once and returns the body of the response.
    pub fn send(&self, base: &str) -> Result<String> {
        let url = format!("{base}{}", self.path);
        let mut response = match &self.body {
            Some(body) => ureq::post(&url).content_type("application/json").send(body),
            None => ureq::get(&url).call(),
        }
        .with_context(|| format!("{} {}", self.method, self.path))?;
        Ok(response.body_mut().read_to_string()?)
    }
}
