//! Reports of the doctor about a Blob store.

use std::time::Duration;

use super::{Run, doctor_with};
use crate::support::{BlobServer, Fault, Redis};

/// Runs the doctor with a working Redis and this store.
async fn doctor_on(blobs: &BlobServer, further: &[(&str, &str)]) -> Run {
    let redis = Redis::start().await;
    let (redis_url, api_url) = (redis.url(), blobs.api_url());
    let mut environment = vec![
        ("REDIS_URL", redis_url.as_str()),
        ("VERCEL_BLOB_API_URL", &api_url),
        ("BLOB_READ_WRITE_TOKEN", BlobServer::TOKEN),
    ];
    environment.extend(further);
    let run = doctor_with(&environment, "").await;
    assert!(!run.output.contains("development"), "{}", run.output);
    run
}

#[tokio::test]
async fn doctor_passes_on_a_working_store_and_leaves_nothing_behind() {
    let blobs = BlobServer::start().await;

    let run = doctor_on(&blobs, &[]).await;

    assert_eq!(run.code, Some(0), "{}", run.output);
    assert!(run.output.ends_with("everything works\n"), "{}", run.output);
    assert!(
        run.from('✓', "token")[0].contains("vercel_blob_rw_local_***"),
        "{}",
        run.output
    );
    for check in ["put", "head", "get", "list", "request", "delete"] {
        run.from('✓', check);
    }
    assert!(
        run.from('✓', "access")[0].contains("private"),
        "{}",
        run.output
    );
    let requests = blobs.requests();
    let deleted = requests
        .iter()
        .any(|it| it.starts_with("POST /_blob/delete"));
    assert!(deleted, "{requests:?}");
}

#[tokio::test]
async fn doctor_distinguishes_public_and_private_stores() {
    let blobs = BlobServer::start().await;

    let run = doctor_on(&blobs, &[("BLOB_ACCESS", "public")]).await;

    assert_eq!(run.code, Some(0), "{}", run.output);
    assert!(
        run.from('✓', "access")[0].contains("anyone with the URL"),
        "{}",
        run.output
    );
}

#[tokio::test]
async fn doctor_reports_a_store_that_rejects_private_blobs() {
    let blobs = BlobServer::start().await;
    blobs.fail_with(|request| match request.method.as_str() {
        "PUT" => Fault::Answer {
            status: 400,
            headers: vec![("content-type", "application/json".to_owned())],
            body: r#"{"error":{"code":"bad_request","message":"Cannot use private access on a public store"}}"#
                .to_owned(),
        },
        _ => Fault::Pass,
    });

    let run = doctor_on(&blobs, &[]).await;

    run.assert_failed("put", "private access on a public store", "BLOB_ACCESS");
}

#[tokio::test]
async fn doctor_warns_when_blob_access_is_unknown() {
    let blobs = BlobServer::start().await;
    blobs.fail_with(|request| {
        let is_anonymous = request.headers.get("authorization").is_none();
        if is_anonymous {
            Fault::Close
        } else {
            Fault::Pass
        }
    });

    let run = doctor_on(&blobs, &[]).await;

    run.from('!', "access");
    assert!(
        !run.output.contains("the token is required"),
        "{}",
        run.output
    );
}

#[tokio::test]
async fn doctor_reports_a_wrong_or_malformed_token() {
    let blobs = BlobServer::start().await;
    let wrong = [("BLOB_READ_WRITE_TOKEN", "vercel_blob_rw_local_hidden")];

    let run = doctor_on(&blobs, &wrong).await;

    assert!(
        run.from('✓', "token")[0].contains("vercel_blob_rw_local_***"),
        "{}",
        run.output
    );
    run.assert_failed(
        "connection",
        "forbidden",
        "copy the token of this environment",
    );

    let run = doctor_on(&blobs, &[("BLOB_READ_WRITE_TOKEN", "hidden")]).await;
    run.assert_failed("token", "malformed", "copy it again");
}

#[tokio::test]
async fn doctor_reports_a_store_that_is_down_or_does_not_answer() {
    let blobs = BlobServer::start().await;
    let refusing = [("VERCEL_BLOB_API_URL", "http://127.0.0.1:1/_blob")];
    let run = doctor_on(&blobs, &refusing).await;
    run.assert_failed("connection", "refused", "VERCEL_BLOB_API_URL");

    blobs.fail_with(|_| Fault::Hang);
    let started = std::time::Instant::now();
    let run = doctor_on(&blobs, &[]).await;
    run.assert_failed("connection", "timeout", "vercel-status.com");
    assert!(started.elapsed() < Duration::from_secs(15));
}

#[tokio::test]
async fn doctor_reports_unreadable_or_different_content() {
    let blobs = BlobServer::start().await;
    let elsewhere = [("BLOB_CONTENT_URL", "http://127.0.0.1:1/")];
    let run = doctor_on(&blobs, &elsewhere).await;
    run.assert_failed("get", "refused", "BLOB_CONTENT_URL");

    blobs.fail_with(|request| match request.uri.path() {
        path if path.starts_with("/_blob/content/") => Fault::Answer {
            status: 200,
            headers: vec![("etag", "\"x\"".to_owned())],
            body: "something else".to_owned(),
        },
        _ => Fault::Pass,
    });
    let run = doctor_on(&blobs, &[]).await;
    run.assert_failed("get", "something else", "real storage");
}
