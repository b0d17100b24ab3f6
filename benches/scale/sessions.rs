//! Measures volumes of ten to a million sessions.

use axum::http::Method;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::cost::{Growth, REQUESTS_OF_EACH, Subject, sessions_function};
use crate::fill::{Filler, create};
use crate::support::{Client, Redis};

const SIZES: [usize; 6] = [10, 100, 1_000, 10_000, 100_000, 1_000_000];

pub async fn measure() -> Growth {
    let (redis, function, api) = sessions_function().await;
    let id = create(&api).await;
    let mut filler = Filler::new(&redis, &id);
    filler.messages(19);
    let subject = Subject {
        api: &api,
        function: &function,
        redis: &redis,
    };

    let mut growth = Growth::new("sessions in a volume");
    let (mut filled, empty) = (0, filler.memory());
    for size in SIZES {
        filler.sessions(filled..size);
        filled = size;
        if size == *SIZES.last().unwrap() {
            let bytes = (filler.memory() - empty) / u64::try_from(size).unwrap();
            growth.notes.push(format!(
                "A session with one message takes {bytes} bytes of Redis."
            ));
        }
        let middle = cursor_at(&api, filler.micros() - 500 * i64::try_from(size).unwrap()).await;
        measure_routes(&mut growth, &subject, size, &id, &middle).await;
    }
    growth
}

async fn measure_routes(
    growth: &mut Growth,
    subject: &Subject<'_>,
    size: usize,
    id: &str,
    middle: &str,
) {
    let session = json!({"name": "x", "volume": "team", "initial_message": "y"}).to_string();
    let path = format!("/api/sessions/{id}");
    let page = "/api/sessions?volume=user&limit=20";
    for (route, method, path, body) in [
        ("page of 20", Method::GET, page.to_owned(), ""),
        (
            "page of 20 with a tag of a tenth",
            Method::GET,
            format!("{page}&tag=tenth"),
            "",
        ),
        (
            "page of 20 in the middle",
            Method::GET,
            format!("{page}&cursor={middle}"),
            "",
        ),
        (
            "get with 20 messages",
            Method::GET,
            format!("{path}?messages=20"),
            "",
        ),
        (
            "change the status",
            Method::PUT,
            format!("{path}?status=active"),
            "",
        ),
        (
            "create",
            Method::POST,
            "/api/sessions".to_owned(),
            session.as_str(),
        ),
    ] {
        let cost = subject.cost(method, &path, body).await;
        growth.add(route, size, cost);
    }
    let created = created_sessions(subject.api).await;
    let message = json!({"role": "user", "content": "x".repeat(200)}).to_string();
    let messages = created
        .iter()
        .map(|path| format!("{path}/messages"))
        .collect();
    let cost = subject.cost_of_each(Method::POST, messages, &message).await;
    growth.add("append", size, cost);
    let cost = subject.cost_of_each(Method::DELETE, created, "").await;
    growth.add("delete", size, cost);
}

/// Creates sessions and returns their paths; the caller deletes them.
async fn created_sessions(api: &Client) -> Vec<String> {
    let mut paths = Vec::new();
    for _ in 0..REQUESTS_OF_EACH {
        paths.push(format!("/api/sessions/{}", create(api).await));
    }
    paths
}

/// Returns a cursor of the user's volume with another time: a cursor of the service whose time is replaced.
async fn cursor_at(api: &Client, micros: i64) -> String {
    let page = api.get("/api/sessions?volume=user&limit=1").await.json();
    let cursor = URL_SAFE_NO_PAD.decode(page["next_cursor"].as_str().unwrap());
    let mut cursor: Value = serde_json::from_slice(&cursor.unwrap()).unwrap();
    cursor[1]["m"] = json!(micros);
    URL_SAFE_NO_PAD.encode(cursor.to_string())
}
