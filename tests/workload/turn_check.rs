//! Compares stored turns with what clients were shown, and with what the model was asked.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use super::check::Findings;
use super::turn_client::{KnownTurn, TurnHistory};
use super::turn_model::prompt_of;
use crate::support::{Client, ModelServer, Redis};

impl Findings {
    /// Checks that every turn has ended, that each message is stored once, that nothing is lost which was shown, and that
    /// the model was not asked twice. `chat` and `sessions` are the two functions.
    pub async fn check_turns(
        &mut self,
        histories: &[TurnHistory],
        redis: &Redis,
        model: &ModelServer,
        chat: &Client,
        sessions: &Client,
    ) {
        let mut turns: HashMap<&str, Vec<&KnownTurn>> = HashMap::new();
        for turn in histories.iter().flat_map(|history| &history.turns) {
            turns.entry(&turn.session).or_default().push(turn);
        }
        for (session, turns) in turns {
            self.check_turn_has_ended(chat, session).await;
            self.check_stored_once(redis, session);
            let messages = self
                .read_pages(sessions, &format!("/api/sessions/{session}"), "all=true")
                .await;
            for turn in turns {
                self.check_shown(turn, &messages);
            }
        }
        let mut calls: HashMap<String, usize> = HashMap::new();
        for call in model.calls() {
            *calls.entry(prompt_of(&call)).or_default() += 1;
        }
        for turn in histories.iter().flat_map(|history| &history.turns) {
            let prompt = turn.kind.prompt(&turn.user_id);
            let calls = calls.get(&prompt).copied().unwrap_or_default();
            if calls > turn.kind.max_calls() {
                self.duplicated
                    .push(format!("{calls} requests of {prompt}"));
            }
        }
    }

    async fn check_turn_has_ended(&mut self, chat: &Client, session: &str) {
        let path = format!("/api/chat/{session}/turn");
        let Some(found) = self.read(chat, &path).await else {
            return;
        };
        if found["turn"].is_object() && found["turn"]["ended_at"].is_null() {
            self.wrong.push(format!("a turn has no end: {found}"));
        }
    }

    fn check_stored_once(&mut self, redis: &Redis, session: &str) {
        let key = format!("session:{session}:messages");
        let texts: Vec<String> = redis.command(&["LRANGE", &key, "0", "-1"]);
        let mut ids = HashSet::new();
        for text in texts {
            let message: Value = serde_json::from_str(&text).unwrap();
            if !ids.insert(message["id"].to_string()) {
                self.duplicated.push(format!("{text} of {session}"));
            }
        }
    }

    fn check_shown(&mut self, turn: &KnownTurn, messages: &[Value]) {
        let asked = messages
            .iter()
            .find(|message| message["id"] == *turn.user_id);
        if asked.is_none() && turn.is_acknowledged {
            self.lost.push(format!("the question of {turn:?}"));
        }
        let mut answers = messages
            .iter()
            .filter(|it| it["role"] == "assistant" && it["parent_id"] == *turn.user_id);
        let answer = answers.next();
        if let Some(second) = answers.next() {
            self.duplicated
                .push(format!("an answer of {turn:?}: {second}"));
        }
        let shown = &turn.shown;
        let stored = answer.and_then(|answer| answer["content"].as_str());
        let stored = stored.unwrap_or_default();
        let is_kept = match shown.end {
            Some(_) => stored == shown.text,
            None => stored.starts_with(&shown.longest),
        };
        if !is_kept || !stored.starts_with(&shown.longest) {
            self.lost
                .push(format!("shown: {turn:?}, stored: {answer:?}"));
        }
        let id = answer.and_then(|answer| answer["id"].as_str());
        if id.is_some() && shown.message_id.is_some() && id != shown.message_id.as_deref() {
            self.wrong.push(format!("{turn:?} is stored as {id:?}"));
        }
    }
}
