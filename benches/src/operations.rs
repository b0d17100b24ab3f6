//! What is measured: five operations on sessions and messages, and the data that they are about.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::server::Server;

/// How many sessions the volume holds that pages are read from, and messages the session that is read.
pub const SESSIONS: usize = 1_000;
pub const MESSAGES: usize = 1_000;
/// How long a message is that is appended, in bytes.
pub const CONTENT_BYTES: usize = 200;

pub const CREATE: &str = "create";
pub const FIND: &str = "get, 20 messages";
pub const APPEND: &str = "append";
pub const MESSAGES_READ: &str = "messages, latest 20";
pub const LIST: &str = "list, page of 20";

/// One kind of request.
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

    fn post(path: impl Into<String>, body: &Value) -> Self {
        Self {
            method: "POST",
            path: path.into(),
            body: Some(body.to_string()),
        }
    }

    /// Sends it once; the answer's text.
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

/// The five, as they are asked of one server.
#[derive(Debug)]
pub struct Operations {
    pub create: Request,
    pub find: Request,
    pub append: Request,
    pub messages: Request,
    pub list: Request,
}

impl Operations {
    /// Writes what is read, through the server's own API, into volumes of its own.
    pub fn prepare(server: &Server) -> Result<Self> {
        let volume = |purpose: &str| format!("{purpose}-{}", server.kind.slug());
        let create = |purpose: &str| {
            let body = json!({"name": "Measured", "volume": "user", "initial_message": "Hello!"});
            Request::post(
                format!("/api/sessions?volume_id={}", volume(purpose)),
                &body,
            )
        };
        let append = |id: &str| {
            let body = json!({"role": "user", "content": "x".repeat(CONTENT_BYTES)});
            Request::post(format!("/api/sessions/{id}/messages"), &body)
        };
        let mut id = String::new();
        for _ in 0..SESSIONS {
            id = created_id(&create("listed").send(&server.base)?)?;
        }
        // The first message came with the session.
        for _ in 1..MESSAGES {
            append(&id).send(&server.base)?;
        }
        let appended = created_id(&create("appended").send(&server.base)?)?;
        Ok(Self {
            create: create("created"),
            find: Request::get(format!("/api/sessions/{id}?messages=20")),
            append: append(&appended),
            messages: Request::get(format!("/api/sessions/{id}/messages?limit=20")),
            list: Request::get(format!(
                "/api/sessions?volume=user&volume_id={}&limit=20",
                volume("listed")
            )),
        })
    }

    /// All of them, with what they are called.
    pub fn all(&self) -> [(&'static str, &Request); 5] {
        [
            (CREATE, &self.create),
            (FIND, &self.find),
            (APPEND, &self.append),
            (MESSAGES_READ, &self.messages),
            (LIST, &self.list),
        ]
    }
}

fn created_id(answer: &str) -> Result<String> {
    let answer: Value = serde_json::from_str(answer)?;
    let id = answer["id"].as_str().context("a session without an id")?;
    ensure!(id.starts_with("sess_"), "malformed session id: {id}");
    Ok(id.to_owned())
}
