//! An answer as an event stream of the AI SDK.
//!
//! Each chunk is one `data:` line. The last chunk of an entry of the log has the id of the entry, so that a client goes on
//! behind a whole entry. The body ends only after the last entry; before that, the connection is aborted.

use std::fmt::Write;

use axum::body::{Body, Bytes};
use axum::http::header::{CACHE_CONTROL, CONNECTION, CONTENT_TYPE};
use axum::http::{HeaderName, HeaderValue};
use axum::response::IntoResponse;
use futures_util::stream::try_unfold;

use crate::domain::chat::chunk::Chunk;
use crate::service::chat::{Read, Reader};
use crate::store::{Entry, EntryKind};

/// The header that tells clients of the AI SDK which protocol the stream has.
const UI_MESSAGE_STREAM: HeaderName = HeaderName::from_static("x-vercel-ai-ui-message-stream");
/// Tells proxies not to collect the body.
const X_ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// Returns an answer as an event stream. `replay` are chunks that follow the `start` of the first entry.
pub(super) fn sse(reader: Reader, replay: Vec<Chunk>) -> impl IntoResponse {
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("text/event-stream")),
        (
            CACHE_CONTROL,
            HeaderValue::from_static("no-cache, no-transform"),
        ),
        (CONNECTION, HeaderValue::from_static("keep-alive")),
        (UI_MESSAGE_STREAM, HeaderValue::from_static("v1")),
        (X_ACCEL_BUFFERING, HeaderValue::from_static("no")),
    ];
    let events = Events {
        reader,
        replay,
        has_begun: false,
    };
    (headers, Body::from_stream(try_unfold(events, Events::next)))
}

struct Events {
    reader: Reader,
    replay: Vec<Chunk>,
    has_begun: bool,
}

impl Events {
    /// Returns the next piece of the body.
    async fn next(mut self) -> Result<Option<(Bytes, Self)>, crate::store::Error> {
        if !self.has_begun {
            self.has_begun = true;
            return Ok(Some((Bytes::from_static(b": open\n\n"), self)));
        }
        let text = match self.reader.next().await? {
            None => return Ok(None),
            Some(Read::KeepAlive) => ": keep-alive\n\n".to_owned(),
            Some(Read::Lost) => lost(),
            Some(Read::Entry(entry)) => self.events(&entry),
        };
        Ok(Some((text.into(), self)))
    }

    fn events(&mut self, entry: &Entry) -> String {
        let mut text = String::with_capacity(entry.chunks.len() + 128);
        let mut lines = entry.chunks.lines().peekable();
        let replay = std::mem::take(&mut self.replay);
        let mut is_first = true;
        while let Some(line) = lines.next() {
            if lines.peek().is_none() {
                let _: Result<(), std::fmt::Error> =
                    writeln!(text, "id: {}.{}", self.reader.turn(), entry.number);
            }
            add_event(&mut text, line);
            if is_first {
                is_first = false;
                for chunk in &replay {
                    add_event(&mut text, &chunk.to_json());
                }
            }
        }
        if matches!(entry.kind, EntryKind::End(_)) {
            text.push_str("data: [DONE]\n\n");
        }
        text
    }
}

fn add_event(text: &mut String, line: &str) {
    text.push_str("data: ");
    text.push_str(line);
    text.push_str("\n\n");
}

/// Returns the events for an answer whose log is lost.
fn lost() -> String {
    let chunk = Chunk::Error {
        error_text: "The answer can no longer be read here. Read the messages of the session."
            .to_owned(),
    };
    let mut text = String::new();
    add_event(&mut text, &chunk.to_json());
    text.push_str("data: [DONE]\n\n");
    text
}
