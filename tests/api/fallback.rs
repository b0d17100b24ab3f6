//! Sample sessions while Redis is missing or down.

use axum::http::Method;
use llmos::config::{Config, StorageFallback};
use serde_json::{Value, json};

use crate::support::{Client, Response, config, in_process};

/// The URL of a Redis that does not exist.
const NOWHERE: &str = "redis+unix:///nowhere/redis.sock";

fn ids(list: &Value) -> Vec<&str> {
    list["sessions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|session| session["id"].as_str().unwrap())
        .collect()
}

#[track_caller]
fn assert_sample(response: &Response) {
    assert_eq!(response.header("x-llmos-storage"), Some("samples"));
    assert_eq!(response.json()["fallback"], true);
}

async fn assert_writes_fail(api: &Client, names: &str) {
    for (method, path, body) in [
        (
            Method::POST,
            "/api/sessions",
            r#"{"name":"x","volume":"user"}"#,
        ),
        (
            Method::POST,
            "/api/sessions/sess_data_analysis/messages",
            r#"{"role":"user","content":"x"}"#,
        ),
        (
            Method::PUT,
            "/api/sessions/sess_data_analysis?status=active",
            "",
        ),
        (Method::DELETE, "/api/sessions/sess_data_analysis", ""),
    ] {
        let problem = api
            .send_json(method, path, body)
            .await
            .assert_error(503, "storage_unavailable");
        assert!(
            problem["detail"].as_str().unwrap().contains(names),
            "{problem}"
        );
    }
}

#[tokio::test]
async fn reads_without_a_redis_url_return_samples_and_writes_name_the_variable() {
    let api = in_process(Config {
        vercel_env: Some("production".to_owned()),
        ..Config::default()
    });

    let list = api.get("/api/sessions").await.assert_status(200);
    assert_sample(&list);
    assert_eq!(
        ids(&list.json()),
        ["sess_quantum_research", "sess_data_analysis"]
    );
    let found = api
        .get("/api/sessions/sess_quantum_research")
        .await
        .assert_status(200);
    assert_sample(&found);
    let messages = api
        .get("/api/sessions/sess_quantum_research/messages?after=1")
        .await
        .assert_status(200);
    assert_sample(&messages);
    assert_eq!(messages.json()["messages"].as_array().unwrap().len(), 1);
    api.get("/api/sessions/sess_other")
        .await
        .assert_error(404, "not_found");
    assert_writes_fail(&api, "REDIS_URL").await;
}

#[tokio::test]
async fn samples_have_their_documented_content() {
    let api = in_process(Config::default());

    assert_eq!(
        api.get("/api/sessions/sess_quantum_research")
            .await
            .assert_status(200)
            .json(),
        json!({
            "id": "sess_quantum_research", "name": "Quantum Research", "volume": "user", "volume_id": "default",
            "status": "active", "metadata": {"project": "qiskit-studio"}, "traces_count": 3, "message_count": 2, "last_seq": 2,
            "created_at": "2025-12-13T10:00:00Z", "updated_at": "2025-12-13T10:30:00Z", "fallback": true,
            "title_source": "client", "pinned": false, "archived": false, "tags": [], "active_turn": null,
            "messages": [
                {"id": "msg_1", "seq": 1, "parent_id": null, "role": "user",
                 "content": "Create a quantum circuit with 3 qubits",
                 "timestamp": "2025-12-13T10:00:00Z", "traces": null, "artifacts": null, "parts": null,
                 "metadata": null, "status": "completed", "model": null, "usage": null,
                 "updated_at": "2025-12-13T10:00:00Z"},
                {"id": "msg_2", "seq": 2, "parent_id": "msg_1", "role": "assistant",
                 "content": "I'll create a quantum circuit with 3 qubits using Qiskit.",
                 "timestamp": "2025-12-13T10:00:05Z", "traces": [1, 2, 3],
                 "artifacts": ["quantum_circuit.py", "circuit_diagram.png"], "parts": null, "metadata": null,
                 "status": "completed", "model": null, "usage": null, "updated_at": "2025-12-13T10:00:05Z"},
            ],
        })
    );
    let other = api
        .get("/api/sessions/sess_data_analysis")
        .await
        .assert_status(200)
        .json();
    assert_eq!(
        (&other["volume"], &other["status"], &other["traces_count"]),
        (&"team".into(), &"paused".into(), &5.into())
    );
    assert_eq!(other["metadata"], json!({"team": "analytics"}));
    assert_eq!(
        (&other["created_at"], &other["updated_at"]),
        (
            &"2025-12-12T14:00:00Z".into(),
            &"2025-12-12T16:00:00Z".into()
        )
    );
    assert_eq!(
        other["messages"][0]["content"],
        "Analyze sales data from Q4"
    );
}

#[tokio::test]
async fn samples_are_filtered_and_paged_like_sessions() {
    let api = in_process(Config::default());

    for (query, expected) in [
        ("volume=team", vec!["sess_data_analysis"]),
        ("volume=user&volume_id=other", vec![]),
        ("status=active", vec!["sess_quantum_research"]),
        ("archived=true", vec![]),
        ("metadata.team=analytics", vec!["sess_data_analysis"]),
        (
            "sort=created&order=asc&include=total",
            vec!["sess_data_analysis", "sess_quantum_research"],
        ),
    ] {
        assert_eq!(
            ids(&api.get(&format!("/api/sessions?{query}")).await.json()),
            expected
        );
    }
    let first = api
        .get("/api/sessions?limit=1")
        .await
        .assert_status(200)
        .json();
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = api
        .get(&format!("/api/sessions?limit=1&cursor={cursor}"))
        .await
        .assert_status(200)
        .json();
    assert_eq!(
        (ids(&second), &second["next_cursor"]),
        (vec!["sess_data_analysis"], &Value::Null)
    );
}

#[tokio::test]
async fn samples_are_returned_while_redis_is_down_except_in_production() {
    for (environment, fallback, shows_samples) in [
        (None, None, true),
        (Some("development"), None, true),
        (Some("preview"), None, true),
        (Some("production"), None, false),
        (Some("production"), Some(StorageFallback::Samples), true),
        (Some("preview"), Some(StorageFallback::Off), false),
    ] {
        let api = in_process(Config {
            vercel_env: environment.map(ToOwned::to_owned),
            storage_fallback: fallback,
            ..config(NOWHERE)
        });
        for path in [
            "/api/sessions",
            "/api/sessions/sess_data_analysis",
            "/api/sessions/sess_data_analysis/messages",
        ] {
            let response = api.get(path).await;
            if shows_samples {
                assert_sample(&response.assert_status(200));
            } else {
                response.assert_error(503, "storage_unavailable");
            }
        }
        // The item may exist, so an unreachable store must not turn into a 404.
        api.get("/api/sessions/sess_other")
            .await
            .assert_error(503, "storage_unavailable");
        assert_writes_fail(&api, "storage").await;
    }
}

#[tokio::test]
async fn fallback_can_be_disabled_without_a_redis_url() {
    let api = in_process(Config {
        storage_fallback: Some(StorageFallback::Off),
        ..Config::default()
    });

    let problem = api
        .get("/api/sessions")
        .await
        .assert_error(503, "storage_unavailable");
    assert!(problem["detail"].as_str().unwrap().contains("REDIS_URL"));
}
