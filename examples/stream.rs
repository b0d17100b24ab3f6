//! A Vercel function whose answer is a stream: five server-sent events, 200 ms apart.
//!
//! Nothing is needed for it beyond [`serve`]: a body that is still being made goes out piece by piece, and
//! the request counts as ended when its last byte has gone, or when the client hangs up.
//!
//! To see it here: `cargo run --example stream`, then `curl -N http://127.0.0.1:3000/api/stream`.
//! To deploy it: copy it to `api/stream.rs`, give it a `[[bin]]` in `Cargo.toml`, and move `futures-util` to
//! `[dependencies]`.

use std::convert::Infallible;
use std::time::Duration;

use axum::Router;
use axum::response::sse::{Event, Sse};
use axum::routing::get;
use chrono::{SecondsFormat, Utc};
use futures_util::stream::{self, Stream};
use llmos::app::App;
use llmos::serve::serve;

const EVENTS: u32 = 5;
const PAUSE: Duration = Duration::from_millis(200);

#[tokio::main]
async fn main() -> Result<(), vercel_runtime::Error> {
    serve(Router::<App>::new().route("/api/stream", get(stream_events))).await
}

/// Each event says when it was sent, so that whoever reads it can tell how long it was on its way.
async fn stream_events() -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    Sse::new(stream::unfold(1, |number| async move {
        if number > EVENTS {
            return None;
        }
        if number > 1 {
            tokio::time::sleep(PAUSE).await;
        }
        let sent_at = Utc::now().to_rfc3339_opts(SecondsFormat::Micros, true);
        let data = format!(r#"{{"number":{number},"of":{EVENTS},"sent_at":"{sent_at}"}}"#);
        Some((Ok(Event::default().data(data)), number + 1))
    }))
}
