//! Sample skills while the Blob store is missing or down.

use axum::http::Method;
use futures_util::future::join_all;
use llmos::blob::BlobConfig;
use llmos::config::{Config, StorageFallback};
use serde_json::{Value, json};

use super::{ids, new_skill};
use crate::support::{BlobServer, Client, Response, blob_config, ReservedPort, in_process};

#[track_caller]
fn assert_sample(response: &Response) {
    assert_eq!(response.header("x-llmos-storage"), Some("samples"));
    if response.header("content-type").unwrap().ends_with("json") {
        assert_eq!(response.json()["fallback"], true);
    }
}

async fn assert_writes_fail(api: &Client, names: &str) {
    let create = new_skill("x").to_string();
    let writes = [
        (Method::POST, "/api/skills", create.as_str()),
        (
            Method::PUT,
            "/api/skills/skill_001?volume=system",
            r#"{"version":"2"}"#,
        ),
        (Method::PATCH, "/api/skills/skill_001", "{}"),
        (Method::DELETE, "/api/skills/skill_001", ""),
        (
            Method::POST,
            "/api/skills/skill_001/usage",
            r#"{"success":true}"#,
        ),
    ];
    let sent = writes.map(|(method, path, body)| api.send_json(method, path, body));
    for response in join_all(sent).await {
        assert_eq!(response.header("retry-after"), Some("1"));
        let problem = response.assert_error(503, "storage_unavailable");
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains(names), "{problem}");
    }
}

/// A store at an address that rejects connections.
fn refusing_store(port: &ReservedPort) -> BlobConfig {
    BlobConfig {
        read_write_token: Some(llmos::util::secret::Secret::new(BlobServer::TOKEN.to_owned())),
        api_url: Some(format!("http://127.0.0.1:{port}")),
        ..BlobConfig::default()
    }
}

#[tokio::test]
async fn reads_without_a_blob_token_return_samples_and_writes_name_the_variable() {
    let api = in_process(Config {
        vercel_env: Some("production".to_owned()),
        ..Config::default()
    });

    let list = api.get("/api/skills").await.assert_status(200);
    assert_sample(&list);
    assert_eq!(ids(&list.json()), ["skill_001", "skill_002"]);
    assert_eq!(list.json()["next_cursor"], Value::Null);
    for (id, name, description, tags, code) in [
        (
            "skill_001",
            "quantum_circuit_builder",
            "Builds quantum circuits with error correction",
            json!(["quantum", "qiskit"]),
            "QuantumCircuit(",
        ),
        (
            "skill_002",
            "data_analyzer",
            "Analyzes CSV data and generates insights",
            json!(["data", "analysis"]),
            "csv.DictReader(",
        ),
    ] {
        let found = api
            .get(&format!("/api/skills/{id}"))
            .await
            .assert_status(200);
        assert_sample(&found);
        let skill = found.json();
        for (field, expected) in [
            ("id", json!(id)),
            ("name", json!(name)),
            ("description", json!(description)),
            ("tags", tags),
            ("language", json!("python")),
            ("volume", json!("system")),
            ("volume_id", json!("system")),
            ("warnings", json!([])),
        ] {
            assert_eq!(skill[field], expected, "{field} of {id}");
        }
        assert!(skill["code"].as_str().unwrap().contains(code));
        let text = api
            .get(&format!("/api/skills/{id}?volume=system&format=markdown"))
            .await
            .assert_status(200);
        assert_sample(&text);
        assert_eq!(text.body, skill["content"].as_str().unwrap().as_bytes());
    }
    for path in ["/api/skills/skill_003", "/api/skills/skill_001?volume=user"] {
        api.get(path).await.assert_error(404, "not_found");
    }
    assert_writes_fail(&api, "BLOB_READ_WRITE_TOKEN").await;
}

#[tokio::test]
async fn samples_are_filtered_like_skills() {
    let api = in_process(Config::default());

    for (query, expected) in [
        ("q=csv", vec!["skill_002"]),
        ("tag=QUANTUM", vec!["skill_001"]),
        ("category=x", vec![]),
        ("volume=user", vec![]),
        ("volume=system", vec!["skill_001", "skill_002"]),
        ("effective=true", vec!["skill_001", "skill_002"]),
    ] {
        let list = api
            .get(&format!("/api/skills?{query}"))
            .await
            .assert_status(200);
        assert_sample(&list);
        assert_eq!(ids(&list.json()), expected, "{query}");
    }
    api
        .get("/api/skills?cursor=x")
        .await
        .assert_error(400, "invalid_request");
    api.get("/api/skills?volume=x")
        .await
        .assert_invalid("volume");
}

#[tokio::test]
async fn samples_are_returned_while_blob_is_down_except_in_production() {
    let cases = [
        (None, None, true),
        (Some("preview"), None, true),
        (Some("production"), None, false),
        (Some("production"), Some(StorageFallback::Samples), true),
        (Some("preview"), Some(StorageFallback::Off), false),
    ];
    let port = ReservedPort::new();
    join_all(cases.map(|(environment, fallback, shows_samples)| {
        let config = Config {
            vercel_env: environment.map(ToOwned::to_owned),
            storage_fallback: fallback,
            blob: refusing_store(&port),
            ..Config::default()
        };
        check_while_blob_is_down(config, shows_samples)
    }))
    .await;
}

async fn check_while_blob_is_down(config: Config, shows_samples: bool) {
    let api = in_process(config);
    let paths = [
        "/api/skills",
        "/api/skills/skill_001",
        "/api/skills/skill_002?format=markdown",
    ];
    for response in join_all(paths.map(|path| api.get(path))).await {
        if shows_samples {
            assert_sample(&response.assert_status(200));
        } else {
            assert_eq!(response.header("x-llmos-storage"), None);
            response.assert_error(503, "storage_unavailable");
        }
    }
    // The item may exist, so an unreachable store must not turn into a 404.
    let other = api.get("/api/skills/other").await;
    other.assert_error(503, "storage_unavailable");
    assert_writes_fail(&api, "storage").await;
}

#[tokio::test]
async fn fallback_can_be_disabled_without_a_blob_token() {
    let api = in_process(Config {
        storage_fallback: Some(StorageFallback::Off),
        ..Config::default()
    });

    for path in ["/api/skills", "/api/skills/skill_001", "/api/skills/other"] {
        let problem = api.get(path).await.assert_error(503, "storage_unavailable");
        assert!(
            problem["detail"]
                .as_str()
                .unwrap()
                .contains("BLOB_READ_WRITE_TOKEN")
        );
    }
}

#[tokio::test]
async fn working_store_returns_no_samples() {
    let blobs = BlobServer::start().await;
    let api = in_process(Config {
        blob: blob_config(&blobs),
        ..Config::default()
    });

    let list = api.get("/api/skills").await.assert_status(200);
    assert_eq!(list.header("x-llmos-storage"), None);
    assert_eq!(list.json(), json!({"skills": [], "next_cursor": null}));
    api
        .get("/api/skills/skill_001")
        .await
        .assert_error(404, "not_found");
}
