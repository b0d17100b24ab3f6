//! An answer as plain text, for clients that read nothing else.

use std::io;

use axum::body::{Body, Bytes};
use axum::http::HeaderValue;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::IntoResponse;
use futures_util::stream::try_unfold;

use crate::domain::chat::turn::TurnStatus;
use crate::service::chat::{Read, Reader};
use crate::store::EntryKind;
use crate::util::json::{Object, string};

/// Returns the text of an answer as it grows. If the answer fails, the connection is aborted.
pub(super) fn plain_text(reader: Reader) -> impl IntoResponse {
    let headers = [
        (
            CONTENT_TYPE,
            HeaderValue::from_static("text/plain; charset=utf-8"),
        ),
        (
            CACHE_CONTROL,
            HeaderValue::from_static("no-cache, no-transform"),
        ),
    ];
    (headers, Body::from_stream(try_unfold(reader, next)))
}

async fn next(mut reader: Reader) -> io::Result<Option<(Bytes, Reader)>> {
    loop {
        let entry = match reader.next().await.map_err(io::Error::other)? {
            None => return Ok(None),
            Some(Read::KeepAlive) => continue,
            Some(Read::Lost) => return Err(io::Error::other("the log of the answer is lost")),
            Some(Read::Entry(entry)) => entry,
        };
        if let EntryKind::End(TurnStatus::Failed | TurnStatus::Abandoned) = entry.kind {
            return Err(io::Error::other("the answer failed"));
        }
        let text: String = entry.chunks.lines().filter_map(text_of).collect();
        if !text.is_empty() {
            return Ok(Some((text.into(), reader)));
        }
    }
}

/// Returns the text that a chunk adds.
fn text_of(chunk: &str) -> Option<String> {
    let chunk = Object::parse(chunk)?;
    let kind = string(chunk.get("type")?)?;
    let delta = chunk.get("delta").filter(|_| kind == "text-delta")?;
    string(delta).map(std::borrow::Cow::into_owned)
}
