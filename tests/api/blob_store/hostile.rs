//! Hostile and interrupted requests to the local Blob store.

use std::fs;
use std::time::Duration;

use axum::http::Method;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::http::{Protocol, assert_error, json};
use crate::support::{BlobServer, http_client};

/// Counts the files in the store's folders, including partial ones.
fn files(server: &BlobServer) -> [usize; 3] {
    ["blobs", "temporary", "uploads"]
        .map(|name| fs::read_dir(server.directory().join(name)).unwrap().count())
}

#[tokio::test]
async fn pathnames_cannot_escape_the_folder_or_reach_another_blob() {
    let server = BlobServer::start().await;
    let blobs = Protocol::new(&server.api_url());
    let long_name = "x".repeat(950);
    let names = [
        "a",
        "A",
        "a/b",
        "a/",
        "a/b/c",
        "/etc/passwd",
        "C:\\x",
        "...",
        "a.",
        " ",
        "%2e%2e/a",
        "~",
        "-rf",
        "a\nb",
        "a?b#c&d=e+f",
        "\u{e4}",
        "a\u{308}",
        "\u{1F600}/\u{202E}x",
        "con",
        "lock",
        "blobs/a",
        &long_name,
    ];
    for name in names {
        let written = json(blobs.put(name, format!("content of {name}"))).await;
        assert_eq!(written["pathname"], *name);
    }
    for name in names {
        let known = json(blobs.get(&[("url", name)])).await;
        let url = known["url"].as_str().unwrap();
        let path = url.split_once("/content/").unwrap().1;
        let content = blobs
            .content(path)
            .send()
            .await
            .unwrap()
            .text()
            .await
            .unwrap();
        assert_eq!(content, format!("content of {name}"), "{url}");
        assert_eq!(json(blobs.get(&[("url", url)])).await["pathname"], *name);
    }
    let listed = json(blobs.get(&[])).await;
    let mut sorted = names;
    sorted.sort_unstable();
    let listed = listed["blobs"].as_array().unwrap().iter();
    assert!(
        listed
            .map(|blob| blob["pathname"].as_str().unwrap())
            .eq(sorted)
    );
    assert_eq!(files(&server), [names.len(), 0, 0]);

    for name in [
        "",
        "..",
        "../a",
        "a/../../b",
        "./a",
        "a/.",
        "a//b",
        "a\0b",
        &"x".repeat(951),
    ] {
        assert_error(blobs.put(name, "x"), 400, "bad_request", "pathname").await;
        json(blobs.delete(&[name])).await;
        assert_error(
            blobs.get(&[("url", name)]),
            404,
            "not_found",
            "does not exist",
        )
        .await;
    }
    for path in [
        "%2e%2e/lock",
        "..%2flock",
        "%00",
        "%ff",
        "a%2f%2e%2e%2fb",
        "",
    ] {
        let answer = blobs.content(path).send().await.unwrap();
        assert_eq!(answer.status(), 404, "{path}");
    }
    assert_eq!(files(&server), [names.len(), 0, 0]);
}

#[tokio::test]
async fn interrupted_upload_leaves_no_file() {
    let server = BlobServer::start().await;
    let blobs = Protocol::new(&server.api_url());
    let old = json(blobs.put("old", "old")).await;
    let host = server.base().trim_start_matches("http://").to_owned();

    for framing in [
        "Content-Length: 1000\r\n\r\nbegun",
        "Transfer-Encoding: chunked\r\n\r\n5\r\nbegun\r\n",
    ] {
        for name in ["old", "new"] {
            let mut stream = TcpStream::connect(&host).await.unwrap();
            let head = format!(
                "PUT /_blob/?pathname={name} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {}\r\n\
                 x-vercel-blob-access: private\r\nx-allow-overwrite: 1\r\n{framing}",
                BlobServer::TOKEN
            );
            stream.write_all(head.as_bytes()).await.unwrap();
            while files(&server)[1] == 0 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            stream.shutdown().await.unwrap();
            let _ = stream.read_to_end(&mut Vec::new()).await;
            while files(&server)[1] > 0 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
    }
    let shorter = blobs.put("new", "four").header("x-content-length", "5");
    assert_error(shorter, 400, "bad_request", "length differs").await;

    assert_eq!(
        json(blobs.get(&[("url", "old")])).await["etag"],
        old["etag"]
    );
    assert_error(
        blobs.get(&[("url", "new")]),
        404,
        "not_found",
        "does not exist",
    )
    .await;
    assert_eq!(files(&server), [1, 0, 0]);
}

#[tokio::test]
async fn invalid_requests_are_rejected_with_protocol_errors() {
    let server = BlobServer::start().await;
    let blobs = Protocol::new(&server.api_url());
    let put = |name: &str, value: &str| {
        blobs
            .put("a", "1")
            .header(name.to_owned(), value.to_owned())
    };

    for (method, path, status, code) in [
        (Method::GET, "/unknown", 404, "not_found"),
        (Method::POST, "/signed-token", 404, "not_found"),
        (Method::DELETE, "/delete", 405, "not_allowed"),
        (Method::POST, "/content/a", 405, "not_allowed"),
        (Method::PATCH, "/", 405, "not_allowed"),
    ] {
        assert_error(blobs.request(method, path, &[]), status, code, "").await;
    }
    let access = blobs.request(Method::PUT, "/", &[("pathname", "a")]);
    let access = access.header("x-vercel-blob-access", "secret");
    assert_error(access, 400, "bad_request", "access").await;
    assert_error(
        blobs.request(Method::PUT, "/", &[]),
        400,
        "bad_request",
        "pathname",
    )
    .await;
    for (name, value) in [
        ("x-cache-control-max-age", "soon"),
        ("x-cache-control-max-age", "-1"),
        ("x-content-length", "x"),
        ("x-add-random-suffix", "maybe"),
    ] {
        assert_error(put(name, value), 400, "bad_request", name).await;
    }
    for query in [
        ("limit", "0"),
        ("limit", "x"),
        ("limit", "1001"),
        ("mode", "x"),
        ("cursor", "_w"),
    ] {
        assert_error(blobs.get(&[query]), 400, "bad_request", "").await;
    }

    let delete = |body: String| {
        let request = blobs.request(Method::POST, "/delete", &[]).body(body);
        request.header("content-type", "application/json")
    };
    assert_error(delete("{".to_owned()), 400, "bad_request", "").await;
    assert_error(delete("{}".to_owned()), 400, "bad_request", "urls").await;
    assert_error(delete(" ".repeat(1024 * 1024 + 1)), 400, "bad_request", "").await;
    let many = json!({"urls": vec!["a"; 1001]});
    assert_error(delete(many.to_string()), 400, "bad_request", "1000").await;
    let both = blobs.delete(&["a", "b"]).header("x-if-match", "\"x\"");
    assert_error(both, 400, "bad_request", "single").await;
    let mpu = blobs.request(Method::POST, "/mpu", &[("pathname", "a")]);
    assert_error(mpu, 404, "not_found", "upload").await;
    assert_eq!(files(&server), [0, 0, 0]);
}

#[tokio::test]
async fn rejection_reaches_a_client_that_is_still_sending() {
    let server = BlobServer::start().await;
    let blobs = Protocol::new(&server.api_url());
    json(blobs.put("a", "1")).await;
    let large = vec![0_u8; 64 * 1024 * 1024];

    let refused = blobs.put("a", large.clone()).header("x-if-match", "\"x\"");
    assert_error(refused, 412, "precondition_failed", "ETag").await;
    let refused = http_client()
        .build()
        .unwrap()
        .put(server.api_url())
        .body(large);
    assert_error(refused, 403, "forbidden", "Access denied").await;
}
