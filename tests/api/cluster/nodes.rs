//! Cluster nodes that hang or close connections.

use std::collections::HashMap;
use std::time::Duration;

use super::support::TestApp;

#[tokio::test]
async fn hanging_node_delays_only_its_own_slots() {
    let app = TestApp::start().await;
    let mut ids = Vec::new();
    for number in 0..8 {
        ids.push(app.api.create_session(&number.to_string()).await);
    }
    let port = |id: &String| app.redis.node_of(&format!("session:{id}")).port;
    let ports: HashMap<&String, u16> = ids.iter().map(|id| (id, port(id))).collect();
    let hung = app.redis.node_of(&format!("session:{}", ids[0]));
    let frozen = hung.freeze();
    let mut longest = Duration::ZERO;
    for id in ids.iter().chain(&ids[1..4]) {
        let found = app.api.get(&format!("/api/sessions/{id}")).await;
        longest = longest.max(found.elapsed);
        let expected = if ports[id] == hung.port { 503 } else { 200 };
        found.assert_status(expected);
    }
    drop(frozen);
    assert!(longest.as_millis() < 2500, "{longest:?}");
    for id in &ids {
        app.api.append(id, "x").await.assert_status(200);
    }
}

#[tokio::test]
async fn closed_connections_are_reopened() {
    let app = TestApp::start().await;
    let session = app.session().await;
    for round in 1..=3 {
        for key in [
            session.key(),
            "all:sessions".to_owned(),
            "user:default:sessions".to_owned(),
        ] {
            let node = app.redis.node_of(&key);
            node.command::<u64>(&["CLIENT", "KILL", "TYPE", "normal"]);
        }
        let appended = app.api.append(&session.id, "y").await.assert_status(200);
        assert_eq!(appended.json()["message_count"], round);
    }
}

#[tokio::test]
async fn command_on_a_broken_connection_is_sent_again_once() {
    let app = TestApp::start().await;
    let session = app.session().await;
    app.api
        .append(&session.id, "first")
        .await
        .assert_status(200);
    let node = app.redis.node_of(&session.key());
    node.command::<()>(&["CLIENT", "PAUSE", "60000", "WRITE"]);
    let (appended, ()) = tokio::join!(app.api.append(&session.id, "second"), async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        // The first command hangs in the paused connection; the repeated one runs on a new connection.
        node.command::<u64>(&["CLIENT", "KILL", "TYPE", "normal"]);
        node.command::<()>(&["CLIENT", "UNPAUSE"]);
    });
    let appended = appended.assert_status(200).json();
    assert_eq!(appended["message_count"], 2);
    assert_eq!(appended["messages"][0]["seq"], 2);
}
