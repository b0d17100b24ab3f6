//! Measures sessions of ten to a hundred thousand messages.

use axum::http::Method;
use serde_json::json;

use crate::cost::{Growth, REQUESTS_OF_EACH, Subject, sessions_function};
use crate::fill::{Filler, create};
use crate::support::{Client, Redis};

const SIZES: [usize; 5] = [10, 100, 1_000, 10_000, 100_000];

pub async fn measure() -> Growth {
    let (redis, function, api) = sessions_function().await;
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

/// The sizes of the sessions in which messages have versions or are replaced.
const BRANCHED_SIZES: [usize; 4] = [100, 1_000, 10_000, 100_000];
/// The number of places that have versions, and the number of versions of each.
const PLACES: usize = 100;
const VERSIONS: usize = 10;

/// Measures sessions with ten versions at each of a hundred places, and replaced messages.
pub async fn measure_branches() -> Growth {
    let (redis, function, api) = sessions_function().await;
    let subject = Subject {
        api: &api,
        function: &function,
        redis: &redis,
    };
    let mut growth = Growth::new("messages in a session with 10 versions at 100 places");
    let message = json!({"role": "user", "content": "x".repeat(200)}).to_string();
    for size in BRANCHED_SIZES {
        let id = create(&api).await;
        let path = format!("/api/sessions/{id}");
        let messages = format!("{path}/messages");
        Filler::new(&redis, &id).without_ids().messages(size - 1);
        let tips = add_versions(&api, &messages, size).await;
        let middle = size / 2;
        let paths = vec![format!("{path}/branch"); REQUESTS_OF_EACH];
        let newest = format!("msg_{size}");
        // Ends with the branch of the first messages.
        let switch = |number: usize| {
            let id = if number.is_multiple_of(2) {
                &tips[0]
            } else {
                &newest
            };
            json!({"message_id": id}).to_string()
        };
        let cost = subject.cost_of_bodies(Method::PUT, paths, switch).await;
        growth.add("switch to another branch", size, cost);
        for (route, method, path) in [
            ("latest 20", Method::GET, format!("{messages}?limit=20")),
            (
                "20 after the middle",
                Method::GET,
                format!("{messages}?limit=20&after={middle}"),
            ),
            (
                "20 of another branch",
                Method::GET,
                format!("{messages}?limit=20&branch={}", tips[1]),
            ),
            (
                "20 of all branches",
                Method::GET,
                format!("{messages}?limit=20&all=true&after={middle}"),
            ),
            ("append", Method::POST, messages.clone()),
        ] {
            let body = if method == Method::POST {
                message.as_str()
            } else {
                ""
            };
            let cost = subject.cost(method, &path, body).await;
            growth.add(route, size, cost);
        }
        let paths = vec![format!("{messages}/{}", tips[1]); REQUESTS_OF_EACH];
        let replace = |number: usize| {
            json!({"role": "assistant", "content": format!("{number:0200}")}).to_string()
        };
        let cost = subject.cost_of_bodies(Method::PUT, paths, replace).await;
        growth.add("replace a message", size, cost);
    }
    growth
}

/// Adds versions at places that are evenly distributed over the first messages, each behind the message before the place,
/// and returns the ids of two of them.
async fn add_versions(api: &Client, messages: &str, size: usize) -> [String; 2] {
    let id = |place: usize, version: usize| format!("v-{place}-{version}");
    for place in 0..PLACES {
        let parent = 1 + place * (size - 1) / PLACES;
        // One version is there already.
        let versions = (1..VERSIONS).map(|version| {
            json!({
                "id": id(place, version), "role": "assistant", "content": "x".repeat(200),
                "parent_id": format!("msg_{parent}"), "activate": false,
            })
        });
        let batch = json!({"messages": versions.collect::<Vec<_>>()});
        api.post(messages, &batch).await.assert_status(200);
    }
    [id(PLACES / 2, 1), id(PLACES - 1, 1)]
}
