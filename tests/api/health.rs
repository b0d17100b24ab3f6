//! `/api/health`: the state of each part.

use std::time::Duration;

use llmos::blob::BlobConfig;
use llmos::config::Config;
use llmos::util::secret::Secret;

use crate::support::{BlobServer, Fault, Redis, TestApp, config, in_process};

#[tokio::test]
async fn working_redis_is_ok() {
    let app = TestApp::start().await;

    let health = app.api.get("/api/health").await.assert_status(200).json();

    assert_eq!(health["status"], "ok");
    assert_eq!(health["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(health["redis"]["status"], "ok");
    assert!(health["redis"]["milliseconds"].is_number());
}

#[tokio::test]
async fn health_includes_the_deployment_metadata_of_vercel() {
    let config = Config {
        commit: Some("0123abc".to_owned()),
        vercel_region: Some("fra1".to_owned()),
        ..Config::default()
    };

    let health = in_process(config)
        .get("/api/health")
        .await
        .assert_status(200)
        .json();

    assert_eq!(
        (&health["commit"], &health["region"]),
        (&"0123abc".into(), &"fra1".into())
    );
    assert_eq!(health["redis"]["status"], "not_configured");
    assert_eq!(health["redis"]["reason"], "REDIS_URL is not set");
}

#[tokio::test]
async fn unreachable_redis_is_503_with_the_cause() {
    let mut app = TestApp::start().await;
    app.redis.kill();

    let response = app.api.get("/api/health").await.assert_status(503);

    assert!(response.elapsed < Duration::from_secs(1));
    let health = response.json();
    assert_eq!(
        (&health["status"], &health["redis"]["status"]),
        (&"failing".into(), &"failing".into())
    );
    assert!(!health["redis"]["reason"].as_str().unwrap().is_empty());
    assert!(!health["redis"]["remedy"].as_str().unwrap().is_empty());
}

#[tokio::test]
async fn malformed_redis_url_is_reported_without_its_value() {
    let api = in_process(config("http://user:hidden@host"));

    let response = api.get("/api/health").await.assert_status(503);

    assert!(!String::from_utf8_lossy(&response.body).contains("hidden"));
}

#[tokio::test]
async fn read_only_redis_is_failing() {
    let app = TestApp::start().await;
    app.redis
        .command::<()>(&["CONFIG", "SET", "maxmemory", "1"]);

    let health = app.api.get("/api/health").await.assert_status(503).json();

    assert!(
        health["redis"]["reason"]
            .as_str()
            .unwrap()
            .contains("memory of the server is full"),
        "{health}"
    );
}

#[tokio::test]
async fn working_blob_store_is_ok_and_a_rejecting_one_has_the_cause() {
    let (redis, blobs) = tokio::join!(Redis::start(), BlobServer::start());
    let token = Secret::new(BlobServer::TOKEN.to_owned());
    let api = in_process(Config {
        blob: BlobConfig {
            read_write_token: Some(token),
            api_url: Some(blobs.api_url()),
            ..BlobConfig::default()
        },
        ..config(&redis.url())
    });
    let health = api.get("/api/health").await.assert_status(200).json();
    assert_eq!(health["blob"]["status"], "ok", "{health}");

    blobs.fail_with(|_| Fault::error(403, "forbidden"));
    let health = api.get("/api/health").await.assert_status(503).json();

    assert_eq!(health["redis"]["status"], "ok", "{health}");
    assert_eq!(health["blob"]["status"], "failing", "{health}");
    let blob = &health["blob"];
    assert!(
        blob["reason"].as_str().unwrap().contains("forbidden"),
        "{health}"
    );
    assert!(
        blob["remedy"].as_str().unwrap().contains("token"),
        "{health}"
    );
}

#[tokio::test]
async fn unconfigured_blob_store_is_not_a_failure() {
    let app = TestApp::start().await;

    let health = app.api.get("/api/health").await.assert_status(200).json();

    assert_eq!(health["blob"]["status"], "not_configured", "{health}");
    let reason = health["blob"]["reason"].as_str().unwrap();
    assert!(reason.contains("BLOB_READ_WRITE_TOKEN"), "{health}");
}
