//! Responses that are written member by member: text that is already JSON is copied, not parsed.

use std::io::Write;

use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// A JSON object that is being written. The names of its members must not need escapes. Serialization of its values
/// must not fail, as of structs and of maps with string keys.
pub(crate) struct ObjectWriter {
    text: Vec<u8>,
}

impl ObjectWriter {
    /// Returns an empty object, with capacity for a text of `bytes` bytes.
    pub(crate) fn with_capacity(bytes: usize) -> Self {
        let mut text = Vec::with_capacity(bytes);
        text.push(b'{');
        Self { text }
    }

    /// Begins the object with the members of a struct, which must have at least one.
    pub(crate) fn begin_with(&mut self, value: &impl Serialize) {
        self.text.clear();
        self.write(value);
        self.text.pop();
    }

    /// Adds a member.
    pub(crate) fn add(&mut self, name: &str, value: &impl Serialize) {
        self.name(name);
        self.write(value);
    }

    /// Adds a member that `write` writes as JSON.
    pub(crate) fn add_with(&mut self, name: &str, write: impl FnOnce(&mut Vec<u8>)) {
        self.name(name);
        write(&mut self.text);
    }

    /// Adds an array whose items `write` writes as JSON.
    pub(crate) fn add_array<T>(&mut self, name: &str, items: &[T], write: fn(&T, &mut Vec<u8>)) {
        self.name(name);
        self.text.push(b'[');
        for (index, item) in items.iter().enumerate() {
            if index > 0 {
                self.text.push(b',');
            }
            write(item, &mut self.text);
        }
        self.text.push(b']');
    }

    fn name(&mut self, name: &str) {
        let comma = if self.text == b"{" { "" } else { "," };
        let _ = write!(self.text, "{comma}\"{name}\":");
    }

    fn write(&mut self, value: &impl Serialize) {
        serde_json::to_writer(&mut self.text, value)
            .expect("a struct with string keys is always JSON");
    }
}

impl IntoResponse for ObjectWriter {
    fn into_response(mut self) -> Response {
        self.text.push(b'}');
        let json = HeaderValue::from_static("application/json");
        ([(header::CONTENT_TYPE, json)], self.text).into_response()
    }
}
