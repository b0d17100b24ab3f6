//! `rediss://`: a real redis-server behind TLS, whose authority only `REDIS_CA_CERT` knows.

use llmos::config::Config;
use serde_json::json;

use crate::support::{TlsRedis, config, in_process};

#[tokio::test]
async fn sessions_are_kept_in_a_redis_behind_tls() {
    let server = TlsRedis::start().await;
    let api = in_process(Config {
        redis_ca_cert: Some(server.authority.clone()),
        ..config(&server.url())
    });

    let id = api.create_session("over TLS").await;
    let _ = api.append(&id, "hello").await.assert_status(200);
    let found = api
        .get(&format!("/api/sessions/{id}"))
        .await
        .assert_status(200);

    assert_eq!(found.json()["messages"][0]["content"], "hello");
    assert_eq!(server.redis.keys()[0], "all:sessions");
}

#[tokio::test]
async fn a_server_of_an_unknown_authority_is_not_spoken_to() {
    let server = TlsRedis::start().await;
    let api = in_process(config(&server.url()));

    let body = json!({"name": "over TLS", "volume": "user"});
    let created = api.post("/api/sessions", &body).await;
    created.assert_error(503, "storage_unavailable");

    assert!(server.redis.keys().is_empty());
}
