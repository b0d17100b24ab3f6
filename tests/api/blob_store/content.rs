//! Reading blob contents: access, headers, ranges and conditions.

use axum::http::Method;
use reqwest::header::HeaderMap;
use reqwest::{RequestBuilder, Response};

use super::http::{Protocol, assert_error, json};
use crate::support::{BlobServer, http_client};

async fn send(request: RequestBuilder) -> Response {
    request.send().await.unwrap()
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers[name].to_str().unwrap()
}

#[tokio::test]
async fn private_blobs_require_the_token_and_public_ones_do_not() {
    let server = BlobServer::start().await;
    let blobs = Protocol::new(&server.api_url());
    json(blobs.put("private.txt", "secret")).await;
    let public = blobs.request(Method::PUT, "/", &[("pathname", "public.txt")]);
    let public = public.header("x-vercel-blob-access", "public").body("open");
    json(public).await;
    let anonymous = http_client().build().unwrap();
    let get = |name: &str| anonymous.get(format!("{}/{name}", server.content_url()));

    assert_error(get("private.txt"), 403, "forbidden", "Access denied").await;
    let wrong = get("private.txt").bearer_auth("vercel_blob_rw_local_x");
    assert_error(wrong, 403, "forbidden", "Access denied").await;
    assert_error(get("missing"), 404, "not_found", "does not exist").await;
    let found = send(get("public.txt")).await;
    assert_eq!(
        header(found.headers(), "cache-control"),
        "public, max-age=2592000"
    );
    assert_eq!(found.text().await.unwrap(), "open");
    let found = send(get("private.txt").bearer_auth(BlobServer::TOKEN)).await;
    assert_eq!(
        header(found.headers(), "cache-control"),
        "private, max-age=2592000"
    );
    assert_eq!(found.text().await.unwrap(), "secret");
}

#[tokio::test]
async fn content_headers_match_those_of_vercel_blob() {
    let server = BlobServer::start().await;
    let blobs = Protocol::new(&server.api_url());
    let written = json(blobs.put("a/b.txt", "hello")).await;
    let url = format!("{}/a/b.txt", server.content_url());
    let head = http_client().build().unwrap().head(&url);

    let head = send(head.bearer_auth(BlobServer::TOKEN)).await;
    let got = send(blobs.content("a/b.txt")).await;
    for headers in [head.headers(), got.headers()] {
        assert_eq!(header(headers, "etag"), written["etag"].as_str().unwrap());
        assert_eq!(header(headers, "content-type"), "text/plain");
        assert_eq!(header(headers, "content-length"), "5");
        assert_eq!(
            header(headers, "content-disposition"),
            "inline; filename=\"b.txt\""
        );
        assert_eq!(header(headers, "accept-ranges"), "bytes");
        assert_eq!(header(headers, "x-content-type-options"), "nosniff");
        assert_eq!(
            header(headers, "content-security-policy"),
            "default-src \"none\""
        );
        assert!(header(headers, "last-modified").ends_with(" GMT"));
    }
    assert_eq!(head.text().await.unwrap(), "");
    let download = send(blobs.content("a/b.txt?download=1")).await;
    assert_eq!(
        header(download.headers(), "content-disposition"),
        "attachment; filename=\"b.txt\""
    );

    for (content_type, kind) in [
        ("text/plain; charset=utf-8", "inline"),
        ("image/svg+xml", "inline"),
        ("application/pdf", "inline"),
        ("text/html", "attachment"),
        ("application/javascript", "attachment"),
        ("imagery/png", "attachment"),
    ] {
        let put = blobs
            .put("typed", "x")
            .header("x-content-type", content_type);
        let written = json(put).await;
        assert_eq!(written["contentType"], content_type);
        assert_eq!(
            written["contentDisposition"],
            format!("{kind}; filename=\"typed\"")
        );
    }
}

#[tokio::test]
async fn range_request_returns_206_or_416() {
    let server = BlobServer::start().await;
    let blobs = Protocol::new(&server.api_url());
    let etag = json(blobs.put("digits", "0123456789")).await["etag"].clone();
    let etag = etag.as_str().unwrap();
    let get = |range: &str| blobs.content("digits").header("range", range);

    for (range, expected, content_range) in [
        ("bytes=0-0", "0", "bytes 0-0/10"),
        ("bytes=2-4", "234", "bytes 2-4/10"),
        ("bytes=7-", "789", "bytes 7-9/10"),
        ("bytes=-3", "789", "bytes 7-9/10"),
        ("bytes=8-100", "89", "bytes 8-9/10"),
    ] {
        let part = send(get(range)).await;
        assert_eq!(part.status(), 206, "{range}");
        assert_eq!(header(part.headers(), "content-range"), content_range);
        assert_eq!(
            header(part.headers(), "content-length"),
            expected.len().to_string()
        );
        assert_eq!(part.text().await.unwrap(), expected);
    }
    for range in ["bytes=10-", "bytes=20-30"] {
        let none = send(get(range)).await;
        assert_eq!(header(none.headers(), "content-range"), "bytes */10");
        assert_error(get(range), 416, "bad_request", "10 bytes").await;
    }
    for range in ["bytes=0-1,3-4", "lines=1-2", "bytes=x", "bytes=4-2"] {
        let whole = send(get(range)).await;
        assert!([200, 416].contains(&whole.status().as_u16()), "{range}");
    }
    let same = send(get("bytes=0-0").header("if-range", etag)).await;
    assert_eq!(same.status(), 206);
    let changed = send(get("bytes=0-0").header("if-range", "\"other\"")).await;
    assert_eq!(changed.text().await.unwrap(), "0123456789");
    json(blobs.put("empty", "")).await;
    assert_eq!(send(blobs.content("empty")).await.text().await.unwrap(), "");
}

#[tokio::test]
async fn conditional_reads_compare_the_etag() {
    let server = BlobServer::start().await;
    let blobs = Protocol::new(&server.api_url());
    let first = json(blobs.put("a", "1")).await["etag"].clone();
    let first = first.as_str().unwrap();
    let get = |name: &str, value: String| blobs.content("a").header(name, value);

    for tags in [
        first.to_owned(),
        format!("W/{first}"),
        format!("\"x\", {first}"),
        "*".to_owned(),
    ] {
        let same = send(get("if-none-match", tags.clone())).await;
        assert_eq!(same.status(), 304, "{tags}");
        assert_eq!(header(same.headers(), "etag"), first);
        assert_eq!(same.text().await.unwrap(), "");
        assert_eq!(send(get("if-match", tags)).await.status(), 200);
    }
    assert_eq!(
        send(get("if-none-match", "\"x\"".to_owned()))
            .await
            .status(),
        200
    );
    assert_error(
        get("if-match", "\"x\"".to_owned()),
        412,
        "precondition_failed",
        "",
    )
    .await;

    let second = json(blobs.put("a", "2")).await["etag"].clone();
    assert_ne!(second, first);
    assert_eq!(
        send(get("if-none-match", first.to_owned())).await.status(),
        200
    );
}

#[tokio::test]
async fn cross_origin_pages_can_write_and_read() {
    let server = BlobServer::start().await;
    let blobs = Protocol::new(&server.api_url());
    let http = http_client().build().unwrap();
    for path in ["/?pathname=a", "/mpu?pathname=a", "/content/a"] {
        let preflight = http.request(Method::OPTIONS, format!("{}{path}", server.api_url()));
        let preflight = preflight
            .header("origin", "http://localhost:5173")
            .header("access-control-request-method", "PUT")
            .header(
                "access-control-request-headers",
                "authorization,x-api-version,x-mpu-action",
            );
        let answer = send(preflight).await;
        assert_eq!(answer.status(), 200);
        let headers = answer.headers();
        assert_eq!(header(headers, "access-control-allow-origin"), "*");
        assert_eq!(header(headers, "access-control-allow-methods"), "*");
        assert_eq!(
            header(headers, "access-control-allow-headers"),
            "authorization,x-api-version,x-mpu-action"
        );
    }
    json(
        blobs
            .put("a", "1")
            .header("origin", "http://localhost:5173"),
    )
    .await;
    for name in ["a", "missing"] {
        let answer = blobs
            .content(name)
            .header("origin", "http://localhost:5173");
        let answer = send(answer).await;
        assert_eq!(header(answer.headers(), "access-control-allow-origin"), "*");
    }
}

#[tokio::test]
async fn blob_urls_use_the_host_of_the_request() {
    let server = BlobServer::start().await;
    let blobs = Protocol::new(&server.api_url());
    let put = || blobs.put("a", "1");
    assert_eq!(
        json(put()).await["url"],
        format!("{}/a", server.content_url())
    );
    let by_name = json(put().header("host", "localhost:1234")).await;
    assert_eq!(by_name["url"], "http://localhost:1234/_blob/content/a");
    let forwarded = put().header("x-forwarded-host", "blobs.example");
    let forwarded = json(forwarded.header("x-forwarded-proto", "https")).await;
    assert_eq!(forwarded["url"], "https://blobs.example/_blob/content/a");
    let broken = put().header("x-forwarded-host", "a b/c");
    assert_error(broken, 400, "bad_request", "Host names no host").await;
}
