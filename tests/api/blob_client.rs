//! The Blob client against a real store with injected faults.

use std::time::{Duration, Instant};

use axum::body::{Body, Bytes};
use futures_util::{StreamExt, stream};
use http_body_util::BodyExt;
use llmos::blob::{
    Blob, BlobClient, Blobs, ContentRequest, Error, Fetched, MAX_RETRIES, Put, PutBody, PutOptions,
    WriteCondition,
};
use llmos::blob::{BlobAccess, BlobConfig};
use llmos::util::secret::Secret;
use reqwest::Url;

use crate::support::{BlobServer, Fault, ReservedPort, http_client};

/// Longer than all time limits of the client together.
const LIMIT: Duration = Duration::from_secs(10);

fn config(server: &BlobServer) -> BlobConfig {
    BlobConfig {
        read_write_token: Some(Secret::new(BlobServer::TOKEN.to_owned())),
        api_url: Some(server.api_url()),
        content_url: Some(server.content_url()),
        ..BlobConfig::default()
    }
}

fn blobs(server: &BlobServer) -> Blobs {
    BlobClient::new(config(server)).blobs(None)
}

fn options(condition: WriteCondition) -> PutOptions {
    PutOptions {
        content_type: Some("text/plain".to_owned()),
        cache_control_max_age: 60,
        condition,
    }
}

async fn put(
    blobs: &Blobs,
    pathname: &str,
    body: &'static str,
    condition: WriteCondition,
) -> Option<Blob> {
    let body = PutBody::Bytes(Bytes::from_static(body.as_bytes()));
    match blobs
        .put(pathname, body, &options(condition))
        .await
        .unwrap()
    {
        Put::Done(blob) => Some(blob),
        Put::PreconditionFailed => None,
    }
}

async fn text(blobs: &Blobs, pathname: &str) -> Option<String> {
    let document = blobs.read(pathname, 1000).await.unwrap()?;
    Some(String::from_utf8(document.body.to_vec()).unwrap())
}

/// Copies a blob with the API itself, because the client has no such operation. Returns the status.
async fn copy(server: &BlobServer, from: &str, to: &str) -> u16 {
    let query = [("pathname", to), ("fromUrl", from)];
    let url = Url::parse_with_params(&server.api_url(), query).unwrap();
    let request = http_client().build().unwrap().put(url);
    let request = request.bearer_auth(BlobServer::TOKEN);
    let request = request.header("x-vercel-blob-access", "private");
    request.send().await.unwrap().status().as_u16()
}

/// Injects a fault into the first `count` requests.
fn first(
    count: usize,
    fault: Fault,
) -> impl Fn(&axum::http::request::Parts) -> Fault + Send + Sync {
    let left = std::sync::atomic::AtomicUsize::new(count);
    move |_| {
        use std::sync::atomic::Ordering::SeqCst;
        let is_faulty = left
            .fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1))
            .is_ok();
        if is_faulty {
            fault.clone()
        } else {
            Fault::Pass
        }
    }
}

#[tokio::test]
async fn stored_blob_is_read_listed_copied_and_deleted() {
    let server = BlobServer::start().await;
    let blobs = blobs(&server);

    let stored = put(&blobs, "a b/ä+1.txt", "one", WriteCondition::Always)
        .await
        .unwrap();
    assert_eq!(stored.pathname, "a b/ä+1.txt");
    assert_eq!(text(&blobs, "a b/ä+1.txt").await.as_deref(), Some("one"));
    let head = blobs.head("a b/ä+1.txt").await.unwrap().unwrap();
    assert_eq!((head.size, &head.etag), (3, &stored.etag));
    assert_eq!(head.content_type.as_deref(), Some("text/plain"));
    assert!(head.uploaded_at.is_some());
    assert!(!head.etag.contains('"'), "{}", head.etag);

    assert_eq!(copy(&server, "a b/ä+1.txt", "copy.txt").await, 200);
    assert_eq!(copy(&server, "missing", "x").await, 404);
    let copied = blobs.head("copy.txt").await.unwrap().unwrap();
    assert_eq!(copied.pathname, "copy.txt");
    assert_eq!(text(&blobs, "copy.txt").await.as_deref(), Some("one"));

    assert!(
        blobs
            .delete(&["a b/ä+1.txt", "missing"], None)
            .await
            .unwrap()
    );
    assert!(blobs.head("a b/ä+1.txt").await.unwrap().is_none());
    assert_eq!(text(&blobs, "a b/ä+1.txt").await, None);
    assert!(!blobs.delete(&["copy.txt"], Some("other")).await.unwrap());
    assert!(
        blobs
            .delete(&["copy.txt"], Some(&copied.etag))
            .await
            .unwrap()
    );
    assert!(
        blobs
            .list("", 10, None, false)
            .await
            .unwrap()
            .blobs
            .is_empty()
    );
}

#[tokio::test]
async fn list_is_paged_and_folded() {
    let server = BlobServer::start().await;
    let blobs = blobs(&server);
    for name in ["a/1", "a/2", "b", "c", "other"] {
        put(&blobs, &format!("p/{name}"), "x", WriteCondition::Always)
            .await
            .unwrap();
    }
    let (mut names, mut cursor) = (Vec::new(), None::<String>);
    loop {
        let page = blobs.list("p/", 2, cursor.as_deref(), false).await.unwrap();
        names.extend(page.blobs.into_iter().map(|blob| blob.pathname));
        cursor = page.cursor;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(names, ["p/a/1", "p/a/2", "p/b", "p/c", "p/other"]);
    let folded = blobs.list("p/", 10, None, true).await.unwrap();
    assert_eq!(folded.folders, ["p/a/"]);
    assert_eq!(folded.blobs.len(), 3);

    server.fail_with(|_| Fault::Answer {
        status: 200,
        headers: Vec::new(),
        body: r#"{"blobs":[],"hasMore":true}"#.to_owned(),
    });
    let without_end = blobs.list("p/", 10, None, false).await.unwrap();
    assert_eq!(without_end.cursor, None);
}

#[tokio::test]
async fn write_conditions_are_enforced() {
    let server = BlobServer::start().await;
    let blobs = blobs(&server);
    let one = put(&blobs, "x", "one", WriteCondition::IfMissing)
        .await
        .unwrap();
    assert!(
        put(&blobs, "x", "two", WriteCondition::IfMissing)
            .await
            .is_none()
    );
    let stale = WriteCondition::IfMatch("stale".to_owned());
    assert!(put(&blobs, "x", "two", stale).await.is_none());
    let fresh = WriteCondition::IfMatch(one.etag);
    assert!(put(&blobs, "x", "two", fresh).await.is_some());
    assert_eq!(text(&blobs, "x").await.as_deref(), Some("two"));
}

#[tokio::test]
async fn range_and_conditional_reads_are_supported() {
    let server = BlobServer::start().await;
    let blobs = blobs(&server);
    let stored = put(&blobs, "x", "0123456789", WriteCondition::Always)
        .await
        .unwrap();

    let part = ContentRequest {
        range: Some("bytes=2-4".to_owned()),
        ..ContentRequest::default()
    };
    let Fetched::Found(content) = blobs.get("x", &part).await.unwrap() else {
        panic!("no part");
    };
    assert_eq!(
        (content.range.as_deref(), content.length),
        (Some("bytes 2-4/10"), Some(3))
    );
    let body = content.into_body();
    assert_eq!(body.collect().await.unwrap().to_bytes(), "234");

    let behind = ContentRequest {
        range: Some("bytes=10-".to_owned()),
        ..ContentRequest::default()
    };
    let fetched = blobs.get("x", &behind).await.unwrap();
    assert!(matches!(fetched, Fetched::OutOfRange(Some(range)) if range == "bytes */10"));
    let known = ContentRequest {
        if_none_match: Some(format!("W/\"{}\"", stored.etag)),
        ..ContentRequest::default()
    };
    let fetched = blobs.get("x", &known).await.unwrap();
    assert!(matches!(fetched, Fetched::NotModified(etag) if etag == stored.etag));
    assert!(matches!(
        blobs.get("y", &known).await.unwrap(),
        Fetched::Missing
    ));
    assert!(matches!(blobs.read("x", 9).await, Err(Error::TooLarge(9))));
}

#[tokio::test]
async fn weak_etag_of_a_cache_is_read_as_the_strong_one() {
    let server = BlobServer::start().await;
    server.fail_with(|_| Fault::Answer {
        status: 200,
        headers: vec![("etag", "W/\"abc\"".to_owned())],
        body: "x".to_owned(),
    });
    let document = blobs(&server).read("x", 10).await.unwrap().unwrap();
    assert_eq!(document.etag, "abc");
}

#[tokio::test]
async fn interrupted_stream_is_not_stored() {
    let server = BlobServer::start().await;
    let blobs = blobs(&server);
    let chunks =
        || stream::iter((0..50).map(|_| Ok::<_, std::io::Error>(Bytes::from(vec![b'x'; 20_000]))));
    for length in [None, Some(1_000_000)] {
        let body = PutBody::stream(Body::from_stream(chunks()), length);
        let put = blobs
            .put("x", body, &options(WriteCondition::Always))
            .await
            .unwrap();
        assert!(matches!(put, Put::Done(_)));
        assert_eq!(blobs.head("x").await.unwrap().unwrap().size, 1_000_000);
    }

    for length in [None, Some(2_000_000)] {
        let gone = stream::once(async { Err(std::io::Error::other("the caller is gone")) });
        let body = PutBody::stream(Body::from_stream(chunks().chain(gone)), length);
        let put = blobs
            .put("broken", body, &options(WriteCondition::Always))
            .await;
        assert!(matches!(put, Err(Error::IncompleteBody(_))), "{put:?}");
        assert!(blobs.head("broken").await.unwrap().is_none());
    }
}

#[tokio::test]
async fn every_call_sends_credentials_and_reads_bypass_the_cache() {
    let server = BlobServer::start().await;
    let seen = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let (noted, fails) = (
        seen.clone(),
        first(1, Fault::error(503, "service_unavailable")),
    );
    server.fail_with(move |request| {
        noted
            .lock()
            .unwrap()
            .push((request.uri.to_string(), request.headers.clone()));
        fails(request)
    });
    let oidc = BlobConfig {
        store_id: Some("store_Named".to_owned()),
        ..config(&server)
    };
    let _ = BlobClient::new(oidc)
        .blobs(Some(&Secret::new("of-the-request".to_owned())))
        .head("x")
        .await;
    let _ = blobs(&server).read("x", 10).await;
    let public = BlobConfig {
        access: BlobAccess::Public,
        ..config(&server)
    };
    let _ = BlobClient::new(public).blobs(None).read("x", 10).await;

    let seen = seen.lock().unwrap();
    let header = |index: usize, name: &str| seen[index].1[name].to_str().unwrap().to_owned();
    assert_eq!(header(0, "authorization"), "Bearer of-the-request");
    assert_eq!(header(0, "x-api-version"), "12");
    assert_eq!(header(0, "x-vercel-blob-store-id"), "Named");
    let id = header(0, "x-api-blob-request-id");
    assert!(id.starts_with("Named:"), "{id}");
    let attempts = [0, 1].map(|index| header(index, "x-api-blob-request-attempt"));
    assert_eq!(attempts, ["0", "1"]);
    assert_eq!(header(1, "x-api-blob-request-id"), id);
    assert!(seen[2].0.ends_with("/content/x?cache=0"), "{}", seen[2].0);
    assert_eq!(header(2, "accept-encoding"), "identity");
    assert!(seen[3].0.contains("/content/x?cache=0&v="), "{}", seen[3].0);
}

#[tokio::test]
async fn transient_errors_are_retried_and_others_are_returned() {
    let server = BlobServer::start().await;
    let blobs = || blobs(&server);
    put(&blobs(), "x", "one", WriteCondition::Always)
        .await
        .unwrap();
    let html = |status| Fault::Answer {
        status,
        headers: vec![("content-type", "text/html".to_owned())],
        body: "<html>Bad gateway</html>".to_owned(),
    };
    for fault in [
        Fault::Close,
        Fault::LoseAnswer,
        Fault::error(500, "internal_server_error"),
        Fault::error(503, "service_unavailable"),
        Fault::error(429, "rate_limited"),
        Fault::BreakBody(1),
        html(502),
        html(400),
        html(200),
    ] {
        server.fail_with(first(2, fault.clone()));
        assert_eq!(
            blobs().head("x").await.unwrap().unwrap().size,
            3,
            "{fault:?}"
        );
        server.fail_with(first(2, fault.clone()));
        assert_eq!(
            text(&blobs(), "x").await.as_deref(),
            Some("one"),
            "{fault:?}"
        );
        server.clear();
        server.fail_with(move |_| fault.clone());
        let started = Instant::now();
        assert!(blobs().list("", 10, None, false).await.is_err());
        assert!(started.elapsed() < LIMIT);
        assert_eq!(server.requests().len(), 1 + MAX_RETRIES as usize);
    }
    server.clear();
    server.fail_with(|_| Fault::error(403, "forbidden"));
    let refused = blobs().head("x").await.unwrap_err();
    assert!(
        matches!(&refused, Error::ErrorResponse { code, .. } if code == "forbidden"),
        "{refused}"
    );
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn retry_after_is_waited_for_only_if_short() {
    let server = BlobServer::start().await;
    let limited = |seconds: &str| Fault::Answer {
        status: 429,
        headers: vec![("retry-after", seconds.to_owned())],
        body: r#"{"error":{"code":"rate_limited","message":"slow down"}}"#.to_owned(),
    };
    server.fail_with(first(1, limited("1")));
    let started = Instant::now();
    assert!(blobs(&server).head("x").await.unwrap().is_none());
    assert!(started.elapsed() >= Duration::from_secs(1));

    server.clear();
    server.fail_with(first(1, limited("60")));
    let started = Instant::now();
    assert!(blobs(&server).head("x").await.is_err());
    assert!(started.elapsed() < Duration::from_secs(1));
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn write_with_a_lost_answer_succeeds() {
    let server = BlobServer::start().await;
    let blobs = || blobs(&server);
    server.fail_with(first(1, Fault::LoseAnswer));
    let created = put(&blobs(), "x", "one", WriteCondition::IfMissing).await;
    let created = created.expect("the blob written by the first attempt");

    server.fail_with(first(1, Fault::LoseAnswer));
    let fresh = WriteCondition::IfMatch(created.etag);
    assert!(put(&blobs(), "x", "two", fresh.clone()).await.is_some());
    assert_eq!(text(&blobs(), "x").await.as_deref(), Some("two"));

    server.fail_with(first(1, Fault::LoseAnswer));
    assert!(put(&blobs(), "x", "three", fresh).await.is_none());
    assert_eq!(text(&blobs(), "x").await.as_deref(), Some("two"));
}

#[tokio::test]
async fn streamed_put_is_sent_once() {
    let server = BlobServer::start().await;
    server.fail_with(|_| Fault::error(503, "service_unavailable"));
    let body = PutBody::stream(Body::from("x"), Some(1));
    let put = blobs(&server)
        .put("x", body, &options(WriteCondition::Always))
        .await;
    assert!(matches!(put, Err(Error::ErrorResponse { .. })), "{put:?}");
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn silent_or_unreachable_service_fails_in_limited_time() {
    let server = BlobServer::start().await;
    server.fail_with(|_| Fault::Hang);
    let streamed = || PutBody::stream(Body::from("x"), Some(1));
    let limited = options(WriteCondition::Always);
    let started = Instant::now();
    let silent = [blobs(&server), blobs(&server), blobs(&server)];
    let (head, read, put) = tokio::join!(
        silent[0].head("x"),
        silent[1].read("x", 10),
        silent[2].put("x", streamed(), &limited),
    );
    assert!(matches!(head, Err(Error::Timeout)), "{head:?}");
    assert!(matches!(read, Err(Error::Timeout)), "{read:?}");
    assert!(matches!(put, Err(Error::Timeout)), "{put:?}");
    assert!(started.elapsed() < LIMIT);

    let port = ReservedPort::new();
    let nowhere = BlobConfig {
        api_url: Some(format!("http://127.0.0.1:{port}")),
        content_url: None,
        ..config(&server)
    };
    let started = Instant::now();
    let nowhere = BlobClient::new(nowhere).blobs(None);
    assert!(matches!(nowhere.head("x").await, Err(Error::Transport(_))));
    assert!(matches!(
        nowhere.read("x", 10).await,
        Err(Error::Transport(_))
    ));
    let put = nowhere.put("x", streamed(), &limited).await;
    assert!(matches!(put, Err(Error::Transport(_))), "{put:?}");
    assert!(started.elapsed() < LIMIT);
}

#[tokio::test]
async fn errors_and_debug_output_do_not_contain_the_token() {
    let hidden = BlobConfig {
        read_write_token: Some(Secret::new("vercel_blob_rw_local_hidden".to_owned())),
        api_url: Some("http://127.0.0.1:1".to_owned()),
        ..BlobConfig::default()
    };
    let client = BlobClient::new(hidden);
    let oidc_token = Secret::new("hidden".to_owned());
    let blobs = client.blobs(Some(&oidc_token));
    let error = blobs.head("x").await.unwrap_err();
    let shown = format!("{client:?} {blobs:?} {error:?} {error}");
    assert!(!shown.contains("hidden"), "{shown}");

    let nothing = BlobClient::new(BlobConfig::default()).blobs(Some(&oidc_token));
    assert!(matches!(nothing.head("x").await, Err(Error::NotConfigured)));
}
