//! The keys of an identity provider: how often they are asked for, and what its failures and changes do.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use llmos::config::AuthConfig;
use tokio::time::{sleep, timeout};

use super::{assert_refused, call, closed, issuer, keys, start, with, with_keys, with_secret};
use crate::support::{
    AUDIENCE, Claims, Client, Fault, ISSUER, Issuer, KeyServer, Process, Redis, in_process,
};

/// How long the answer may take while the keys do not come.
const FAILURE_LIMIT: Duration = Duration::from_secs(4);
/// How long after the start of a fetch that failed there is no other one, while no keys are known.
const PAUSE: Duration = Duration::from_secs(5);
/// The same while there are some, and a little for the work.
const ROTATION_LIMIT: Duration = Duration::from_secs(62);

fn token(issuer: &Issuer) -> String {
    issuer.token(&Claims::of("alice"))
}

/// Tokens of as many keys as there are, all made up.
fn of_unknown_keys(count: usize) -> Vec<String> {
    let ids = (0..count).map(|number| format!("made-up-{number}"));
    ids.map(|id| token(&Issuer::es256(&id))).collect()
}

async fn assert_accepted(api: &Client, issuer: &Issuer) {
    let _ = call(&with(api, &token(issuer))).await.assert_status(200);
}

#[tokio::test]
async fn keys_are_fetched_once_for_many_requests() {
    let issuer = Issuer::es256("ec");
    let server = KeyServer::start(&[&issuer]).await;
    let (api, redis) = start(with_keys(&server)).await;
    for _ in 0..30 {
        assert_accepted(&api, &issuer).await;
    }
    assert_eq!(server.requests(), 1);

    // Slow enough for all of them to come before the keys do.
    server.fail_with(Fault::Delay(Duration::from_millis(300)));
    let other_instance = in_process(closed(&redis, with_keys(&server)));
    join_all((0..20).map(|_| assert_accepted(&other_instance, &issuer))).await;
    assert_eq!(server.requests(), 2);
}

#[tokio::test]
async fn keys_that_nobody_published_are_hardly_asked_for() {
    let issuer = Issuer::es256("ec");
    let server = KeyServer::start(&[&issuer]).await;
    let (api, redis) = start(with_keys(&server)).await;
    assert_accepted(&api, &issuer).await;
    let unknown = of_unknown_keys(100);
    for token in &unknown {
        let detail = assert_refused(call(&with(&api, token)).await, true);
        assert!(detail.contains("a key that is not known"), "{detail}");
    }
    assert_accepted(&api, &issuer).await;
    assert!(server.requests() <= 2, "{}", server.requests());

    let before = server.requests();
    let other_instance = in_process(closed(&redis, with_keys(&server)));
    let callers = unknown.iter().map(|token| with(&other_instance, token));
    for answer in join_all(callers.map(async |api| call(&api).await)).await {
        assert_refused(answer, true);
    }
    assert!(server.requests() <= before + 2, "{}", server.requests());
}

#[tokio::test]
async fn known_keys_outlive_their_server() {
    let issuer = Issuer::es256("ec");
    let mut server = KeyServer::start(&[&issuer]).await;
    let (api, _redis) = start(with_keys(&server)).await;
    assert_accepted(&api, &issuer).await;

    server.go_down().await;

    for token in of_unknown_keys(5) {
        assert_accepted(&api, &issuer).await;
        assert_refused(call(&with(&api, &token)).await, true);
    }
}

/// What can be wrong with a server of keys. The last ones would lead to keys that hold, for those who follow
/// or read on.
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
async fn without_keys_nothing_can_be_said_of_tokens_until_they_come() {
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

/// Starts with a server that fails, and mends it; without a fault it is down.
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
        // A wait for keys is over as soon as they come; no wait at all is no fetch.
        assert!(answer.elapsed < Duration::from_secs(1), "{what}");
        if answer.status == 200 {
            break started.elapsed();
        }
        answer.assert_error(503, "authentication_unavailable");
        assert!(started.elapsed() < PAUSE * 2, "{what}: no end of it");
        sleep(Duration::from_millis(50)).await;
    };
    // What the fetch itself took is part of the pause.
    let latest = PAUSE + Duration::from_millis(1500);
    assert!(
        (PAUSE..latest).contains(&recovered),
        "{what}: it took {recovered:?}"
    );
    assert_eq!(server.requests(), before + 1, "{what}");
}

#[tokio::test]
async fn whoever_needs_no_published_keys_does_not_wait_for_them() {
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
    assert_refused(call(&api).await, false);
    assert_refused(call(&with(&api, "llmos_x")).await, true);
    assert_eq!(server.requests(), 0);
}

#[tokio::test]
async fn callers_that_hang_up_cause_one_fetch() {
    let issuer = Issuer::es256("ec");
    let redis = Redis::start().await;
    // Where the caller's end is the handler's end, and where Vercel's runtime stands in between.
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
async fn secrets_are_no_keys_to_be_published() {
    let published = Issuer::hs256("published".repeat(8));
    let server = KeyServer::start(&[&published]).await;
    let (api, _redis) = start(with_keys(&server)).await;
    for _ in 0..3 {
        let other = Issuer::es256("secret");
        let detail = assert_refused(call(&with(&api, &token(&other))).await, true);
        assert!(detail.contains("a key that is not known"), "{detail}");
        let detail = assert_refused(call(&with(&api, &token(&published))).await, true);
        assert!(detail.contains("algorithm"), "{detail}");
    }
    assert_eq!(server.requests(), 1);
}

/// The one test that waits as long as it takes.
#[tokio::test]
async fn a_rotated_key_works_within_a_minute_without_a_restart() {
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
        assert_refused(answer, true);
        assert!(rotated.elapsed() < ROTATION_LIMIT, "the key does not work");
        sleep(Duration::from_millis(500)).await;
    }
    assert!(
        rotated.elapsed() < ROTATION_LIMIT,
        "{:?}",
        rotated.elapsed()
    );
    assert_refused(call(&with(&api, &token(&old))).await, true);
    assert_eq!(rotating.requests(), 2);

    // Where fetching them again fails, known keys go on to hold.
    assert_refused(call(&with(&without_server, &of_new)).await, true);
    assert_accepted(&without_server, &old).await;
    assert_eq!(failing.requests(), 2);
}
