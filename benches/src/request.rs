//! One kind of request, as `wrk` and the preparation send it.

use anyhow::{Context, Result};
use serde_json::Value;

/// A request.
#[derive(Clone, Debug)]
pub struct Request {
    pub method: &'static str,
    pub path: String,
    pub body: Option<String>,
    /// The token of the caller.
    pub token: Option<String>,
}

impl Request {
    pub fn get(path: impl Into<String>) -> Self {
        Self {
            method: "GET",
            path: path.into(),
            body: None,
            token: None,
        }
    }

    pub fn post(path: impl Into<String>, body: &Value) -> Self {
        Self {
            method: "POST",
            path: path.into(),
            body: Some(body.to_string()),
            token: None,
        }
    }

    /// Adds the token of the caller, where the server requires one.
    pub fn with_token(self, token: Option<String>) -> Self {
        Self { token, ..self }
    }

    /// Sends the request once and returns the body of the response.
    pub fn send(&self, base: &str) -> Result<String> {
        let url = format!("{base}{}", self.path);
        let token = self.token.as_deref().unwrap_or_default();
        let credentials = format!("Bearer {token}");
        let with_token = self.token.is_some();
        let mut response = match &self.body {
            Some(body) => {
                let request = ureq::post(&url).content_type("application/json");
                match with_token {
                    true => request.header("authorization", &credentials).send(body),
                    false => request.send(body),
                }
            }
            None if with_token => ureq::get(&url).header("authorization", &credentials).call(),
            None => ureq::get(&url).call(),
        }
        .with_context(|| format!("{} {}", self.method, self.path))?;
        Ok(response.body_mut().read_to_string()?)
    }
}
