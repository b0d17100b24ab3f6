//! Network failures between the service and Redis: silence, closed and cut connections.

use std::time::{Duration, Instant};

use axum::http::Method;
use serde_json::json;

use super::{ROUTES, assert_recovered, call};
use crate::support::{Client, Mode, Process, Proxy, Redis, TestApp, config, in_process};

#[tokio::test]
async fn connection_over_a_silent_network_is_replaced() {
    let redis = Redis::start().await;
    let proxy = Proxy::start(redis.socket()).await;
    for protocol in ["", "?protocol=resp2", "?protocol=resp3"] {
        let api = in_process(config(&format!("{}{protocol}", proxy.url())));
        let session = api.session("x").await;

        proxy.set(Mode::Swallow);
        let response = api.get(&session.path()).await;
        assert!(response.elapsed < Duration::from_secs(3));
        response.assert_error(503, "storage_unavailable");
        proxy.set(Mode::Pass);
        assert_recovered(&api, &session.id, Duration::from_secs(1)).await;
    }
}

#[tokio::test]
async fn connection_closed_while_idle_is_replaced_without_an_error() {
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
async fn write_with_a_lost_reply_has_one_effect() {
    let redis = Redis::start().await;
    let proxy = Proxy::start(redis.socket()).await;
    let api = in_process(config(&proxy.url()));
    let session = api.session("x").await;
    api.append(&session.id, "first").await.assert_status(200);
    api.patch(&session.path(), &json!({"name": "y"}))
        .await
        .assert_status(200);
    let length = || redis.command::<u64>(&["LLEN", &session.messages_key()]);

    proxy.set(Mode::LoseAnswer);
    let appended = api
        .append(&session.id, "second")
        .await
        .assert_status(200)
        .json();
    assert_eq!((&appended["messages"][0]["seq"], length()), (&json!(2), 2));

    proxy.set(Mode::LoseAnswer);
    let appended = api
        .with_header("idempotency-key", "k")
        .append(&session.id, "third")
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

    // The first attempt has taken the chosen id.
    proxy.set(Mode::LoseAnswer);
    let chosen = json!({"id": "chosen", "volume": "user", "initial_message": "x"});
    let repeated = api.post("/api/sessions", &chosen).await;
    assert_eq!(repeated.assert_status(201).json()["message_count"], 1);
    proxy.set(Mode::LoseAnswer);
    let refused = api.post("/api/sessions", &chosen).await;
    refused.assert_error(409, "session_exists");
    api.delete("/api/sessions/chosen").await.assert_status(200);

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
    api.delete(path).await.assert_status(200);
    assert_eq!(redis.command::<u64>(&["SCARD", "all:sessions"]), 1);
}

/// Kills random connections while `clients` append; each append is repeated with its idempotency key until it succeeds.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_writers_lose_and_repeat_nothing_while_connections_are_killed() {
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
    let session = api.session("x").await;

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
    let clients = (0..CLIENTS).map(|client| {
        tokio::spawn(append_all(
            api.clone(),
            session.id.clone(),
            client,
            MESSAGES,
        ))
    });
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
            "{}?limit=200&after={}",
            session.messages_path(),
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
        redis.command::<u64>(&["LLEN", &session.messages_key()]),
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

/// Appends messages in order and returns the acknowledged seq and content of each.
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
            answer.assert_error(503, "storage_unavailable");
            assert!(
                started.elapsed() < Duration::from_secs(60),
                "{content} was never acknowledged"
            );
        };
        acknowledged.push((answer["messages"][0]["seq"].as_u64().unwrap(), content));
    }
    acknowledged
}
