//! Redis fails in every way that it can, and the service says so, in time, and recovers by itself.

mod promises;

use std::time::{Duration, Instant};

use axum::http::Method;
use serde_json::json;

use crate::support::{Client, Mode, Process, Proxy, Redis, Response, TestApp, config, in_process};

const PERSISTENT: [&str; 4] = ["--appendonly", "yes", "--appendfsync", "always"];

/// Every route that needs Redis, as one caller would use it on this session.
const ROUTES: [(Method, &str, &str); 7] = [
    (
        Method::POST,
        "/api/sessions",
        r#"{"name":"x","volume":"user"}"#,
    ),
    (Method::GET, "/api/sessions", ""),
    (Method::GET, "/api/sessions/ID", ""),
    (Method::PATCH, "/api/sessions/ID", r#"{"name":"y"}"#),
    (
        Method::POST,
        "/api/sessions/ID/messages",
        r#"{"role":"user","content":"z"}"#,
    ),
    (Method::GET, "/api/sessions/ID/messages", ""),
    (Method::DELETE, "/api/sessions/ID", ""),
];

async fn call(api: &Client, id: &str, (method, path, body): (Method, &str, &str)) -> Response {
    api.send_json(method, &path.replace("ID", id), body).await
}

/// All routes answer that the storage is away, none later than `limit`.
async fn assert_unavailable(api: &Client, id: &str, limit: Duration) {
    for route in ROUTES {
        let response = call(api, id, route.clone()).await;
        assert!(
            response.elapsed < limit,
            "{route:?} took {:?}",
            response.elapsed
        );
        assert_eq!(response.header("retry-after"), Some("1"));
        let _ = response.assert_error(503, "storage_unavailable");
    }
}

/// All routes work again, the first of them within `limit`.
async fn assert_recovered(api: &Client, id: &str, limit: Duration) {
    for route in ROUTES {
        let is_creation = route.0 == Method::POST && !route.1.contains("ID");
        let response =
            call(api, id, route)
                .await
                .assert_status(if is_creation { 201 } else { 200 });
        assert!(response.elapsed < limit, "{:?}", response.elapsed);
    }
}

#[tokio::test]
async fn a_dead_redis_is_told_within_a_second_and_used_again_when_it_is_back() {
    let mut redis = Redis::start_with(&PERSISTENT).await;
    let api = in_process(config(&redis.url()));
    let id = api.create_session("x").await;

    redis.kill();
    assert_unavailable(&api, &id, Duration::from_secs(1)).await;
    redis.restart().await;
    assert_recovered(&api, &id, Duration::from_secs(1)).await;
}

#[tokio::test]
async fn a_frozen_redis_is_told_within_three_seconds_and_used_again_when_it_thaws() {
    let app = TestApp::start().await;
    let id = app.api.create_session("x").await;

    app.redis.freeze();
    assert_unavailable(&app.api, &id, Duration::from_secs(3)).await;
    app.redis.thaw();
    // What Redis had received before, it does after the thaw; the deletion of this session, too.
    let id = app.api.create_session("y").await;
    assert_recovered(&app.api, &id, Duration::from_secs(1)).await;
}

#[tokio::test]
async fn a_redis_that_hangs_in_a_command_is_told_and_used_again() {
    let redis = Redis::start_with(&["--enable-debug-command", "yes"]).await;
    let api = in_process(config(&redis.url()));
    let id = api.create_session("x").await;

    let url = redis.url();
    let sleeper = std::thread::spawn(move || {
        let mut connection = redis::Client::open(url).unwrap().get_connection().unwrap();
        redis::cmd("DEBUG")
            .arg("SLEEP")
            .arg("4")
            .exec(&mut connection)
            .unwrap();
    });
    redis.wait_until_it_hangs().await;
    let response = api.append(&id, "x").await;
    assert!(
        response.elapsed < Duration::from_secs(3),
        "{:?}",
        response.elapsed
    );
    let _ = response.assert_error(503, "storage_unavailable");

    sleeper.join().unwrap();
    assert_recovered(&api, &id, Duration::from_secs(1)).await;
}

#[tokio::test]
async fn a_network_that_swallows_everything_does_not_hold_the_connection_for_ever() {
    let redis = Redis::start().await;
    let proxy = Proxy::start(redis.socket()).await;
    for protocol in ["", "?protocol=resp2", "?protocol=resp3"] {
        let api = in_process(config(&format!("{}{protocol}", proxy.url())));
        let id = api.create_session("x").await;

        proxy.set(Mode::Swallow);
        let response = api.get(&format!("/api/sessions/{id}")).await;
        assert!(response.elapsed < Duration::from_secs(3));
        let _ = response.assert_error(503, "storage_unavailable");
        proxy.set(Mode::Pass);
        assert_recovered(&api, &id, Duration::from_secs(1)).await;
    }
}

#[tokio::test]
async fn a_connection_that_was_closed_while_idle_is_not_noticed_by_the_caller() {
    let app = TestApp::start().await;
    for protocol in ["", "?protocol=resp2", "?protocol=resp3"] {
        let api = in_process(config(&format!("{}{protocol}", app.redis.url())));
        let id = api.create_session("x").await;
        let health = (Method::GET, "/api/health", "");
        for route in ROUTES.into_iter().chain([health]) {
            app.redis
                .command::<u64>(&["CLIENT", "KILL", "TYPE", "normal"]);
            let status = call(&api, &id, route.clone()).await.status.as_u16();
            assert!([200, 201].contains(&status), "{route:?} {status}");
        }
    }
}

#[tokio::test]
async fn a_write_whose_answer_was_lost_has_one_effect() {
    let redis = Redis::start().await;
    let proxy = Proxy::start(redis.socket()).await;
    let api = in_process(config(&proxy.url()));
    let id = api.create_session("x").await;
    let _ = api.append(&id, "first").await.assert_status(200);
    let _ = api
        .patch(&format!("/api/sessions/{id}"), &json!({"name": "y"}))
        .await
        .assert_status(200);
    let length = || redis.command::<u64>(&["LLEN", &format!("session:{id}:messages")]);

    proxy.set(Mode::LoseAnswer);
    let appended = api.append(&id, "second").await.assert_status(200).json();
    assert_eq!((&appended["messages"][0]["seq"], length()), (&json!(2), 2));

    proxy.set(Mode::LoseAnswer);
    let appended = api
        .with_header("idempotency-key", "k")
        .append(&id, "third")
        .await
        .assert_status(200);
    assert_eq!(
        (appended.json()["messages"][0]["seq"].as_u64(), length()),
        (Some(3), 3)
    );

    proxy.set(Mode::LoseAnswer);
    let created = api
        .post("/api/sessions", &json!({"name": "z", "volume": "user"}))
        .await
        .assert_status(201);
    assert_eq!(redis.command::<u64>(&["SCARD", "all:sessions"]), 2);

    proxy.set(Mode::LoseAnswer);
    let path = created.header("location").unwrap();
    assert_eq!(
        api.patch(path, &json!({"name": "new"}))
            .await
            .assert_status(200)
            .json()["name"],
        "new"
    );

    proxy.set(Mode::LoseAnswer);
    let _ = api.delete(path).await.assert_status(200);
    assert_eq!(redis.command::<u64>(&["SCARD", "all:sessions"]), 1);
}

#[tokio::test]
async fn a_redis_without_memory_refuses_writes_and_still_reads() {
    let app = TestApp::start().await;
    let id = app.api.create_session("x").await;
    let keys = app.redis.keys();

    app.redis
        .command::<()>(&["CONFIG", "SET", "maxmemory-policy", "noeviction"]);
    app.redis
        .command::<()>(&["CONFIG", "SET", "maxmemory", "1"]);
    for route in ROUTES {
        let method = route.0.clone();
        if method == Method::DELETE {
            // It frees memory, so Redis does it; nothing else happened until now.
            assert_eq!(app.redis.keys(), keys);
        }
        let response = call(&app.api, &id, route).await;
        if method == Method::GET || method == Method::DELETE {
            let _ = response.assert_status(200);
        } else {
            let _ = response.assert_error(503, "storage_unavailable");
        }
    }
    app.redis
        .command::<()>(&["CONFIG", "SET", "maxmemory", "0"]);
    let id = app.api.create_session("y").await;
    assert_recovered(&app.api, &id, Duration::from_secs(1)).await;
}

#[tokio::test]
async fn a_changed_password_is_told_and_the_old_one_works_again() {
    let app = TestApp::start().await;
    let id = app.api.create_session("x").await;
    let url = app.redis.url();
    let admin = |arguments: [&str; 4]| {
        let mut connection = redis::Client::open(url.as_str())
            .unwrap()
            .get_connection()
            .unwrap();
        let _: redis::RedisResult<()> = redis::cmd("AUTH").arg("secret").query(&mut connection);
        redis::cmd(arguments[0])
            .arg(&arguments[1..])
            .exec(&mut connection)
            .unwrap();
    };

    admin(["CONFIG", "SET", "requirepass", "secret"]);
    admin(["CLIENT", "KILL", "TYPE", "normal"]);
    assert_unavailable(&app.api, &id, Duration::from_secs(1)).await;
    admin(["CONFIG", "SET", "requirepass", ""]);
    assert_recovered(&app.api, &id, Duration::from_secs(1)).await;
}

#[tokio::test]
async fn a_server_that_only_speaks_resp2_is_spoken_to_in_resp2() {
    let redis = Redis::start_with(&["--rename-command", "HELLO", ""]).await;
    let api = in_process(config(&redis.url()));

    let id = api.create_session("x").await;
    assert_recovered(&api, &id, Duration::from_secs(1)).await;
}

#[tokio::test]
async fn scripts_that_redis_forgot_are_sent_again() {
    let app = TestApp::start().await;
    let id = app.api.create_session("x").await;
    let _ = app.api.append(&id, "x").await.assert_status(200);

    app.redis.command::<()>(&["SCRIPT", "FLUSH"]);
    assert_eq!(
        app.api
            .append(&id, "y")
            .await
            .assert_status(200)
            .round_trips(),
        2
    );
    assert_eq!(
        app.api
            .append(&id, "z")
            .await
            .assert_status(200)
            .round_trips(),
        1
    );
}

#[tokio::test]
async fn a_process_that_was_frozen_answers_its_first_request() {
    let mut redis = Redis::start_with(&PERSISTENT).await;
    for protocol in ["", "?protocol=resp2"] {
        let url = format!("{}{protocol}", redis.url());
        let (process, api) = Process::function(
            env!("CARGO_BIN_EXE_sessions"),
            &[("REDIS_URL", &url), ("VERCEL_ENV", "production")],
        )
        .await;
        let id = api.create_session("x").await;

        process.signal("-STOP");
        redis.kill();
        redis.restart().await;
        process.signal("-CONT");
        assert_recovered(&api, &id, Duration::from_secs(1)).await;
    }
}

/// Kills connections at random while `clients` append; each repeats under its key until it is answered.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixty_four_writers_lose_and_repeat_nothing_while_connections_are_killed() {
    const CLIENTS: u64 = 64;
    const MESSAGES: u64 = 100;
    let redis = Redis::start().await;
    let environment = [
        ("REDIS_URL", redis.url()),
        ("REQUEST_LOG", "off".to_owned()),
    ];
    let environment = environment
        .each_ref()
        .map(|(name, value)| (*name, value.as_str()));
    let (_process, api) = Process::function(env!("CARGO_BIN_EXE_sessions"), &environment).await;
    let id = api.create_session("x").await;

    let url = redis.url();
    let (stop, stopped) = std::sync::mpsc::channel::<()>();
    let killer = std::thread::spawn(move || {
        let mut connection = redis::Client::open(url).unwrap().get_connection().unwrap();
        let mut kills = 0_u64;
        for pause in [3, 17, 5, 29, 11].into_iter().cycle() {
            if stopped.recv_timeout(Duration::from_millis(pause)).is_ok() {
                return kills;
            }
            let mut command = redis::cmd("CLIENT");
            command
                .arg("KILL")
                .arg("TYPE")
                .arg("normal")
                .arg("SKIPME")
                .arg("yes");
            kills += command.query::<u64>(&mut connection).unwrap();
        }
        kills
    });
    let clients = (0..CLIENTS)
        .map(|client| tokio::spawn(append_all(api.clone(), id.clone(), client, MESSAGES)));
    let mut acknowledged = Vec::new();
    for client in clients.collect::<Vec<_>>() {
        acknowledged.extend(client.await.unwrap());
    }
    stop.send(()).unwrap();
    assert!(
        killer.join().unwrap() > 10,
        "too few connections were killed to prove anything"
    );

    let mut stored = Vec::new();
    while (stored.len() as u64) < CLIENTS * MESSAGES {
        let path = format!(
            "/api/sessions/{id}/messages?limit=200&after={}",
            stored.len()
        );
        let page = api.get(&path).await.assert_status(200).json();
        let messages = page["messages"].as_array().unwrap();
        assert!(
            !messages.is_empty(),
            "only {} messages are stored",
            stored.len()
        );
        for message in messages {
            stored.push((
                message["seq"].as_u64().unwrap(),
                message["content"].as_str().unwrap().to_owned(),
            ));
        }
    }
    assert_eq!(
        redis.command::<u64>(&["LLEN", &format!("session:{id}:messages")]),
        CLIENTS * MESSAGES
    );
    acknowledged.sort();
    assert_eq!(stored, acknowledged);
    assert!(
        stored
            .iter()
            .map(|(seq, _)| *seq)
            .eq(1..=CLIENTS * MESSAGES)
    );
}

/// Appends one message after another; the place and content that each was acknowledged with.
async fn append_all(api: Client, id: String, client: u64, messages: u64) -> Vec<(u64, String)> {
    let mut acknowledged = Vec::new();
    for number in 0..messages {
        let content = format!("{client}-{number}");
        let keyed = api.with_header("idempotency-key", content.clone());
        let started = Instant::now();
        let answer = loop {
            let answer = keyed.append(&id, &content).await;
            if answer.status == 200 {
                break answer.json();
            }
            let _ = answer.assert_error(503, "storage_unavailable");
            assert!(
                started.elapsed() < Duration::from_secs(60),
                "{content} was never acknowledged"
            );
        };
        acknowledged.push((answer["messages"][0]["seq"].as_u64().unwrap(), content));
    }
    acknowledged
}
