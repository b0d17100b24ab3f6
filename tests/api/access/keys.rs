//! JWKS caching: how often keys are fetched, and key rotation.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

use super::super::support::{AUDIENCE, Client, Fault, ISSUER, Issuer, KeyServer, Process, Redis, in_process};
use super::{assert_rejected, call, closed, start, token, with, with_keys};

/// The longest time until a new key is accepted, with a margin.
const ROTATION_LIMIT: Duration = Duration::from_secs(62);

/// Returns `count` tokens with unknown key ids.
fn of_unknown_keys(count: usize) -> Vec<String> {
    let ids = (0..count).map(|number| format!("made-up-{number}"));
    ids.map(|id| token(&Issuer::es256(&id))).collect()
}

async fn assert_accepted(api: &Client, issuer: &Issuer) {
    call(&with(api, &token(issuer))).await.assert_status(200);
}

#[tokio::test]
async fn jwks_is_fetched_once_for_many_requests() {
    let issuer = Issuer::es256("ec");
    let server = KeyServer::start(&[&issuer]).await;
    let (api, redis) = start(with_keys(&server)).await;
    for _ in 0..30 {
        assert_accepted(&api, &issuer).await;
    }
    assert_eq!(server.requests(), 1);

    // Slow enough for all requests to arrive before the keys.
    server.fail_with(Fault::Delay(Duration::from_millis(300)));
    let other_instance = in_process(closed(&redis, with_keys(&server)));
    join_all((0..20).map(|_| assert_accepted(&other_instance, &issuer))).await;
    assert_eq!(server.requests(), 2);
}

#[tokio::test]
async fn unknown_key_ids_cause_few_fetches() {
    let issuer = Issuer::es256("ec");
    let server = KeyServer::start(&[&issuer]).await;
    let (api, redis) = start(with_keys(&server)).await;
    assert_accepted(&api, &issuer).await;
    let unknown = of_unknown_keys(100);
    for token in &unknown {
        let detail = assert_rejected(call(&with(&api, token)).await, true);
        assert!(detail.contains("unknown signing key"), "{detail}");
    }
    assert_accepted(&api, &issuer).await;
    assert!(server.requests() <= 2, "{}", server.requests());

    let before = server.requests();
    let other_instance = in_process(closed(&redis, with_keys(&server)));
    let callers = unknown.iter().map(|token| with(&other_instance, token));
    for answer in join_all(callers.map(async |api| call(&api).await)).await {
        assert_rejected(answer, true);
    }
    assert!(server.requests() <= before + 2, "{}", server.requests());
}

#[tokio::test]
async fn cached_keys_stay_valid_while_the_provider_is_down() {
    let issuer = Issuer::es256("ec");
    let mut server = KeyServer::start(&[&issuer]).await;
    let (api, _redis) = start(with_keys(&server)).await;
    assert_accepted(&api, &issuer).await;

    server.go_down().await;

    for token in of_unknown_keys(5) {
        assert_accepted(&api, &issuer).await;
        assert_rejected(call(&with(&api, &token)).await, true);
    }
}

#[tokio::test]
async fn disconnecting_callers_cause_one_fetch() {
    let issuer = Issuer::es256("ec");
    let redis = Redis::start().await;
    // Once with a direct connection, where a disconnect cancels the handler, and once behind Vercel's runtime.
    let server = KeyServer::start(&[&issuer]).await;
    let api = in_process(closed(&redis, with_keys(&server)));
    check_hanging_up(&server, &with(&api, &token(&issuer))).await;

    let server = KeyServer::start(&[&issuer]).await;
    let environment = [
        ("VERCEL", "1"),
        ("REDIS_URL", &*redis.url()),
        ("AUTH_JWKS_URL", &*server.url()),
        ("AUTH_ISSUER", ISSUER),
        ("AUTH_AUDIENCE", AUDIENCE),
    ];
    let (_process, api) = Process::function(env!("CARGO_BIN_EXE_sessions"), &environment).await;
    check_hanging_up(&server, &with(&api, &token(&issuer))).await;
}

async fn check_hanging_up(server: &KeyServer, api: &Client) {
    let delay = Duration::from_secs(1);
    server.fail_with(Fault::Delay(delay));
    for _ in 0..5 {
        let answer = timeout(Duration::from_millis(100), call(api)).await;
        assert!(answer.is_err(), "{answer:?}");
    }
    sleep(delay).await;
    let answer = call(api).await.assert_status(200);
    assert!(answer.elapsed < delay, "{answer:?}");
    assert_eq!(server.requests(), 1);
}

#[tokio::test]
async fn at_most_three_redirects_lead_to_the_keys() {
    let issuer = Issuer::es256("ec");
    let redis = Redis::start().await;
    for redirects in 0..=3 {
        let server = KeyServer::start(&[&issuer]).await;
        server.redirect(redirects);
        let api = in_process(closed(&redis, with_keys(&server)));
        assert_accepted(&api, &issuer).await;
        assert_eq!(server.requests(), redirects + 1);
    }
    let server = KeyServer::start(&[&issuer]).await;
    server.redirect(4);
    let api = in_process(closed(&redis, with_keys(&server)));
    let refused = call(&with(&api, &token(&issuer))).await;
    refused.assert_error(503, "authentication_unavailable");
    assert_eq!(server.requests(), 4);
}

#[tokio::test]
async fn unusable_keys_are_logged_with_their_reason() {
    let issuer = Issuer::es256("good");
    let server = KeyServer::start(&[]).await;
    server.publish_values(vec![
        json!({"kty": "EC", "kid": "curve", "crv": "P-384", "x": "AQAB", "y": "AQAB", "alg": "ES384"}),
        json!({"kty": "oct", "kid": "secret", "k": "aGlkZGVu"}),
        issuer.jwk(),
    ]);
    let redis = Redis::start().await;
    let environment = [
        ("REDIS_URL", &*redis.url()),
        ("AUTH_JWKS_URL", &*server.url()),
        ("AUTH_ISSUER", ISSUER),
        ("AUTH_AUDIENCE", AUDIENCE),
    ];
    let (process, api) = Process::function(env!("CARGO_BIN_EXE_sessions"), &environment).await;
    assert_accepted(&api, &issuer).await;
    let output = process.output();
    let lines = output.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let named: Vec<Value> = lines.filter(|line| line["auth.jwk.reason"].is_string()).collect();
    let members = named.iter().map(|line| {
        let members = ["auth.jwk.kid", "auth.jwk.kty", "auth.jwk.alg", "auth.jwk.reason"];
        members.map(|name| line[name].as_str().unwrap())
    });
    assert_eq!(
        members.collect::<Vec<_>>(),
        [
            ["curve", "EC", "ES384", "its `alg` ES384 is not supported"],
            ["secret", "oct", "", "its `kty` oct is a shared secret, which must not be published: use AUTH_JWT_SECRET"],
        ],
        "{output}"
    );
    assert!(!output.contains("aGlkZGVu"), "{output}");
}

#[tokio::test]
async fn symmetric_keys_in_a_jwks_are_ignored() {
    let published = Issuer::hs256("published".repeat(8));
    let server = KeyServer::start(&[&published]).await;
    let (api, _redis) = start(with_keys(&server)).await;
    for _ in 0..3 {
        let other = Issuer::es256("secret");
        let detail = assert_rejected(call(&with(&api, &token(&other))).await, true);
        assert!(detail.contains("unknown signing key"), "{detail}");
        let detail = assert_rejected(call(&with(&api, &token(&published))).await, true);
        assert!(detail.contains("algorithm"), "{detail}");
    }
    assert_eq!(server.requests(), 1);
}

/// Waits for the real rotation time, as the only test.
#[tokio::test]
async fn rotated_key_is_accepted_within_a_minute() {
    let (old, new) = (Issuer::es256("old"), Issuer::es256("new"));
    let rotating = KeyServer::start(&[&old]).await;
    let failing = KeyServer::start(&[&old]).await;
    let (api, redis) = start(with_keys(&rotating)).await;
    let without_server = in_process(closed(&redis, with_keys(&failing)));
    assert_accepted(&api, &old).await;
    assert_accepted(&without_server, &old).await;

    rotating.publish(&[&new]);
    failing.fail_with(Fault::error(500, "internal"));
    let rotated = Instant::now();
    let of_new = token(&new);
    loop {
        let answer = call(&with(&api, &of_new)).await;
        if answer.status == 200 {
            break;
        }
        assert_rejected(answer, true);
        assert!(rotated.elapsed() < ROTATION_LIMIT, "the key does not work");
        sleep(Duration::from_millis(500)).await;
    }
    assert!(
        rotated.elapsed() < ROTATION_LIMIT,
        "{:?}",
        rotated.elapsed()
    );
    assert_rejected(call(&with(&api, &token(&old))).await, true);
    assert_eq!(rotating.requests(), 2);

    // If fetching fails again, cached keys stay valid.
    assert_rejected(call(&with(&without_server, &of_new)).await, true);
    assert_accepted(&without_server, &old).await;
    assert_eq!(failing.requests(), 2);
}
