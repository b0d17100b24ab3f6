//! An identity provider that fails from the start: the response to callers, callers that do not need it, and
//! retries.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use llmos::auth::AuthConfig;
use tokio::time::sleep;

use super::super::support::{Fault, Issuer, KeyServer, Redis, in_process};
use super::{assert_rejected, call, closed, issuer, keys, start, token, with, with_keys, with_secret};

/// The longest response time while the keys are unavailable.
const FAILURE_LIMIT: Duration = Duration::from_secs(4);
/// The pause between the start of a failed fetch and the next one, while no keys are cached.
const PAUSE: Duration = Duration::from_secs(5);
/// The failures of a JWKS server. The last ones would lead to valid keys if the client followed redirects
/// or read further.
fn failures(redirect: &KeyServer, published: &Issuer) -> Vec<(&'static str, Option<Fault>)> {
    let answer = |status, header, value: &str, body: &str| {
        Some(Fault::Answer {
            status,
            headers: vec![(header, value.to_owned())],
            body: body.to_owned(),
        })
    };
    let keys = serde_json::json!({"keys": [published.jwk()], "x": "x".repeat(10 << 20)});
    let keys = keys.to_string();
    vec![
        ("it is down", None),
        ("it does not answer", Some(Fault::Hang)),
        ("it breaks connections", Some(Fault::Close)),
        (
            "it is a page",
            answer(200, "content-type", "text/html", "<h1>Welcome</h1>"),
        ),
        (
            "it has no keys",
            answer(200, "content-type", "application/json", "{}"),
        ),
        ("it fails", Some(Fault::error(500, "internal"))),
        (
            "it is elsewhere",
            answer(302, "location", &redirect.url(), ""),
        ),
        (
            "it is huge",
            answer(200, "content-type", "application/json", &keys),
        ),
    ]
}

#[tokio::test]
async fn tokens_are_503_until_the_first_jwks_is_fetched() {
    let issuer = Issuer::es256("ec");
    let redis = Redis::start().await;
    let elsewhere = KeyServer::start(&[&issuer]).await;
    let failures = failures(&elsewhere, &issuer);
    join_all(failures.into_iter().map(async |(what, fault)| {
        check_failure(&redis, &issuer, what, fault).await;
    }))
    .await;
    assert_eq!(elsewhere.requests(), 0);
}

/// Starts with a failing server and repairs it; without a fault the server is down at first.
async fn check_failure(redis: &Redis, issuer: &Issuer, what: &str, fault: Option<Fault>) {
    let mut server = KeyServer::start(&[issuer]).await;
    let is_down = fault.is_none();
    match fault {
        Some(fault) => server.fail_with(fault),
        None => server.go_down().await,
    }
    let api = in_process(closed(redis, with_keys(&server)));
    let api = with(&api, &token(issuer));

    let started = Instant::now();
    let refused = call(&api).await;
    assert!(refused.elapsed < FAILURE_LIMIT, "{what}: {refused:?}");
    let pause = refused.header("retry-after").map(str::parse::<u32>);
    assert!(matches!(pause, Some(Ok(1..))), "{what}: {refused:?}");
    let problem = refused.assert_error(503, "authentication_unavailable");
    let detail = problem["detail"].as_str().unwrap();
    assert!(!detail.contains("127.0.0.1"), "{what}: {problem}");

    server.fail_with(Fault::Pass);
    if is_down {
        server.go_up().await;
    }
    let before = server.requests();
    assert_eq!(before, usize::from(!is_down), "{what}");
    let recovered = loop {
        let answer = call(&api).await;
        // Waiting for keys ends as soon as they arrive; without waiting there was no fetch.
        assert!(answer.elapsed < Duration::from_secs(1), "{what}");
        if answer.status == 200 {
            break started.elapsed();
        }
        answer.assert_error(503, "authentication_unavailable");
        assert!(started.elapsed() < PAUSE * 2, "{what}: no end of it");
        sleep(Duration::from_millis(50)).await;
    };
    // The duration of the fetch is part of the pause.
    let latest = PAUSE + Duration::from_millis(1500);
    assert!(
        (PAUSE..latest).contains(&recovered),
        "{what}: it took {recovered:?}"
    );
    assert_eq!(server.requests(), before + 1, "{what}");
}

#[tokio::test]
async fn callers_without_jwks_tokens_do_not_wait_for_keys() {
    let server = KeyServer::start(&[]).await;
    server.fail_with(Fault::Hang);
    let (secrets, of_keys) = keys(&["admin"]);
    let auth = AuthConfig {
        jwt_secret: with_secret().jwt_secret,
        api_keys: of_keys.api_keys,
        ..with_keys(&server)
    };
    let (api, _redis) = start(auth).await;
    for credential in [&secrets[0], &token(&issuer())] {
        let answer = call(&with(&api, credential)).await.assert_status(200);
        assert!(answer.elapsed < Duration::from_secs(1), "{answer:?}");
    }
    assert_rejected(call(&api).await, false);
    assert_rejected(call(&with(&api, "llmos_x")).await, true);
    assert_eq!(server.requests(), 0);
}
