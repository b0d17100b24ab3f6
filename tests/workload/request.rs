//! Requests of a workload client: repeats unacknowledged writes and records responses that no fault explains.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use axum::http::Method;
use serde_json::Value;

use super::client::Worker;
use crate::support::Response;

/// The pause before an operation is repeated.
const PAUSE_BEFORE_REPEATING: Duration = Duration::from_millis(20);
/// The time after the end in which unacknowledged writes are still repeated.
const LAST_LIMIT: Duration = Duration::from_secs(15);
/// One of this many operations is not repeated, so its outcome stays unknown.
const GIVES_UP: u64 = 7;

impl Worker {
    /// Writes and repeats with the same key until the write is acknowledged, unless this operation is not repeated.
    /// Only a repetition may have another status than the first accepted one.
    pub async fn write(
        &mut self,
        method: Method,
        path: &str,
        body: &Value,
        accepted: &[u16],
    ) -> Option<Response> {
        let key = self.unique();
        let accepted = (&accepted[..1], accepted);
        self.insist(method, path, body, Some(&key), accepted).await
    }

    /// Writes without a key, as a write that can be repeated does: `accepted` are the statuses of the first attempt and
    /// of repetitions.
    pub async fn change(
        &mut self,
        method: Method,
        path: &str,
        body: &Value,
        accepted: (&[u16], &[u16]),
    ) -> Option<Response> {
        self.insist(method, path, body, None, accepted).await
    }

    async fn insist(
        &mut self,
        method: Method,
        path: &str,
        body: &Value,
        key: Option<&str>,
        accepted: (&[u16], &[u16]),
    ) -> Option<Response> {
        let gives_up = self.step.is_multiple_of(GIVES_UP);
        for attempt in 0.. {
            let accepted = if attempt > 0 { accepted.1 } else { accepted.0 };
            let answer = self.attempt(method.clone(), path, body, key).await;
            match answer {
                Some(answer) if accepted.contains(&answer.status.as_u16()) => {
                    self.note_acknowledged();
                    return Some(answer);
                }
                // A replica may lack the message yet.
                Some(answer)
                    if key.is_none()
                        && self.situation.reads_may_lag
                        && [404, 422].contains(&answer.status.as_u16()) =>
                {
                    self.target += 1;
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

    /// Reads once; returns the response if it is a success.
    pub async fn read(&mut self, path: &str) -> Option<Response> {
        let answer = self.attempt(Method::GET, path, &Value::Null, None).await?;
        if answer.status == 200 {
            self.history.acknowledged += 1;
            return Some(answer);
        }
        let text = String::from_utf8_lossy(&answer.body);
        self.wrong(format!("GET {path}: {} {text}", answer.status));
        None
    }

    /// Sends one request; returns nothing on a 503, or on a connection failure that the fault explains.
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
}
