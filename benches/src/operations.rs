//! The measured operations on sessions and messages, and their data.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::request::Request;
use crate::server::Server;

/// The number of sessions in the volume of the list.
pub const SESSIONS: usize = 1_000;
/// The number of messages in the session that is read.
pub const MESSAGES: usize = 1_000;
/// The length of an appended message, in bytes.
pub const CONTENT_BYTES: usize = 200;

pub const CREATE: &str = "create";
pub const FIND: &str = "get, 20 messages";
pub const APPEND: &str = "append";
pub const MESSAGES_READ: &str = "messages, latest 20";
pub const LIST: &str = "list, page of 20";

/// The responses of the ceiling with Redis: a small value, and values of the size of two responses of the API.
pub const CEILINGS: [&str; 3] = ["100 bytes", "bytes of get", "bytes of messages"];

/// The requests of the operations to one server.
#[derive(Debug)]
pub struct Operations {
    pub create: Request,
    pub find: Request,
    pub append: Request,
    pub messages: Request,
    pub list: Request,
}

impl Operations {
    /// Writes the data through the server's API, into volumes of this server.
    pub fn prepare(server: &Server) -> Result<Self> {
        let volume = |purpose: &str| format!("{purpose}-{}", server.kind.slug());
        let token = || {
            server
                .kind
                .token(&["listed", "appended", "created"].map(volume))
        };
        let create = |purpose: &str| {
            let body = json!({"name": "Measured", "volume": "team", "initial_message": "Hello!"});
            let path = format!("/api/sessions?volume_id={}", volume(purpose));
            Request::post(path, &body).with_token(token())
        };
        let append = |id: &str| {
            let body = json!({"role": "user", "content": "x".repeat(CONTENT_BYTES)});
            Request::post(format!("/api/sessions/{id}/messages"), &body).with_token(token())
        };
        let mut id = String::new();
        for _ in 0..SESSIONS {
            id = created_id(&create("listed").send(&server.base)?)?;
        }
        // The session was created with its first message.
        for _ in 1..MESSAGES {
            append(&id).send(&server.base)?;
        }
        let appended = created_id(&create("appended").send(&server.base)?)?;
        Ok(Self {
            create: create("created"),
            find: Request::get(format!("/api/sessions/{id}?messages=20")).with_token(token()),
            append: append(&appended),
            messages: Request::get(format!("/api/sessions/{id}/messages?limit=20"))
                .with_token(token()),
            list: Request::get(format!(
                "/api/sessions?volume=team&volume_id={}&limit=20",
                volume("listed")
            ))
            .with_token(token()),
        })
    }

    /// Returns all operations with their names.
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

fn created_id(response: &str) -> Result<String> {
    let response: Value = serde_json::from_str(response)?;
    let id = response["id"].as_str().context("the session has no id")?;
    ensure!(id.starts_with("sess_"), "malformed session id: {id}");
    Ok(id.to_owned())
}
