//! The model server of `make model`, which the local server uses without configuration.

use std::sync::OnceLock;
use std::time::Duration;

use serde::Deserialize;
use tokio::time::timeout;

use super::http::Http;
use super::name::is_model_name;

/// The address of the server.
pub const LOCAL_MODEL_URL: &str = "http://127.0.0.1:11435";
/// The time limit of the search. The server is on the same machine.
const SEARCH_LIMIT: Duration = Duration::from_millis(200);
/// The part of its response that is read, in bytes.
const MAX_BYTES: usize = 4096;

/// A server on this machine that may be started and stopped at any time.
#[derive(Debug)]
pub struct LocalModel {
    url: String,
    /// The model, once the server was found.
    model: OnceLock<String>,
}

/// The response of `GET /health`.
#[derive(Deserialize)]
struct Health {
    model: String,
}

impl LocalModel {
    /// Returns the server at an address, such as [`LOCAL_MODEL_URL`], before any search.
    pub fn new(url: String) -> Self {
        Self {
            url,
            model: OnceLock::new(),
        }
    }

    /// Returns the address.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Returns the model, if the server was found.
    pub(super) fn model(&self) -> Option<&str> {
        self.model.get().map(String::as_str)
    }

    /// Asks the server for its model, unless it was found before.
    pub(super) async fn find(&self, http: &Http) {
        if self.model().is_none()
            && let Ok(Some(model)) = timeout(SEARCH_LIMIT, self.ask(http)).await
        {
            // Another request may have found it meanwhile.
            let _ = self.model.set(model);
        }
    }

    async fn ask(&self, http: &Http) -> Option<String> {
        let request = http.get().ok()?.get(format!("{}/health", self.url));
        let mut response = request.send().await.ok()?.error_for_status().ok()?;
        let mut body = Vec::new();
        while let Some(bytes) = response.chunk().await.ok()? {
            body.extend_from_slice(&bytes);
            if body.len() > MAX_BYTES {
                return None;
            }
        }
        let health: Health = serde_json::from_slice(&body).ok()?;
        is_model_name(&health.model).then_some(health.model)
    }
}
