//! Reports of the doctor and the health check about a Redis Cluster.

use super::doctor;
use crate::cluster::support::{Redis, TestApp};

#[tokio::test]
async fn doctor_reports_a_working_cluster() {
    let redis = Redis::start().await;
    let run = doctor(&redis.url()).await;
    assert!(
        run.output.starts_with(
            "variables from the environment: REDIS_URL, LLMOS_LOCAL_MODEL\nRedis Cluster at redis://127.0.0.1:"
        ),
        "{}",
        run.output
    );
    for check in [
        "connection",
        "create session",
        "append messages",
        "read session",
        "list sessions",
        "delete session",
        "version",
        "memory policy",
    ] {
        run.from('✓', check);
    }
    assert!(run.from('✓', "cluster")[0].contains("3 masters"));
    assert_eq!(run.code, Some(0), "{}", run.output);
    assert_eq!(redis.keys(), [""; 0]);
}

#[tokio::test]
async fn permissions_named_by_the_remedy_are_sufficient_on_a_cluster() {
    let redis = Redis::start().await;
    let url = redis.url().replace("redis://", "redis://app:hidden@");
    let user = ["ACL", "SETUSER", "app", "reset", "on", ">hidden"];
    redis.command::<()>(&[&user[..], &["~*", "+@all", "-rpush"]].concat());
    let run = doctor(&url).await;
    let remedy = run.from('✗', "append messages")[1].to_owned();
    let (_, named) = remedy.split_once("ACL SETUSER: ").unwrap();
    let named = named.replace(", on a Redis Cluster also", "");
    let named: Vec<&str> = named.split_whitespace().collect();
    assert!(named.contains(&"+cluster|slots"), "{remedy}");

    redis.command::<()>(&[&user[..], &named].concat());
    let run = doctor(&url).await;
    redis.command::<()>(&["ACL", "DELUSER", "app"]);
    assert_eq!((run.code, run.count('!')), (Some(0), 0), "{}", run.output);
}

#[tokio::test]
async fn doctor_accepts_one_host_with_the_cluster_parameter() {
    let redis = Redis::start().await;
    let one = redis.url().split_once(',').unwrap().0.to_owned();
    let run = doctor(&format!("{one}?cluster=true")).await;
    assert_eq!(run.code, Some(0), "{}", run.output);

    // A session's keys without hash tags are in different slots, so its creation fails on every node.
    let run = doctor(&one).await;
    assert_eq!(run.code, Some(1), "{}", run.output);
    for said in ["the server is a node of a Redis Cluster", "?cluster=true"] {
        assert!(run.output.contains(said), "{}", run.output);
    }
}

#[tokio::test]
async fn doctor_reports_a_server_without_cluster_mode() {
    let redis = crate::support::Redis::start_with(&["--requirepass", "hidden"]).await;
    let proxy = crate::support::Proxy::start(redis.socket()).await;
    let url = format!(
        "{}?cluster=true",
        proxy.url().replace("redis://", "redis://:hidden@")
    );
    let run = doctor(&url).await;
    run.assert_cannot_connect("the server is not a Redis Cluster", "without cluster=true");
}

#[tokio::test]
async fn doctor_reports_an_unreachable_cluster() {
    let port = crate::support::ReservedPort::new();
    let run = doctor(&format!("redis://127.0.0.1:{port},127.0.0.1:{port}")).await;
    run.assert_cannot_connect("the connection was refused: ", "start the server");
}

#[tokio::test]
async fn health_check_tests_every_master() {
    let app = TestApp::start().await;
    let health = app.api.get("/api/health").await.assert_status(200);
    assert_eq!(health.json()["redis"]["status"], "ok");

    for key in ["all:sessions", "llmos:probe"] {
        let frozen = app.redis.node_of(key).freeze();
        let health = app.api.get("/api/health").await;
        drop(frozen);
        assert!(health.elapsed.as_millis() < 2500, "{health:?}");
        assert_eq!(health.json()["redis"]["status"], "failing");
        assert_eq!(health.status, 503);
    }
}
