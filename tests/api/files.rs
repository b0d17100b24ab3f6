//! `/api/files`: put, get, list and delete, hostile input and storage failures.

use std::time::Duration;

use axum::http::Method;
use llmos::blob::BlobConfig;
use llmos::blob::{BlobClient, PutBody, PutOptions, WriteCondition};
use llmos::util::secret::Secret;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::support::{BlobServer, Client, Fault, Process, Response, http_client, in_process};

const LIMIT: usize = 4 * 1024 * 1024;

async fn start() -> (BlobServer, Client) {
    let store = BlobServer::start().await;
    let api = in_process(store.config());
    (store, api)
}

async fn put(api: &Client, path: &str, content_type: &str, body: &[u8]) -> Response {
    let api = api.with_header("content-type", content_type.to_owned());
    api.send(Method::PUT, &format!("/api/files/{path}"), body.to_vec())
        .await
}

async fn put_text(api: &Client, path: &str, body: &str) -> Value {
    let put = put(api, path, "text/plain", body.as_bytes()).await;
    put.assert_status(200).json()
}

async fn head(api: &Client, path: &str) -> Response {
    api.send(Method::HEAD, path, Vec::new()).await
}

#[tokio::test]
async fn file_is_put_found_listed_and_deleted() {
    let (store, api) = start().await;
    let file = put_text(&api, "notes/plan.txt", "hello").await;
    assert_eq!(file["path"], "notes/plan.txt");
    assert_eq!(file["size_bytes"], 5);
    assert_eq!(
        store.pathnames().await,
        ["volumes/user/default/files/notes/plan.txt"]
    );

    let found = api
        .get("/api/files/notes/plan.txt")
        .await
        .assert_status(200);
    assert_eq!(found.body, b"hello");
    let head = head(&api, "/api/files/notes/plan.txt")
        .await
        .assert_status(200);
    for answer in [&found, &head] {
        let etag = format!("\"{}\"", file["etag"].as_str().unwrap());
        assert_eq!(answer.header("etag"), Some(&*etag));
        assert_eq!(answer.header("content-length"), Some("5"));
        assert_eq!(answer.header("content-type"), Some("text/plain"));
        assert_eq!(answer.header("accept-ranges"), Some("bytes"));
    }
    let list = api.get("/api/files").await.assert_status(200).json();
    assert_eq!(list["files"][0]["path"], "notes/plan.txt");
    assert_eq!(list["next_cursor"], Value::Null);

    let deleted = api
        .delete("/api/files/notes/plan.txt")
        .await
        .assert_status(200);
    assert_eq!(
        deleted.json(),
        json!({"message": "File notes/plan.txt deleted"})
    );
    for method in [Method::GET, Method::DELETE] {
        let gone = api
            .send(method, "/api/files/notes/plan.txt", Vec::new())
            .await;
        gone.assert_error(404, "not_found");
    }
    assert_eq!(store.pathnames().await, [""; 0]);
}

#[tokio::test]
async fn files_are_listed_by_page_and_by_folder() {
    let (_store, api) = start().await;
    let names: Vec<String> = (0..25).map(|i| format!("d{}/{i:02}", i % 2)).collect();
    for name in &names {
        put_text(&api, name, "x").await;
    }
    let mut sorted = names.clone();
    sorted.sort_unstable();
    let (mut found, mut cursor, mut pages) = (Vec::new(), String::new(), 0);
    loop {
        let list = api
            .get(&format!("/api/files?limit=10&cursor={cursor}"))
            .await;
        let list = list.assert_status(200).json();
        let files = list["files"].as_array().unwrap().iter();
        found.extend(files.map(|file| file["path"].as_str().unwrap().to_owned()));
        pages += 1;
        let Some(next) = list["next_cursor"].as_str() else {
            break;
        };
        cursor = next.to_owned();
    }
    assert_eq!((found, pages), (sorted, 3));

    let folded = api
        .get("/api/files?folded=true")
        .await
        .assert_status(200)
        .json();
    assert_eq!(folded["folders"], json!(["d0/", "d1/"]));
    assert_eq!(folded["files"], json!([]));
    let within = api
        .get("/api/files?prefix=d1/&folded=true")
        .await
        .assert_status(200)
        .json();
    assert_eq!(within["files"].as_array().unwrap().len(), 12);
    api.get("/api/files?limit=1001")
        .await
        .assert_error(400, "invalid_request");
}

#[tokio::test]
async fn preconditions_are_enforced() {
    let (_store, api) = start().await;
    let path = "/api/files/a.txt";
    let new = api.with_header("if-none-match", "*");
    new.send(Method::PUT, path, b"1".to_vec())
        .await
        .assert_status(201);
    let taken = new.send(Method::PUT, path, b"2".to_vec()).await;
    let problem = taken.assert_error(412, "precondition_failed");
    assert_eq!(problem["current"]["path"], "a.txt", "{problem}");

    let first = api.entity_tag(path).await;
    let known = api.with_header("if-none-match", first.clone());
    for method in [Method::GET, Method::HEAD] {
        let same = known
            .send(method, path, Vec::new())
            .await
            .assert_status(304);
        assert_eq!(same.header("etag"), Some(&*first));
    }
    let fresh = api.with_header("if-match", first.clone());
    fresh
        .send(Method::PUT, path, b"2".to_vec())
        .await
        .assert_status(200);
    for method in [Method::PUT, Method::DELETE] {
        let stale = fresh.send(method, path, b"3".to_vec()).await;
        assert_eq!(stale.header("etag"), Some(&*api.entity_tag(path).await));
        let problem = stale.assert_error(412, "precondition_failed");
        assert_eq!(problem["current"]["size_bytes"], 1, "{problem}");
    }
    let any = api.with_header("if-match", "*");
    any.send(Method::PUT, path, b"4".to_vec())
        .await
        .assert_status(200);
    let none = any
        .send(Method::PUT, "/api/files/none", b"4".to_vec())
        .await;
    assert_eq!(none.header("etag"), None);
    assert_eq!(
        none.assert_error(412, "precondition_failed")["current"],
        Value::Null
    );
    assert_eq!(api.get(path).await.assert_status(200).body, b"4");
}

#[tokio::test]
async fn concurrent_writers_with_one_etag_succeed_once() {
    let (_store, api) = start().await;
    for round in 0..10 {
        put_text(&api, "a", &format!("{round}")).await;
        let writer = api.with_header("if-match", api.entity_tag("/api/files/a").await);
        let (one, two) = tokio::join!(
            writer.send(Method::PUT, "/api/files/a", b"one".to_vec()),
            writer.send(Method::PUT, "/api/files/a", b"two".to_vec()),
        );
        let mut statuses = [one.status.as_u16(), two.status.as_u16()];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 412]);
        let winner: &[u8] = if one.status == 200 { b"one" } else { b"two" };
        assert_eq!(
            api.get("/api/files/a").await.assert_status(200).body,
            winner
        );
    }
}

#[tokio::test]
async fn range_requests_return_parts_of_a_file() {
    let (_store, api) = start().await;
    put_text(&api, "a.txt", "0123456789").await;
    for (range, body, content_range) in [
        ("bytes=2-4", "234", "bytes 2-4/10"),
        ("bytes=8-", "89", "bytes 8-9/10"),
        ("bytes=-3", "789", "bytes 7-9/10"),
    ] {
        let api = api.with_header("range", range);
        let part = api.get("/api/files/a.txt").await.assert_status(206);
        assert_eq!(part.body, body.as_bytes());
        assert_eq!(part.header("content-range"), Some(content_range));
    }
    let outside = api.with_header("range", "bytes=10-");
    let outside = outside.get("/api/files/a.txt").await;
    assert_eq!(outside.header("content-range"), Some("bytes */10"));
    outside.assert_error(416, "range_not_satisfiable");
}

#[tokio::test]
async fn file_over_four_megabytes_is_rejected() {
    let (store, api) = start().await;
    for size in [0, LIMIT] {
        let body = vec![7; size];
        let stored = put(&api, "a.bin", "application/x-test", &body).await;
        assert_eq!(stored.assert_status(200).json()["size_bytes"], size);
        assert!(api.get("/api/files/a.bin").await.assert_status(200).body == body);
    }
    put(&api, "b.bin", "application/x-test", &vec![7; LIMIT + 1])
        .await
        .assert_error(413, "payload_too_large");
    let told = api.with_header("content-length", (LIMIT + 1).to_string());
    told.send(Method::PUT, "/api/files/b.bin", vec![7; LIMIT + 1])
        .await
        .assert_error(413, "payload_too_large");
    assert_eq!(
        store.pathnames().await,
        ["volumes/user/default/files/a.bin"]
    );
}

#[tokio::test]
async fn invalid_content_type_or_flag_is_rejected() {
    let (_blobs, api) = start().await;
    let long = format!("text/{}", "x".repeat(300));
    for content_type in ["x", "", "text/\"x\"", long.as_str()] {
        let api = api.with_header("content-type", content_type);
        let put = api.send(Method::PUT, "/api/files/x", b"x".to_vec()).await;
        put.assert_invalid("Content-Type");
    }
    let folded = api.get("/api/files?folded=1").await;
    folded.assert_invalid("folded");
}

#[tokio::test]
async fn default_content_type_of_a_client_is_replaced_by_that_of_the_name() {
    let (_store, api) = start().await;
    for (sent, name, stored) in [
        ("application/x-www-form-urlencoded", "a.png", "image/png"),
        (
            "Application/X-WWW-Form-Urlencoded; charset=UTF-8",
            "a.md",
            "text/markdown",
        ),
        (
            "application/x-www-form-urlencoded",
            "a",
            "application/octet-stream",
        ),
        (
            "application/octet-stream",
            "b.png",
            "application/octet-stream",
        ),
        ("text/plain", "c.png", "text/plain"),
    ] {
        let file = put(&api, name, sent, b"x").await.assert_status(200).json();
        assert_eq!(file["content_type"], stored, "{sent}");
        let found = api.get(&format!("/api/files/{name}")).await;
        assert_eq!(
            found.assert_status(200).header("content-type"),
            Some(stored)
        );
    }
    let event = json!({"type": "blob.generate-client-token", "payload": {
        "pathname": "volumes/user/default/files/a.png",
        "clientPayload": "{\"content_type\": \"application/x-www-form-urlencoded\"}",
    }});
    let leave = api
        .post("/api/files/upload", &event)
        .await
        .assert_status(200)
        .json();
    assert_eq!(leave["contentType"], "image/png");
}

#[tokio::test]
async fn slow_sender_and_slow_reader_are_served() {
    let blobs = BlobServer::start().await;
    let directory = TempDir::new().unwrap();
    let api_url = blobs.api_url();
    let environment = [
        ("REDIS_URL", "redis://127.0.0.1:1"),
        ("BLOB_READ_WRITE_TOKEN", BlobServer::TOKEN),
        ("VERCEL_BLOB_API_URL", &api_url),
    ];
    let (_server, api) = Process::local_server(directory.path(), &environment).await;
    let api = api.unwrap();
    let address = api.address().to_owned();

    // Longer than every timeout for Blob.
    let pieces = futures_util::stream::unfold(0, |sent| async move {
        if sent == 7 {
            return None;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
        Some((Ok::<_, std::io::Error>(vec![b'x'; 1000]), sent + 1))
    });
    let slow = http_client()
        .build()
        .unwrap()
        .put(format!("http://{address}/api/files/slow"))
        .body(reqwest::Body::wrap_stream(pieces));
    assert_eq!(slow.send().await.unwrap().status(), 200);

    let large = vec![b'y'; 30 << 20];
    let client = BlobClient::new(BlobConfig {
        read_write_token: Some(Secret::new(BlobServer::TOKEN.to_owned())),
        api_url: Some(api_url.clone()),
        ..BlobConfig::default()
    });
    let options = PutOptions {
        content_type: None,
        cache_control_max_age: 60,
        condition: WriteCondition::Always,
    };
    let pathname = "volumes/user/default/files/large";
    let body = PutBody::Bytes(large.clone().into());
    client
        .blobs(None)
        .put(pathname, body, &options)
        .await
        .unwrap();
    let mut response = http_client()
        .build()
        .unwrap()
        .get(format!("http://{address}/api/files/large"))
        .send()
        .await
        .unwrap();
    let mut read = response.chunk().await.unwrap().unwrap().len();
    tokio::time::sleep(Duration::from_secs(7)).await;
    while let Some(chunk) = response.chunk().await.unwrap() {
        read += chunk.len();
    }
    assert_eq!(read, large.len());
}

#[tokio::test]
async fn unsatisfiable_range_and_oversized_path_are_rejected() {
    let (_blobs, api) = start().await;
    put(&api, "empty", "text/plain", b"")
        .await
        .assert_status(200);
    let ranged = api.with_header("range", "bytes=0-");
    let refused = ranged.get("/api/files/empty").await;
    assert_eq!(refused.header("content-range"), Some("bytes */0"));
    refused.assert_error(416, "range_not_satisfiable");

    let long = [
        "x".repeat(250),
        "x".repeat(250),
        "x".repeat(250),
        "x".repeat(140),
    ]
    .join("/");
    let path = format!("{long}?volume=user&volume_id={}", "v".repeat(128));
    put(&api, &path, "text/plain", b"x")
        .await
        .assert_invalid("path");
}

#[tokio::test]
async fn interrupted_body_stores_nothing() {
    let store = BlobServer::start().await;
    let environment = [
        ("BLOB_READ_WRITE_TOKEN", BlobServer::TOKEN),
        ("VERCEL_BLOB_API_URL", &*store.api_url()),
    ];
    let files = env!("CARGO_BIN_EXE_files");
    let (_process, api) = Process::function(files, &environment).await;
    for framing in ["Content-Length: 100", "Transfer-Encoding: chunked"] {
        let mut stream = TcpStream::connect(api.address()).await.unwrap();
        let head = format!("PUT /api/files/a HTTP/1.1\r\nHost: x\r\n{framing}\r\n\r\n");
        let body = "5\r\nhello\r\n";
        stream
            .write_all(format!("{head}{body}").as_bytes())
            .await
            .unwrap();
        // Wait for the request to the store, so that the body is interrupted and not the request.
        let asked = async {
            while !store.requests().iter().any(|line| line.starts_with("PUT ")) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), asked)
            .await
            .unwrap();
        store.clear();
        drop(stream);
        tokio::time::sleep(Duration::from_millis(300)).await;
        api.get("/api/files/a").await.assert_error(404, "not_found");
        assert_eq!(store.pathnames().await, [""; 0]);
        store.clear();
    }
}

#[tokio::test]
async fn stored_content_cannot_run_scripts_in_our_origin() {
    let (_store, api) = start().await;
    for (name, content_type, kind) in [
        ("a.html", "text/html", "attachment; "),
        ("a.svg", "image/svg+xml", "attachment; "),
        ("a.xhtml", "application/xhtml+xml", "attachment; "),
        ("a.txt", "text/plain", "inline; "),
        (
            "a%22;filename=%22b.html",
            "text/html",
            "attachment; filename=\"a_;filename=_b.html\"",
        ),
        (
            "%C3%A9.png",
            "image/png",
            "inline; filename=\"_.png\"; filename*=UTF-8''%C3%A9.png",
        ),
    ] {
        put(&api, name, content_type, b"<script>")
            .await
            .assert_status(200);
        let path = format!("/api/files/{name}");
        for answer in [api.get(&path).await, head(&api, &path).await] {
            let disposition = answer.header("content-disposition").unwrap();
            assert!(disposition.starts_with(kind), "{disposition}");
            assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
            let policy = answer.header("content-security-policy").unwrap();
            assert_eq!(policy, "default-src 'none'; sandbox");
        }
    }
}

#[tokio::test]
async fn paths_cannot_escape_the_files_of_their_volume() {
    let (store, api) = start().await;
    let long = format!("{}x", "x/".repeat(450));
    for path in [
        "",
        "..",
        "../x",
        "a/../x",
        "./a",
        "a//b",
        "%2e%2e/x",
        "%252e%252e/x",
        "%25252e%25252e/x",
        "a%2f%2fb",
        "%2e%2e%2fskills%2fevil.md",
        "..%2f..%2fsystem/system/skills/evil",
        "a%5cb",
        "a%255cb",
        "a%00b",
        "a%0ab",
        "a%7fb",
        "a%C2%85b",
        "a%FF",
        "a%252fb",
        &long,
    ] {
        let refused = put(&api, path, "text/plain", b"x").await;
        if path.is_empty() {
            refused.assert_error(405, "method_not_allowed");
            continue;
        }
        refused.assert_invalid("path");
        for method in [Method::GET, Method::DELETE] {
            let none = api
                .send(method, &format!("/api/files/{path}"), Vec::new())
                .await;
            none.assert_error(404, "not_found");
        }
    }
    assert_eq!(store.pathnames().await, [""; 0]);

    put_text(&api, "cafe%CC%81", "x").await;
    assert_eq!(
        api.get("/api/files/caf%C3%A9")
            .await
            .assert_status(200)
            .body,
        b"x"
    );
    put_text(&api, "upload", "a name like any other").await;
    put_text(&api, "a?volume=team&volume_id=ours", "theirs").await;
    api.get("/api/files/a").await.assert_error(404, "not_found");
    let pathnames = store.pathnames().await;
    assert_eq!(
        pathnames,
        [
            "volumes/team/ours/files/a",
            "volumes/user/default/files/caf\u{e9}",
            "volumes/user/default/files/upload"
        ]
    );
}

#[tokio::test]
async fn missing_blob_token_is_503_and_names_the_variable() {
    let api = in_process(llmos::config::Config::default());
    for (method, path) in [
        (Method::GET, "/api/files"),
        (Method::GET, "/api/files/a"),
        (Method::PUT, "/api/files/a"),
        (Method::DELETE, "/api/files/a"),
    ] {
        let problem = api
            .send(method, path, Vec::new())
            .await
            .assert_error(503, "storage_unavailable");
        assert!(
            problem["detail"]
                .as_str()
                .unwrap()
                .contains("BLOB_READ_WRITE_TOKEN"),
            "{problem}"
        );
    }
}

#[tokio::test]
async fn failing_store_is_503_within_ten_seconds() {
    let html = Fault::Answer {
        status: 200,
        headers: vec![("content-type", "text/html".to_owned())],
        body: "<html>".to_owned(),
    };
    let faults = [
        Fault::Close,
        Fault::Hang,
        html,
        Fault::error(429, "rate_limited"),
        Fault::error(500, "x"),
    ];
    let checks = faults.into_iter().map(async |fault| {
        let (store, api) = start().await;
        put_text(&api, "a", "x").await;
        let name = format!("{fault:?}");
        store.fail_with(move |_| fault.clone());
        let (list, get, put, delete) = tokio::join!(
            api.get("/api/files"),
            api.get("/api/files/a"),
            put(&api, "a", "text/plain", b"y"),
            api.delete("/api/files/a"),
        );
        for answer in [list, get, put, delete] {
            assert!(
                answer.elapsed < Duration::from_secs(10),
                "{name}: {answer:?}"
            );
            assert_eq!(answer.status, 503, "{name}: {answer:?}");
            answer.assert_error(503, "storage_unavailable");
        }
        store.heal();
        assert_eq!(api.get("/api/files/a").await.assert_status(200).body, b"x");
    });
    futures_util::future::join_all(checks).await;
}

#[tokio::test]
async fn truncated_content_is_never_a_complete_response() {
    let (store, api) = start().await;
    put_text(&api, "a", &"x".repeat(100_000)).await;
    store.fail_with(
        |parts| match parts.uri.path().starts_with("/_blob/content") {
            true => Fault::BreakBody(50_000),
            false => Fault::Pass,
        },
    );
    let broken = api.try_send(Method::GET, "/api/files/a", Vec::new()).await;
    assert!(broken.is_err(), "{:?}", broken.map(|answer| answer.status));
}
