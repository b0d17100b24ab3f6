//! Measures sessions of ten to a hundred thousand messages.

use axum::http::Method;
use serde_json::json;

use crate::cost::{Growth, Subject};
use crate::fill::{Filler, create};
use crate::support::{Process, Redis};

const SIZES: [usize; 5] = [10, 100, 1_000, 10_000, 100_000];

pub async fn measure() -> Growth {
    let redis = Redis::start().await;
    let url = redis.url();
    let environment = [("REDIS_URL", url.as_str()), ("REQUEST_LOG", "off")];
    let (function, api) = Process::function(env!("CARGO_BIN_EXE_sessions"), &environment).await;
    let subject = Subject {
        api: &api,
        function: &function,
        redis: &redis,
    };

    let mut growth = Growth::new("messages in a session");
    let message = json!({"role": "user", "content": "x".repeat(200)}).to_string();
    for size in SIZES {
        let id = create(&api).await;
        let mut filler = Filler::new(&redis, &id);
        let before = filler.memory();
        filler.messages(size - 1);
        if size == *SIZES.last().unwrap() {
            let bytes = (filler.memory() - before) / u64::try_from(size).unwrap();
            growth.notes.push(format!(
                "A message of 200 characters takes {bytes} bytes of Redis."
            ));
        }
        let path = format!("/api/sessions/{id}");
        let middle = size / 2;
        for (route, method, path, body) in [
            (
                "get with 20 messages",
                Method::GET,
                format!("{path}?messages=20"),
                "",
            ),
            (
                "latest 20",
                Method::GET,
                format!("{path}/messages?limit=20"),
                "",
            ),
            (
                "20 after the middle",
                Method::GET,
                format!("{path}/messages?limit=20&after={middle}"),
                "",
            ),
            (
                "20 before the middle",
                Method::GET,
                format!("{path}/messages?limit=20&before={middle}"),
                "",
            ),
            (
                "append",
                Method::POST,
                format!("{path}/messages"),
                message.as_str(),
            ),
        ] {
            let cost = subject.cost(method, &path, body).await;
            growth.add(route, size, cost);
        }
    }
    growth
}
