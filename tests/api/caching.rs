//! Files in caches of browsers: `Cache-Control`, `Last-Modified` and conditional reads.

use axum::http::Method;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

use crate::support::{BlobServer, Client, Response, in_process};

const FILE: &str = "/api/files/a.txt";

async fn start() -> (BlobServer, Client) {
    let store = BlobServer::start().await;
    let api = in_process(store.config());
    let put = api.send(Method::PUT, FILE, b"0123456789".to_vec()).await;
    assert_eq!(
        put.assert_status(200).header("cache-control"),
        Some("no-store")
    );
    (store, api)
}

/// Reads the file with each method, as a whole, in part, and with the current version.
async fn responses(api: &Client, path: &str) -> Vec<Response> {
    let tag = api.entity_tag(path).await;
    let known = api.with_header("if-none-match", tag);
    let part = api.with_header("range", "bytes=1-2");
    vec![
        api.get(path).await.assert_status(200),
        api.send(Method::HEAD, path, Vec::new())
            .await
            .assert_status(200),
        part.get(path).await.assert_status(206),
        known.get(path).await.assert_status(304),
        known
            .send(Method::HEAD, path, Vec::new())
            .await
            .assert_status(304),
    ]
}

#[tokio::test]
async fn stored_file_is_validated_before_each_use() {
    let (_store, api) = start().await;
    for response in responses(&api, FILE).await {
        assert_eq!(
            response.header("cache-control"),
            Some("private, no-cache"),
            "{response:?}"
        );
        assert!(response.header("etag").is_some(), "{response:?}");
        let modified = response.header("last-modified");
        assert_eq!(modified.is_some(), response.status != 304, "{response:?}");
        let Some(modified) = modified else { continue };
        let age = Utc::now() - DateTime::parse_from_rfc2822(modified).unwrap().to_utc();
        assert!((0..60).contains(&age.num_seconds()), "{modified}");
        assert!(modified.ends_with(" GMT"), "{modified}");
    }
    let range = api.with_header("range", "bytes=99-").get(FILE).await;
    for error in [
        range,
        api.get("/api/files/none").await,
        api.get("/api/files").await,
    ] {
        assert_eq!(error.header("cache-control"), Some("no-store"), "{error:?}");
    }
}

#[tokio::test]
async fn file_of_a_link_is_cached_until_the_link_expires() {
    let (_store, api) = start().await;
    let link = api
        .post("/api/files/link", &json!({"path": "a.txt", "seconds": 600}))
        .await;
    let url = link.assert_status(200).json()["url"]
        .as_str()
        .unwrap()
        .to_owned();
    for response in responses(&api, &url).await {
        let cache = response.header("cache-control").unwrap();
        let seconds: i64 = cache
            .strip_prefix("private, max-age=")
            .unwrap()
            .parse()
            .unwrap();
        assert!((500..=600).contains(&seconds), "{response:?}");
    }
    let forged = api.get(&url.replace("signature=", "signature=0")).await;
    assert_eq!(forged.header("cache-control"), Some("no-store"));
    forged.assert_error(403, "forbidden");
}

#[tokio::test]
async fn file_that_was_not_modified_since_is_304() {
    let (_store, api) = start().await;
    let found = api.get(FILE).await.assert_status(200);
    let modified = found.header("last-modified").unwrap().to_owned();
    let earlier = DateTime::parse_from_rfc2822(&modified).unwrap() - TimeDelta::seconds(1);
    let earlier = earlier
        .to_utc()
        .format("%a, %d %b %Y %H:%M:%S GMT")
        .to_string();
    for (since, status) in [
        (&*modified, 304),
        (&*earlier, 200),
        ("yesterday", 200),
        ("", 200),
    ] {
        let api = api.with_header("if-modified-since", since);
        for method in [Method::GET, Method::HEAD] {
            let answer = api
                .send(method, FILE, Vec::new())
                .await
                .assert_status(status);
            assert_eq!(answer.header("etag"), found.header("etag"), "{since}");
        }
        // `If-None-Match` takes precedence.
        let changed = api.with_header("if-none-match", "\"other\"");
        changed.get(FILE).await.assert_status(200);
    }
}
