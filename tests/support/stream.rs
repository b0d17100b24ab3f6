//! Reads a streamed response as it arrives.

use chrono::{DateTime, Utc};
use serde_json::Value;

/// The number of events that `examples/stream.rs` sends.
pub const EVENTS: u64 = 5;

/// An event of a stream with the time of sending that it contains and the time of arrival.
#[derive(Clone, Copy, Debug)]
pub struct Arrival {
    pub number: u64,
    pub sent: DateTime<Utc>,
    pub arrived: DateTime<Utc>,
}

/// Sends the request, reads its events to the end, and checks that they arrive while the response is produced.
pub async fn read_events(request: reqwest::RequestBuilder) -> Vec<Arrival> {
    let mut response = request.send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let (mut text, mut arrivals) = (String::new(), Vec::new());
    while let Some(chunk) = response.chunk().await.unwrap() {
        let arrived = Utc::now();
        text.push_str(std::str::from_utf8(&chunk).unwrap());
        while let Some((event, rest)) = text.split_once("\n\n") {
            arrivals.push(arrival(event, arrived));
            text = rest.to_owned();
        }
    }
    assert_eq!(text, "", "a part of an event was lost");
    let numbers: Vec<u64> = arrivals.iter().map(|arrival| arrival.number).collect();
    assert_eq!(numbers, (1..=EVENTS).collect::<Vec<_>>());
    let last = arrivals.last().unwrap();
    assert!(
        arrivals[0].arrived < last.sent,
        "the first event arrived after the last was sent: {arrivals:?}"
    );
    arrivals
}

fn arrival(event: &str, arrived: DateTime<Utc>) -> Arrival {
    let data: Value = serde_json::from_str(event.strip_prefix("data: ").unwrap()).unwrap();
    let sent = DateTime::parse_from_rfc3339(data["sent_at"].as_str().unwrap()).unwrap();
    Arrival {
        number: data["number"].as_u64().unwrap(),
        sent: sent.to_utc(),
        arrived,
    }
}
