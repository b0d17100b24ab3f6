//! Nodes that hang, and that close connections.

use std::collections::HashMap;
use std::time::Duration;

use super::support::TestApp;

#[tokio::test]
async fn a_node_that_hangs_holds_up_no_request_for_long_and_none_of_other_nodes_fails() {
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
        let _ = found.assert_status(expected);
    }
    drop(frozen);
    assert!(longest.as_millis() < 2500, "{longest:?}");
    for id in &ids {
        let _ = app.api.append(id, "x").await.assert_status(200);
    }
}

#[tokio::test]
async fn connections_that_were_closed_meanwhile_are_made_again() {
    let app = TestApp::start().await;
    let id = app.api.create_session("x").await;
    for round in 1..=3 {
        for key in [
            format!("session:{id}"),
            "all:sessions".to_owned(),
            "user:default:sessions".to_owned(),
        ] {
            let node = app.redis.node_of(&key);
            node.command::<u64>(&["CLIENT", "KILL", "TYPE", "normal"]);
        }
        let appended = app.api.append(&id, "y").await.assert_status(200);
        assert_eq!(appended.json()["message_count"], round);
    }
}

#[tokio::test]
async fn a_command_whose_connection_breaks_is_sent_once_more() {
    let app = TestApp::start().await;
    let id = app.api.create_session("x").await;
    let _ = app.api.append(&id, "first").await.assert_status(200);
    let node = app.redis.node_of(&format!("session:{id}"));
    node.command::<()>(&["CLIENT", "PAUSE", "60000", "WRITE"]);
    let (appended, ()) = tokio::join!(app.api.append(&id, "second"), async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        // The command stands there and does not run. That of the new connection does.
        node.command::<u64>(&["CLIENT", "KILL", "TYPE", "normal"]);
        node.command::<()>(&["CLIENT", "UNPAUSE"]);
    });
    let appended = appended.assert_status(200).json();
    assert_eq!(appended["message_count"], 2);
    assert_eq!(appended["messages"][0]["seq"], 2);
}
