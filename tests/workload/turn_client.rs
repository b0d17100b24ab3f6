//! A client of the turns: asks, reads, leaves and comes back, stops, and records what it was shown.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::time::timeout;

use super::turn_model::Kind;
use super::turn_stream::Shown;
use crate::support::{Client, http_client};

/// The pause before a request is repeated.
const PAUSE: Duration = Duration::from_millis(100);
/// The time without bytes after which a client connects again: longer than the pause between signs of life.
const SILENCE: Duration = Duration::from_secs(13);
/// The time after which an operation is given up and reported.
pub const TURN_LIMIT: Duration = Duration::from_secs(75);
/// The number of turns in a session.
const TURNS_OF_A_SESSION: usize = 4;
/// The number of pieces of the body that a client reads before it leaves, or stops.
const PIECES: usize = 6;

/// What all clients share.
#[derive(Debug)]
pub struct Situation {
    pub apis: [Client; 2],
    pub is_stopped: AtomicBool,
    /// Set when the fault ends.
    pub lifted: std::sync::OnceLock<Instant>,
    pub recovered: AtomicUsize,
}

/// A turn as a client knows it.
#[derive(Debug)]
pub struct KnownTurn {
    pub session: String,
    pub user_id: String,
    pub kind: Kind,
    pub shown: Shown,
    /// Whether a response confirmed the message of the user.
    pub is_acknowledged: bool,
    pub is_stopped: bool,
}

/// What a client did.
#[derive(Debug, Default)]
pub struct TurnHistory {
    pub turns: Vec<KnownTurn>,
    pub operations: u64,
    pub longest_turn: Duration,
    pub recovered_after: Option<Duration>,
    pub wrong: Vec<String>,
}

/// How a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Read {
    /// The stream has ended.
    End,
    /// There is nothing to read.
    Nothing,
    /// The client has read as much as it wanted to.
    Left,
    /// The connection failed, or the service is unavailable.
    Failed,
    /// The session has another turn.
    Busy,
}

/// Asks until the flag is set.
pub async fn work(number: usize, situation: Arc<Situation>) -> TurnHistory {
    let mut client = TurnClient {
        http: http_client().build().unwrap(),
        situation,
        history: TurnHistory::default(),
        target: number,
    };
    let mut step = 0;
    while !client.situation.is_stopped.load(Ordering::SeqCst) {
        let kind = match (step + number) % 8 {
            2 => Kind::Endless,
            4 => Kind::Reset,
            5 => Kind::Overloaded,
            6 => Kind::Closed,
            _ => Kind::Whole,
        };
        let turn = KnownTurn {
            session: format!("turns-{number}-{}", step / TURNS_OF_A_SESSION),
            user_id: format!("u{number}-{step}"),
            kind,
            shown: Shown::default(),
            is_acknowledged: false,
            is_stopped: false,
        };
        client.target = number + step;
        client.turn(turn, step).await;
        step += 1;
    }
    client.history
}

struct TurnClient {
    http: reqwest::Client,
    situation: Arc<Situation>,
    history: TurnHistory,
    /// The index of the process for the next request.
    target: usize,
}

impl TurnClient {
    /// Asks and reads the answer to its end.
    async fn turn(&mut self, mut turn: KnownTurn, step: usize) {
        let started = Instant::now();
        // Some clients leave in the middle and come back.
        let mut leaves = step % 3 == 1;
        loop {
            let must_stop = turn.kind == Kind::Endless && !turn.is_stopped;
            let pieces = if leaves || must_stop {
                PIECES
            } else {
                usize::MAX
            };
            let read = self.read(&mut turn, pieces).await;
            match read {
                Read::End => break,
                Read::Nothing if self.has_ended(&turn).await => break,
                Read::Left => {
                    leaves = false;
                    // The other process, which does not produce it.
                    self.target += 1;
                }
                Read::Nothing | Read::Busy => tokio::time::sleep(PAUSE).await,
                Read::Failed => {
                    self.target += 1;
                    tokio::time::sleep(PAUSE).await;
                }
            }
            if turn.kind == Kind::Endless && !turn.is_stopped && turn.shown.turn().is_some() {
                turn.is_stopped = self.stop(&turn).await;
            }
            if started.elapsed() > TURN_LIMIT {
                self.history
                    .wrong
                    .push(format!("no end after {:?}: {turn:?}", started.elapsed()));
                break;
            }
        }
        self.history.longest_turn = self.history.longest_turn.max(started.elapsed());
        self.history.wrong.append(&mut turn.shown.contradictions);
        self.history.turns.push(turn);
        let lifted = self.situation.lifted.get().map(Instant::elapsed);
        if self.history.recovered_after.is_none()
            && let Some(lifted) = lifted
            && started.elapsed() < lifted
        {
            self.history.recovered_after = Some(started.elapsed());
            self.situation.recovered.fetch_add(1, Ordering::SeqCst);
        }
    }

    /// Asks, as long as no turn is known; then goes on behind what was read.
    async fn read(&mut self, turn: &mut KnownTurn, pieces: usize) -> Read {
        let base = self.base();
        let request = match (turn.shown.turn(), &turn.shown.cursor) {
            (Some(id), Some(cursor)) => {
                let path = format!("{base}/api/chat/{}/stream?turn={id}", turn.session);
                let request = self.http.get(path);
                // Every other time from the beginning.
                if self.history.operations.is_multiple_of(2) {
                    let request = request.header("last-event-id", cursor);
                    turn.shown.reconnect(false);
                    request
                } else {
                    turn.shown.reconnect(true);
                    request
                }
            }
            _ => {
                turn.shown.reconnect(true);
                let part = json!({"type": "text", "text": turn.kind.prompt(&turn.user_id)});
                let message = json!({"id": turn.user_id, "role": "user", "parts": [part]});
                let body = json!({"id": turn.session, "message": message});
                let request = self.http.post(format!("{base}/api/chat"));
                request
                    .header("content-type", "application/json")
                    .body(body.to_string())
            }
        };
        self.history.operations += 1;
        let Ok(Ok(mut response)) = timeout(SILENCE, request.send()).await else {
            return Read::Failed;
        };
        match response.status().as_u16() {
            200 => turn.is_acknowledged = true,
            204 => return Read::Nothing,
            502..=504 => return Read::Failed,
            409 => {
                return match response.text().await {
                    Ok(text) if text.contains("turn_in_progress") => Read::Busy,
                    Ok(text) => {
                        self.history.wrong.push(format!("{turn:?}: 409 {text}"));
                        Read::Failed
                    }
                    Err(_) => Read::Failed,
                };
            }
            status => {
                let text = response.text().await.unwrap_or_default();
                self.history
                    .wrong
                    .push(format!("{turn:?}: {status} {text}"));
                return Read::Failed;
            }
        }
        let mut read = 0;
        loop {
            match timeout(SILENCE, response.chunk()).await {
                Ok(Ok(Some(bytes))) => turn.shown.add(&bytes),
                Ok(Ok(None)) if turn.shown.end.is_some() => return Read::End,
                Ok(Ok(None)) => {
                    let text = format!("a body ends before the turn: {turn:?}");
                    self.history.wrong.push(text);
                    return Read::Failed;
                }
                _ if turn.shown.end.is_some() => return Read::End,
                _ => return Read::Failed,
            }
            read += 1;
            if read >= pieces && turn.shown.cursor.is_some() && turn.shown.end.is_none() {
                return Read::Left;
            }
        }
    }

    /// Asks to stop, and returns whether that is acknowledged; the turn may have ended.
    async fn stop(&mut self, turn: &KnownTurn) -> bool {
        let path = format!("{}/api/chat/{}/stop", self.base(), turn.session);
        let body = json!({"turn_id": turn.shown.turn()}).to_string();
        self.history.operations += 1;
        let request = self
            .http
            .post(path)
            .header("content-type", "application/json");
        let response = timeout(SILENCE, request.body(body).send()).await;
        match response {
            Ok(Ok(response)) if response.status() == 200 => return true,
            Ok(Ok(response)) if response.status().as_u16() < 500 => {
                let text = format!("stop of {turn:?}: {}", response.status());
                self.history.wrong.push(text);
            }
            _ => self.target += 1,
        }
        false
    }

    /// Returns whether the turn has ended.
    async fn has_ended(&mut self, turn: &KnownTurn) -> bool {
        let path = format!("{}/api/chat/{}/turn", self.base(), turn.session);
        self.history.operations += 1;
        let Ok(Ok(response)) = timeout(SILENCE, self.http.get(path).send()).await else {
            return false;
        };
        let Ok(text) = response.text().await else {
            return false;
        };
        let found: Value = serde_json::from_str(&text).unwrap_or_default();
        found["turn"]["id"].as_str() != turn.shown.turn() || !found["turn"]["ended_at"].is_null()
    }

    fn base(&self) -> String {
        format!("http://{}", self.situation.apis[self.target % 2].address())
    }
}
