//! One client of many: it writes, repeats what was not acknowledged, reads back, and keeps its history.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use axum::http::Method;
use serde_json::{Value, json};

use super::history::{Existence, History, KnownSession};
use crate::support::{Client, Response};

/// How long a client rests between operations, and before it repeats one.
const PAUSE: Duration = Duration::from_millis(4);
const PAUSE_BEFORE_REPEATING: Duration = Duration::from_millis(20);
/// How long after the end a client still repeats what was not acknowledged.
const LAST_LIMIT: Duration = Duration::from_secs(15);
/// Every so many operations are not repeated: nobody knows whether they happened.
const GIVES_UP: u64 = 7;
/// How many sessions a client keeps before it deletes the oldest.
const SESSIONS_KEPT: usize = 4;

/// What all clients look at.
#[derive(Debug)]
pub struct Situation {
    /// The processes of the function; what one did not answer is repeated to the other one.
    pub apis: [Client; 2],
    pub shared_session: String,
    /// The fault makes connections to the function fail.
    pub connections_may_fail: bool,
    /// For a while, one process reads what another one has replaced.
    pub reads_may_lag: bool,
    pub lifted: OnceLock<Instant>,
    pub recovered: AtomicUsize,
    pub stopped: AtomicBool,
}

/// Works until it is told to stop.
pub async fn work(number: usize, situation: Arc<Situation>) -> History {
    let mut worker = Worker {
        number,
        situation,
        history: History::default(),
        step: 0,
        target: number,
        stopped_at: None,
    };
    while !worker.situation.stopped.load(Ordering::SeqCst) {
        worker.operate().await;
        tokio::time::sleep(PAUSE).await;
    }
    worker.history
}

struct Worker {
    number: usize,
    situation: Arc<Situation>,
    history: History,
    step: u64,
    /// Which process is asked.
    target: usize,
    stopped_at: Option<Instant>,
}

impl Worker {
    /// The next operation of a cycle; all write something that was never written before.
    async fn operate(&mut self) {
        self.step += 1;
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

    /// Appends to a session of the client's own, or to the one that all share.
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
        // A repetition finds nothing where the first one did it and its answer was lost.
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
        let _ = self.send(Method::GET, path, &Value::Null, None).await;
    }

    /// Reads its own writes.
    async fn read_session(&mut self, index: usize) {
        let path = format!(
            "/api/sessions/{}?messages=5",
            self.history.sessions[index].id
        );
        let Some(answer) = self.send(Method::GET, &path, &Value::Null, None).await else {
            return;
        };
        let (session, answer) = (&self.history.sessions[index], answer.json());
        let acknowledged = session.messages.acknowledged.len() as u64;
        let is_complete = answer["message_count"].as_u64() >= Some(acknowledged);
        let number = answer["metadata"]["number"].as_u64().unwrap_or_default();
        if !self.situation.reads_may_lag && !(is_complete && session.may_hold(number)) {
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
        let Some(answer) = self.send(Method::GET, &path, &Value::Null, None).await else {
            return;
        };
        let answer = answer.json();
        if !self.situation.reads_may_lag && answer["messages"][0]["content"] != content {
            self.wrong(format!("{path} is not {content}: {answer}"));
        }
    }

    /// Writes, and repeats under the same key until it is acknowledged, unless this is one to give up.
    async fn write(
        &mut self,
        method: Method,
        path: &str,
        body: &Value,
        accepted: &[u16],
    ) -> Option<Response> {
        let key = self.unique();
        let gives_up = self.step.is_multiple_of(GIVES_UP);
        for attempt in 0.. {
            let is_repeated = attempt > 0;
            let accepted = if is_repeated {
                accepted
            } else {
                &accepted[..1]
            };
            let answer = self.attempt(method.clone(), path, body, Some(&key)).await;
            match answer {
                Some(answer) if accepted.contains(&answer.status.as_u16()) => {
                    self.note_acknowledged();
                    return Some(answer);
                }
                Some(answer) => {
                    let text = String::from_utf8_lossy(&answer.body);
                    self.wrong(format!("{method} {path}: {} {text}", answer.status));
                    return None;
                }
                None if gives_up => return None,
                None => {}
            }
            if self.is_over() {
                self.wrong(format!("{method} {path} was never acknowledged"));
                return None;
            }
            tokio::time::sleep(PAUSE_BEFORE_REPEATING).await;
        }
        None
    }

    /// Sends what is not repeated: a success, or nothing.
    async fn send(
        &mut self,
        method: Method,
        path: &str,
        body: &Value,
        key: Option<&str>,
    ) -> Option<Response> {
        let answer = self.attempt(method.clone(), path, body, key).await?;
        if answer.status == 200 {
            self.history.acknowledged += 1;
            return Some(answer);
        }
        let text = String::from_utf8_lossy(&answer.body);
        self.wrong(format!("{method} {path}: {} {text}", answer.status));
        None
    }

    /// One request; nothing where the service says that it cannot, or is not there while the fault excuses that.
    async fn attempt(
        &mut self,
        method: Method,
        path: &str,
        body: &Value,
        key: Option<&str>,
    ) -> Option<Response> {
        self.history.operations += 1;
        let mut api =
            self.situation.apis[self.target % 2].with_header("content-type", "application/json");
        if let Some(key) = key {
            api = api.with_header("idempotency-key", key);
        }
        let text = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        let started = Instant::now();
        let answer = api.try_send(method.clone(), path, text.into()).await;
        self.history.longest_wait = self.history.longest_wait.max(started.elapsed());
        match answer {
            Ok(answer) if ![503, 504].contains(&answer.status.as_u16()) => return Some(answer),
            Ok(answer) if answer.header("content-type") != Some("application/problem+json") => {
                self.wrong(format!("{method} {path}: {answer:?}"));
            }
            Err(error) if !self.situation.connections_may_fail => {
                self.wrong(format!("{method} {path}: {error}"));
            }
            _ => {}
        }
        self.target += 1;
        None
    }

    fn note_acknowledged(&mut self) {
        self.history.acknowledged += 1;
        let Some(lifted) = self.situation.lifted.get() else {
            return;
        };
        if self.history.recovered_after.is_none() {
            self.history.recovered_after = Some(lifted.elapsed());
            self.situation.recovered.fetch_add(1, Ordering::SeqCst);
        }
    }

    fn is_over(&mut self) -> bool {
        let is_stopped = self.situation.stopped.load(Ordering::SeqCst);
        is_stopped && self.stopped_at.get_or_insert_with(Instant::now).elapsed() > LAST_LIMIT
    }

    /// A text that nothing else is called.
    fn unique(&self) -> String {
        format!("{}-{}", self.number, self.step)
    }

    fn wrong(&mut self, text: String) {
        self.history.wrong.push(text);
    }
}

fn is_kept(session: &KnownSession) -> bool {
    session.existence == Existence::Kept
}

/// The place and content of each message in the answer to an append.
fn placed(answer: &Value) -> impl Iterator<Item = (u64, String)> {
    let messages = answer["messages"].as_array().unwrap().iter();
    messages.map(|message| {
        let content = message["content"].as_str().unwrap().to_owned();
        (message["seq"].as_u64().unwrap(), content)
    })
}
