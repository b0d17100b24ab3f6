//! A Vercel function with a streamed response: five server-sent events (or `?events=N`), 200 ms apart.
//!
//! [`serve`] streams every body: each chunk is sent when it is ready. The request ends with the last byte or when the
//! client disconnects.
//!
//! To run it locally: `cargo run --example stream`, then `curl -N http://127.0.0.1:3000/api/stream?events=9`.
//! To deploy it: copy it to `api/stream.rs` and add a `[[bin]]` to `Cargo.toml`.

use std::convert::Infallible;
use std::time::Duration;

use axum::Router;
use axum::extract::Query;
use axum::response::sse::{Event, Sse};
use axum::routing::get;
use chrono::{SecondsFormat, Utc};
use futures_util::stream::{self, Stream};
use llmos::app::App;
use llmos::vercel::serve;
use serde::Deserialize;

const PAUSE: Duration = Duration::from_millis(200);

#[tokio::main]
async fn main() -> Result<(), vercel_runtime::Error> {
    serve(Router::<App>::new().route("/api/stream", get(stream_events))).await
}

#[derive(Deserialize)]
struct StreamQuery {
    events: Option<u32>,
}

/// Each event contains the time when it was sent, so that a client can measure its latency.
async fn stream_events(
    Query(query): Query<StreamQuery>,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let events = query.events.unwrap_or(5);
    Sse::new(stream::unfold(1, move |number| async move {
        if number > events {
            return None;
        }
        if number > 1 {
            tokio::time::sleep(PAUSE).await;
        }
        let sent_at = Utc::now().to_rfc3339_opts(SecondsFormat::Micros, true);
        let data = format!(r#"{{"number":{number},"of":{events},"sent_at":"{sent_at}"}}"#);
        Some((Ok(Event::default().data(data)), number + 1))
    }))
}
