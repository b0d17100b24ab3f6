//! A client of the workload: writes, repeats unacknowledged writes, reads back, and records its history.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use axum::http::Method;
use serde_json::{Value, json};

use super::history::{Existence, History, KnownSession};
use crate::support::Client;

/// The pause between operations.
const PAUSE: Duration = Duration::from_millis(4);
/// The number of sessions that a client keeps before it deletes the oldest.
const SESSIONS_KEPT: usize = 4;

/// The state that all clients share.
#[derive(Debug)]
pub struct Situation {
    /// The processes of the function; a failed request is repeated to the other one.
    pub apis: [Client; 2],
    pub shared_session: String,
    /// The session whose messages all clients append, replace and delete.
    pub conversation: String,
    /// Whether the clients work on the conversation only.
    pub is_conversation_only: bool,
    /// True while the fault breaks connections to the function.
    pub connections_may_fail: bool,
    /// True while one process may read stale data.
    pub reads_may_lag: bool,
    pub lifted: OnceLock<Instant>,
    pub recovered: AtomicUsize,
    pub stopped: AtomicBool,
}

impl Situation {
    /// Returns the situation before a fault.
    pub fn new(apis: [Client; 2], shared_session: String, conversation: String) -> Self {
        Self {
            apis,
            shared_session,
            conversation,
            is_conversation_only: false,
            connections_may_fail: false,
            reads_may_lag: false,
            lifted: OnceLock::new(),
            recovered: AtomicUsize::new(0),
            stopped: AtomicBool::new(false),
        }
    }
}

/// Works until the stop flag is set.
pub async fn work(number: usize, situation: Arc<Situation>) -> History {
    let mut worker = Worker {
        number,
        situation,
        history: History::default(),
        step: 0,
        turn: number,
        target: number,
        stopped_at: None,
    };
    while !worker.situation.stopped.load(Ordering::SeqCst) {
        worker.step += 1;
        worker.target = number;
        if worker.situation.is_conversation_only || worker.step.is_multiple_of(2) {
            worker.converse().await;
        }
        if !worker.situation.is_conversation_only {
            worker.operate().await;
        }
        tokio::time::sleep(PAUSE).await;
    }
    worker.history
}

/// A client and its progress.
pub struct Worker {
    pub number: usize,
    pub situation: Arc<Situation>,
    pub history: History,
    pub step: u64,
    /// The number of the next operation on the conversation, in a cycle.
    pub turn: usize,
    /// The index of the process for the next request; each operation begins with the first.
    pub target: usize,
    pub stopped_at: Option<Instant>,
}

impl Worker {
    /// Runs the next operation of a cycle; every write has new content.
    async fn operate(&mut self) {
        let newest = self.history.sessions.iter().rposition(is_kept);
        match (self.step % 16, newest) {
            (1, _) | (_, None) => self.create().await,
            (4, Some(_)) => self.list().await,
            (5 | 11, Some(newest)) => self.update(newest).await,
            (6 | 12, Some(newest)) => self.append(Some(newest), 3).await,
            (7, Some(newest)) => self.read_session(newest).await,
            (8, Some(_)) => self.read_shared().await,
            (15, Some(_)) => self.delete_oldest().await,
            (step, Some(_)) if step % 3 == 0 => self.append(None, 1).await,
            (_, Some(newest)) => self.append(Some(newest), 1).await,
        }
    }

    async fn create(&mut self) {
        let name = self.unique();
        let first = format!("{name}-first");
        let body = json!({"name": name, "volume": "user", "initial_message": first});
        let Some(answer) = self
            .write(Method::POST, "/api/sessions", &body, &[201])
            .await
        else {
            return self.history.uncertain_creations.push(name);
        };
        let id = answer.json()["id"].as_str().unwrap().to_owned();
        let session = KnownSession::new(id, name, (1, first));
        self.history.sessions.push(session);
    }

    /// Appends to a session of the client or to the shared session.
    async fn append(&mut self, to: Option<usize>, count: usize) {
        let unique = self.unique();
        let contents: Vec<String> = (0..count).map(|part| format!("{unique}-{part}")).collect();
        let messages = contents
            .iter()
            .map(|content| json!({"role": "user", "content": content}));
        let body = json!({"messages": messages.collect::<Vec<_>>()});
        let id = match to {
            Some(index) => &self.history.sessions[index].id,
            None => &self.situation.shared_session,
        };
        let path = format!("/api/sessions/{id}/messages");
        let answer = self.write(Method::POST, &path, &body, &[200]).await;
        let known = match to {
            Some(index) => &mut self.history.sessions[index].messages,
            None => &mut self.history.shared,
        };
        match answer {
            Some(answer) => known.acknowledged.extend(placed(&answer.json())),
            None => known.uncertain.push(contents),
        }
    }

    async fn update(&mut self, index: usize) {
        let path = format!("/api/sessions/{}", self.history.sessions[index].id);
        let body = json!({"metadata": {"number": self.step}});
        let answer = self.write(Method::PATCH, &path, &body, &[200]).await;
        let session = &mut self.history.sessions[index];
        if answer.is_some() {
            session.number = self.step;
            session.uncertain_numbers.clear();
        } else {
            session.uncertain_numbers.push(self.step);
        }
    }

    async fn delete_oldest(&mut self) {
        let kept = self.history.sessions.iter().filter(|it| is_kept(it));
        if kept.count() <= SESSIONS_KEPT {
            return;
        }
        let index = self.history.sessions.iter().position(is_kept).unwrap();
        let path = format!("/api/sessions/{}", self.history.sessions[index].id);
        // A repeated deletion returns 404 if the response of the first one was lost.
        let answer = self
            .write(Method::DELETE, &path, &Value::Null, &[200, 404])
            .await;
        self.history.sessions[index].existence = match answer {
            Some(_) => Existence::Deleted,
            None => Existence::Uncertain,
        };
    }

    async fn list(&mut self) {
        let path = "/api/sessions?volume=user&limit=20";
        let _ = self.read(path).await;
    }

    /// Reads back the client's own writes.
    async fn read_session(&mut self, index: usize) {
        let path = format!(
            "/api/sessions/{}?messages=5",
            self.history.sessions[index].id
        );
        let Some(answer) = self.read(&path).await else {
            return;
        };
        let (session, answer) = (&self.history.sessions[index], answer.json());
        let acknowledged = session.messages.acknowledged.len() as u64;
        let is_complete = answer["message_count"].as_u64() >= Some(acknowledged);
        let number = answer["metadata"]["number"].as_u64().unwrap_or_default();
        let is_true = is_complete && session.may_hold(number);
        if !is_true && !self.situation.reads_may_lag {
            self.wrong(format!("{path} lacks what was acknowledged: {answer}"));
        }
    }

    async fn read_shared(&mut self) {
        let Some((seq, content)) = self.history.shared.acknowledged.last().cloned() else {
            return;
        };
        let path = format!(
            "/api/sessions/{}/messages?limit=1&after={}",
            self.situation.shared_session,
            seq - 1
        );
        let Some(answer) = self.read(&path).await else {
            return;
        };
        let answer = answer.json();
        if !self.situation.reads_may_lag && answer["messages"][0]["content"] != content {
            self.wrong(format!("{path} is not {content}: {answer}"));
        }
    }

    /// Returns a unique text.
    pub fn unique(&self) -> String {
        format!("{}-{}", self.number, self.step)
    }

    pub fn wrong(&mut self, text: String) {
        self.history.wrong.push(text);
    }
}

fn is_kept(session: &KnownSession) -> bool {
    session.existence == Existence::Kept
}

/// Returns the seq and content of each message in the response to an append.
fn placed(answer: &Value) -> impl Iterator<Item = (u64, String)> {
    let messages = answer["messages"].as_array().unwrap().iter();
    messages.map(|message| {
        let content = message["content"].as_str().unwrap().to_owned();
        (message["seq"].as_u64().unwrap(), content)
    })
}
