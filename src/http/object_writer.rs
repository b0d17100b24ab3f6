//! An answer that is written member by member, so that what is JSON already goes in as it is.

use std::io::Write;

use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// A JSON object that is being written. The names of its members need no escapes, and its values are our own
/// types, whose keys are strings: those cannot fail.
pub(crate) struct ObjectWriter {
    text: Vec<u8>,
}

impl ObjectWriter {
    /// An empty object, with room for a text of so many bytes.
    pub(crate) fn with_capacity(bytes: usize) -> Self {
        let mut text = Vec::with_capacity(bytes);
        text.push(b'{');
        Self { text }
    }

    /// Adds all members of a struct that has some, as the first ones.
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

    /// Adds an array of what writes itself as JSON.
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
