//! A workload on a cluster that records every acknowledged write.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::http::Method;
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use super::support::Client;

/// The longest duration of a request, with a margin for a busy machine.
const LONGEST: Duration = Duration::from_millis(3500);

/// The running clients of a workload.
#[derive(Debug)]
pub struct Workload {
    stop: Arc<AtomicBool>,
    clients: Vec<JoinHandle<History>>,
}

/// The acknowledged writes: message contents and status of each session.
#[derive(Debug, Default)]
pub struct History {
    pub sessions: HashMap<String, (Vec<String>, String)>,
    pub acknowledged: usize,
    pub refused: usize,
    pub longest: Duration,
}

impl Workload {
    pub fn start(api: &Client, clients: usize) -> Self {
        let stop = Arc::<AtomicBool>::default();
        let clients = (0..clients)
            .map(|number| tokio::spawn(work(api.clone(), number, stop.clone())))
            .collect();
        Self { stop, clients }
    }

    pub async fn stop(self) -> History {
        self.stop.store(true, Ordering::Relaxed);
        let mut all = History::default();
        for client in self.clients {
            let one = client.await.unwrap();
            all.sessions.extend(one.sessions);
            all.acknowledged += one.acknowledged;
            all.refused += one.refused;
            all.longest = all.longest.max(one.longest);
        }
        all
    }
}

impl History {
    /// Checks that every acknowledged write is stored once and listed.
    pub async fn check(&self, api: &Client) {
        let mut listed = HashMap::new();
        for query in ["", "volume=user", "status=paused", "status=active"] {
            let mut cursor = String::new();
            loop {
                let path = format!("/api/sessions?{query}&limit=200&cursor={cursor}");
                let page = api.get(&path).await.assert_status(200).json();
                for session in page["sessions"].as_array().unwrap() {
                    let id = session["id"].as_str().unwrap().to_owned();
                    let times: &mut Vec<Value> = listed.entry(id).or_default();
                    times.push(session["status"].clone());
                }
                match page["next_cursor"].as_str() {
                    Some(next) => next.clone_into(&mut cursor),
                    None => break,
                }
            }
        }
        for (id, (contents, status)) in &self.sessions {
            let path = format!("/api/sessions/{id}?messages=200");
            let session = api.get(&path).await.assert_status(200).json();
            let stored = session["messages"].as_array().unwrap().iter();
            let stored: Vec<&str> = stored.map(|it| it["content"].as_str().unwrap()).collect();
            assert_eq!(stored, *contents, "{id}");
            assert_eq!(session["status"], **status, "{id}");
            // The list of all sessions, of the volume, and of the status.
            assert_eq!(listed[id], vec![json!(status); 3], "{id}");
        }
    }

    /// Repeats a request until the response is 2xx; every other response must be a 503 within the time limit.
    async fn insist(&mut self, api: &Client, method: Method, path: &str, body: Value) -> Value {
        loop {
            let answer = api.send_json(method.clone(), path, body.to_string()).await;
            self.longest = self.longest.max(answer.elapsed);
            assert!(answer.elapsed < LONGEST, "{answer:?}");
            if answer.status.is_success() {
                self.acknowledged += 1;
                return answer.json();
            }
            self.refused += 1;
            answer.assert_error(503, "storage_unavailable");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

async fn work(api: Client, client: usize, stop: Arc<AtomicBool>) -> History {
    let mut history = History::default();
    for number in 0.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let key = |what: &str| format!("{client}-{number}-{what}");
        let keyed = api.with_header("idempotency-key", key("create"));
        let body = json!({"name": "x", "volume": "user", "initial_message": "0"});
        let created = history.insist(&keyed, Method::POST, "/api/sessions", body);
        let id = created.await["id"].as_str().unwrap().to_owned();
        let path = format!("/api/sessions/{id}");
        let messages = format!("{path}/messages");
        let mut contents = vec!["0".to_owned()];
        let mut status = "active";
        for content in ["1", "2", "3"] {
            let keyed = api.with_header("idempotency-key", key(content));
            let body = json!({"role": "user", "content": content});
            history.insist(&keyed, Method::POST, &messages, body).await;
            contents.push(content.to_owned());
        }
        if number % 2 == 0 {
            let change = json!({"status": "paused"});
            history.insist(&api, Method::PATCH, &path, change).await;
            status = "paused";
        }
        let list = "/api/sessions?volume=user&limit=5";
        history.insist(&api, Method::GET, list, json!({})).await;
        history.sessions.insert(id, (contents, status.to_owned()));
    }
    history
}
