//! Measures volumes of ten to ten thousand skills.

use axum::http::Method;
use futures_util::{StreamExt, stream};
use serde_json::json;

use crate::cost::{Growth, Subject};
use crate::support::{BlobServer, Client, Process, Redis, put};

const SIZES: [usize; 4] = [10, 100, 1_000, 10_000];
/// The number of documents that are written concurrently.
const WRITERS: usize = 16;

pub async fn measure() -> Growth {
    let (redis, blobs) = (Redis::start().await, BlobServer::start().await);
    let (url, api_url, content_url) = (redis.url(), blobs.api_url(), blobs.content_url());
    let environment = [
        ("REDIS_URL", url.as_str()),
        ("REQUEST_LOG", "off"),
        ("BLOB_READ_WRITE_TOKEN", BlobServer::TOKEN),
        ("VERCEL_BLOB_API_URL", api_url.as_str()),
        ("BLOB_CONTENT_URL", content_url.as_str()),
    ];
    let (function, api) = Process::function(env!("CARGO_BIN_EXE_skills"), &environment).await;
    let subject = Subject {
        api: &api,
        function: &function,
        redis: &redis,
    };

    let mut growth = Growth::new("skills in a volume");
    let usage = json!({"success": true, "duration_ms": 5}).to_string();
    let mut filled = 0;
    for size in SIZES {
        let puts = (filled..size).map(|number| write(&blobs, number));
        stream::iter(puts)
            .buffer_unordered(WRITERS)
            .for_each(|()| async {})
            .await;
        filled = size;
        let middle = read_all(&api).await;
        let list = "/api/skills?volume=user&limit=20";
        for (route, method, path, body) in [
            ("page of 20", Method::GET, list.to_owned(), ""),
            (
                "page of 20 in the middle",
                Method::GET,
                format!("{list}&cursor={middle}"),
                "",
            ),
            (
                "get",
                Method::GET,
                "/api/skills/skill-00005?volume=user".to_owned(),
                "",
            ),
            (
                "usage",
                Method::POST,
                "/api/skills/skill-00005/usage?volume=user".to_owned(),
                usage.as_str(),
            ),
        ] {
            let cost = subject.cost(method, &path, body).await;
            growth.add(route, size, cost);
        }
    }
    growth
}

async fn write(blobs: &BlobServer, number: usize) {
    let document = format!(
        "---\nname: Skill {number}\ndescription: {}\ntags: [a, b]\n---\n\n# Skill\n\n```python\nprint({number})\n```\n",
        "Describes the skill. ".repeat(8)
    );
    let pathname = format!("volumes/user/default/skills/skill-{number:05}.md");
    put(blobs, &pathname, document).await;
}

/// Reads the whole list, which fills the cache in Redis, and returns a cursor from its middle.
async fn read_all(api: &Client) -> String {
    let (mut cursors, mut cursor) = (Vec::new(), String::new());
    loop {
        let path = format!("/api/skills?volume=user&limit=5&cursor={cursor}");
        let page = api.get(&path).await.assert_status(200).json();
        match page["next_cursor"].as_str() {
            Some(next) => next.clone_into(&mut cursor),
            None => return cursors.swap_remove(cursors.len() / 2),
        }
        cursors.push(cursor.clone());
    }
}
