//! Rate limit keys: one per API key, user or client address.

use std::net::SocketAddr;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::Request;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use llmos::app::App;
use llmos::auth::new_key;
use llmos::config::Config;
use llmos::http::{self, layers::service};
use llmos::util::secret::Secret;
use ring::hmac;
use serde_json::json;
use tower::ServiceExt;

use super::super::support::{Client, Process, Redis, in_process};
use super::{assert_limited, limited, limited_keys, list, with_key};

const FORGED: [(&str, &str); 5] = [
    ("x-forwarded-for", "198.51.100.1"),
    ("x-real-ip", "198.51.100.2"),
    ("forwarded", "for=198.51.100.3"),
    ("cf-connecting-ip", "198.51.100.4"),
    ("x-vercel-forwarded-for", "198.51.100.5"),
];

#[tokio::test]
async fn api_keys_have_separate_limits() {
    let redis = Redis::start().await;
    let keys = [
        new_key("one", "user/alice").unwrap(),
        new_key("two", "user/alice").unwrap(),
    ];
    let entries = keys.clone().map(|(_, entry)| entry);
    let api = limited_keys(&redis, 1, &entries);
    for (key, _) in &keys {
        let api = with_key(&api, key);
        list(&api).await.assert_status(200);
        assert_limited(list(&api).await, 1);
    }
}

#[tokio::test]
async fn users_have_separate_limits_and_tokens_of_one_user_share_one() {
    const SECRET: &str = "a-secret-of-this-test-that-is-long-enough";
    let redis = Redis::start().await;
    let mut config = limited(&redis, 1);
    config.access.auth.jwt_secret = Some(Secret::new(SECRET.to_owned()));
    let api = in_process(config);
    for user in ["alice", "bob"] {
        let calls = [1, 2].map(|number| with_key(&api, &token(SECRET, user, number)));
        list(&calls[0]).await.assert_status(200);
        assert_limited(list(&calls[1]).await, 1);
    }
}

/// Signs a token that is valid for some minutes.
fn token(secret: &str, user: &str, number: u32) -> String {
    let encode = |value: serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let until = chrono::Utc::now().timestamp() + 300;
    let claims = json!({"sub": user, "exp": until, "jti": number.to_string()});
    let signed = format!("{}.{}", encode(json!({"alg": "HS256"})), encode(claims));
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let signature = hmac::sign(&key, signed.as_bytes());
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}

#[tokio::test]
async fn api_key_with_the_name_of_a_user_or_address_has_its_own_limit() {
    let redis = Redis::start().await;
    let (key, entry) = new_key("unknown", "admin").unwrap();
    let named = limited_keys(&redis, 1, &[entry]);
    let anonymous = in_process(limited(&redis, 1));
    list(&with_key(&named, &key)).await.assert_status(200);
    list(&anonymous).await.assert_status(200);
    assert_limited(list(&anonymous).await, 1);
}

fn on_vercel(redis: &Redis) -> Client {
    let mut config = limited(redis, 1);
    config.is_on_vercel = true;
    config.access.is_network_reachable = true;
    config.access.allow_anonymous = true;
    in_process(config)
}

#[tokio::test]
async fn anonymous_callers_on_vercel_are_limited_by_forwarded_address() {
    let redis = Redis::start().await;
    let api = on_vercel(&redis);
    let from = |address: &str| api.with_header("x-vercel-forwarded-for", address);
    for address in [
        "203.0.113.1",
        "203.0.113.2",
        "2001:db8:1:2::1",
        "2001:db8:1:3::1",
    ] {
        list(&from(address)).await.assert_status(200);
        assert_limited(list(&from(address)).await, 1);
    }
    // All addresses of one IPv6 /64 network belong to one customer of a provider, so they share a limit.
    for same in [
        "2001:db8:1:2:ffff:ffff:ffff:ffff",
        "2001:0db8:0001:0002::2",
        "::ffff:203.0.113.1",
        "203.0.113.1, 198.51.100.7",
    ] {
        assert_limited(list(&from(same)).await, 1);
    }
    for (name, value) in &FORGED[..4] {
        assert_limited(
            list(&from("203.0.113.1").with_header(name, *value)).await,
            1,
        );
    }
}

#[tokio::test]
async fn invalid_forwarded_addresses_on_vercel_share_one_limit() {
    let redis = Redis::start().await;
    let api = on_vercel(&redis);
    list(&api).await.assert_status(200);
    for text in [
        "",
        "x",
        "203.0.113",
        "203.0.113.1:80",
        "[::1]",
        "unknown",
        ",",
    ] {
        let api = api.with_header("x-vercel-forwarded-for", text);
        assert_limited(list(&api).await, 1);
    }
    for (name, value) in &FORGED[..4] {
        assert_limited(list(&api.with_header(name, *value)).await, 1);
    }
    assert_eq!(redis.keys(), [super::UNKNOWN]);
}

/// Sends a request with a peer address, as the local server does, and returns its status.
async fn status_from(config: &Config, peer: &str, headers: &[(&str, &str)]) -> u16 {
    let service = service(http::router(), App::new(config.clone()));
    let peer: SocketAddr = peer.parse().unwrap();
    let mut request = Request::builder().uri("/api/sessions");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.extension(ConnectInfo(peer)).body(Body::empty());
    let router = Router::new().fallback_service(service);
    router
        .oneshot(request.unwrap())
        .await
        .unwrap()
        .status()
        .as_u16()
}

#[tokio::test]
async fn forwarded_address_outside_vercel_is_ignored() {
    let redis = Redis::start().await;
    let config = limited(&redis, 1);
    assert_eq!(status_from(&config, "192.0.2.7:1000", &[]).await, 200);
    assert_eq!(status_from(&config, "192.0.2.8:1000", &[]).await, 200);
    for forged in FORGED {
        let status = status_from(&config, "192.0.2.7:2000", &[forged]).await;
        assert_eq!(status, 429, "{forged:?}");
    }
    let all = status_from(&config, "[::ffff:192.0.2.7]:3000", &FORGED).await;
    assert_eq!(all, 429);
    assert_eq!(
        redis.keys(),
        [
            "llmos:rate:address 192.0.2.7",
            "llmos:rate:address 192.0.2.8"
        ]
    );
}

#[tokio::test]
async fn local_server_limits_callers_by_peer_address() {
    let directory = tempfile::TempDir::new().unwrap();
    let redis = Redis::start().await;
    let environment = [("REDIS_URL", &*redis.url()), ("RATE_LIMIT", "2")];
    let (_process, api) = Process::local_server(directory.path(), &environment).await;
    let api = api.unwrap();
    list(&api).await.assert_status(200);
    for (name, value) in FORGED {
        let _ = list(&api.with_header(name, value)).await;
    }
    assert_limited(list(&api).await, 2);
    assert_eq!(redis.keys(), ["llmos:rate:address 127.0.0.1"]);
}
