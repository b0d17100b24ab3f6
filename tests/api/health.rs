//! `/api/health`: the state of each part.

use std::time::Duration;

use llmos::blob::BlobConfig;
use llmos::config::Config;
use llmos::util::secret::Secret;
use serde_json::Value;

use crate::support::{
    BlobServer, Fault, Issuer, KeyServer, ModelServer, Redis, TestApp, config, in_process,
};

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

/// Returns the part `jwks` of a health check with this `AUTH_JWKS_URL`.
async fn jwks_part(url: String, status: u16) -> Value {
    let redis = Redis::start().await;
    let mut config = config(&redis.url());
    config.access.auth.jwks_url = Some(url);
    let health = in_process(config).get("/api/health").await;
    let health = health.assert_status(status).json();
    assert_eq!(health["redis"]["status"], "ok", "{health}");
    health["jwks"].clone()
}

#[tokio::test]
async fn health_includes_the_published_keys() {
    let issuer = Issuer::es256("ec");
    let server = KeyServer::start(&[&issuer]).await;
    server.redirect(1);
    assert_eq!(jwks_part(server.url(), 200).await["status"], "ok");

    let without = TestApp::start().await.api.get("/api/health").await;
    assert_eq!(without.assert_status(200).json()["jwks"], Value::Null);
}

#[tokio::test]
async fn unavailable_keys_are_503_with_the_cause() {
    let server = KeyServer::start(&[]).await;
    let answer = |status, header, value: &str, body: &str| Fault::Answer {
        status,
        headers: vec![(header, value.to_owned())],
        body: body.to_owned(),
    };
    let metadata = r#"{"issuer": "https://id.example", "jwks_uri": "https://id.example/keys"}"#;
    let unusable = r#"{"keys": [{"kty": "EC", "crv": "P-521", "x": "", "y": ""}]}"#;
    let set_to_uri =
        "set AUTH_JWKS_URL to the `jwks_uri` in the issuer's /.well-known/openid-configuration";
    for (fault, cause, remedy) in [
        (
            answer(
                301,
                "location",
                "http://user:hidden@id.example/keys?hidden",
                "",
            ),
            "the URL redirects to http://id.example/keys, which is not followed",
            "set AUTH_JWKS_URL to the https URL of the JWKS itself",
        ),
        (
            answer(404, "content-type", "text/plain", "no"),
            "the server responded with 404 Not Found",
            set_to_uri,
        ),
        (
            answer(200, "content-type", "application/json", metadata),
            "the response is the metadata of the identity provider, not its JWKS",
            set_to_uri,
        ),
        (
            answer(200, "content-type", "application/json", unusable),
            "the JWKS has no usable signing key: the first one cannot be used, because its `crv` P-521 is not supported, \
             only P-256",
            "let the identity provider sign tokens with an algorithm that docs/access-control.md lists",
        ),
    ] {
        server.fail_with(fault);
        let part = jwks_part(server.url(), 503).await;
        assert_eq!(part["status"], "failing", "{part}");
        assert_eq!(
            part["reason"],
            format!("the keys at AUTH_JWKS_URL: {cause}")
        );
        assert_eq!(part["remedy"], remedy);
    }
}

#[tokio::test]
async fn health_checks_fetch_keys_at_most_once_a_minute() {
    let issuer = Issuer::es256("ec");
    let server = KeyServer::start(&[&issuer]).await;
    let redis = Redis::start().await;
    let mut config = config(&redis.url());
    config.access.auth.jwks_url = Some(server.url());
    let api = in_process(config);
    for _ in 0..5 {
        api.get("/api/health").await.assert_status(200);
    }
    assert_eq!(server.requests(), 1);
}

#[tokio::test]
async fn health_names_the_model_provider_without_asking_it() {
    let (redis, model) = tokio::join!(Redis::start(), ModelServer::start());
    let health = in_process(config(&redis.url())).get("/api/health").await;
    assert_eq!(health.assert_status(200).json()["model"], Value::Null);

    let mut config = config(&redis.url());
    config.model.base_url = Some(Secret::new(model.base_url()));
    config.model.model = Some("some-model".to_owned());
    let health = in_process(config).get("/api/health").await;

    let expected = serde_json::json!({"provider": "custom", "model": "some-model"});
    assert_eq!(health.assert_status(200).json()["model"], expected);
    assert_eq!(model.connections(), 0);
}
