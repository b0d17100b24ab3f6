//! `rediss://`: a redis-server behind TLS with a certificate that only `REDIS_CA_CERT` trusts.

use llmos::config::Config;
use serde_json::json;

use crate::support::{TlsRedis, config, in_process};

#[tokio::test]
async fn sessions_are_stored_in_a_redis_behind_tls() {
    let server = TlsRedis::start().await;
    let api = in_process(Config {
        redis_ca_cert: Some(server.authority.clone()),
        ..config(&server.url())
    });

    let session = api.session("over TLS").await;
    api.append(&session.id, "hello").await.assert_status(200);
    let found = api.get(&session.path()).await.assert_status(200);

    assert_eq!(found.json()["messages"][0]["content"], "hello");
    assert_eq!(server.redis.keys()[0], "all:sessions");
}

#[tokio::test]
async fn server_with_an_untrusted_certificate_is_rejected() {
    let server = TlsRedis::start().await;
    let api = in_process(config(&server.url()));

    let body = json!({"name": "over TLS", "volume": "user"});
    let created = api.post("/api/sessions", &body).await;
    created.assert_error(503, "storage_unavailable");

    assert!(server.redis.keys().is_empty());
}
