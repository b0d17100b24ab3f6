//! Compares the stored data and the API with the responses to the clients.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use serde_json::Value;

use super::database::Database;
use super::history::{Existence, History, KnownSession, Messages};
use crate::support::{Client, Redis};

/// The differences from the acknowledged writes.
#[derive(Debug, Default)]
pub struct Findings {
    pub lost: Vec<String>,
    pub duplicated: Vec<String>,
    pub wrong: Vec<String>,
}

/// Runs all checks. `shared` and `conversation` are the ids of the sessions that all clients write to.
pub async fn check(
    histories: &[History],
    shared: &str,
    conversation: &str,
    redis: &Redis,
    api: &Client,
) -> Findings {
    let mut findings = Findings::default();
    let stored = stored_sessions(redis);
    let ids: BTreeSet<&String> = stored
        .values()
        .flatten()
        .map(|session| &session.id)
        .collect();
    findings.check_sessions(histories, &stored);
    let sessions = histories.iter().flat_map(|history| &history.sessions);
    for session in sessions {
        if ids.contains(&session.id) {
            let contents = contents(redis, &session.id);
            findings.check_messages(&session.id, &contents, [&session.messages]);
        } else {
            findings.check_is_gone(redis, &session.id);
        }
    }
    let common = contents(redis, shared);
    let messages = histories.iter().map(|history| &history.shared);
    findings.check_messages(shared, &common, messages);

    findings.check_list(api, &ids).await;
    let newest = histories.iter().filter_map(|history| {
        let mut kept = history.sessions.iter().rev();
        kept.find(|session| session.existence == Existence::Kept)
    });
    for id in newest.map(|session| session.id.as_str()).chain([shared]) {
        findings.check_pages(api, id, &contents(redis, id)).await;
    }
    findings
        .check_conversation(histories, conversation, Database::Single(redis), api)
        .await;
    findings
}

struct Stored {
    id: String,
    number: u64,
}

/// Reads the sessions in Redis by name.
fn stored_sessions(redis: &Redis) -> BTreeMap<String, Vec<Stored>> {
    let ids: Vec<String> = redis.command(&["SMEMBERS", "all:sessions"]);
    let mut sessions: BTreeMap<String, Vec<Stored>> = BTreeMap::new();
    for id in ids {
        let document: String = redis.command(&["GET", &format!("session:{id}")]);
        let document: Value = serde_json::from_str(&document).unwrap();
        let number = document["metadata"]["number"].as_u64().unwrap_or_default();
        let name = document["name"].as_str().unwrap().to_owned();
        sessions
            .entry(name)
            .or_default()
            .push(Stored { id, number });
    }
    sessions
}

fn contents(redis: &Redis, id: &str) -> Vec<String> {
    let key = format!("session:{id}:messages");
    let messages: Vec<String> = redis.command(&["LRANGE", &key, "0", "-1"]);
    let messages = messages
        .iter()
        .map(|message| serde_json::from_str::<Value>(message).unwrap());
    messages
        .map(|message| message["content"].as_str().unwrap().to_owned())
        .collect()
}

impl Findings {
    fn check_sessions(&mut self, histories: &[History], stored: &BTreeMap<String, Vec<Stored>>) {
        let mut names = HashSet::new();
        for session in histories.iter().flat_map(|history| &history.sessions) {
            names.insert(session.name.as_str());
            let found = stored.get(&session.name);
            self.check_session(session, found.map_or(&[], Vec::as_slice));
        }
        let uncertain = histories
            .iter()
            .flat_map(|history| &history.uncertain_creations);
        names.extend(uncertain.map(String::as_str));
        for (name, sessions) in stored {
            if sessions.len() > 1 {
                self.duplicated.push(format!("session {name}"));
            }
            if !names.contains(name.as_str())
                && ![super::SHARED, super::CONVERSATION].contains(&name.as_str())
            {
                self.wrong.push(format!("no client created {name}"));
            }
        }
    }

    fn check_session(&mut self, session: &KnownSession, stored: &[Stored]) {
        let found = stored.iter().find(|stored| stored.id == session.id);
        match (session.existence, found) {
            (Existence::Kept, None) => self.lost.push(format!("session {}", session.id)),
            (Existence::Deleted, Some(_)) => {
                self.lost.push(format!("the deletion of {}", session.id));
            }
            (_, Some(stored)) if !session.may_hold(stored.number) => {
                let (id, stored, told) = (&session.id, stored.number, session.number);
                self.lost
                    .push(format!("update {told} of {id}, which holds {stored}"));
            }
            _ => {}
        }
    }

    /// Checks that every acknowledged message is stored at its seq, and every other one was sent and is stored once.
    fn check_messages<'a>(
        &mut self,
        id: &str,
        contents: &[String],
        known: impl IntoIterator<Item = &'a Messages>,
    ) {
        let stored: HashSet<&String> = contents.iter().collect();
        if stored.len() < contents.len() {
            let mut seen = HashSet::new();
            let twice = contents.iter().filter(|content| !seen.insert(*content));
            let twice = twice.map(|content| format!("message {content} of {id}"));
            self.duplicated.extend(twice);
        }
        let mut sent = HashSet::new();
        for messages in known {
            for (seq, content) in &messages.acknowledged {
                sent.insert(content);
                let place = usize::try_from(*seq).unwrap() - 1;
                if contents.get(place) != Some(content) {
                    self.lost.push(format!("message {content}, {seq} of {id}"));
                }
            }
            for together in &messages.uncertain {
                sent.extend(together);
                let there = together.iter().filter(|content| stored.contains(content));
                if ![0, together.len()].contains(&there.count()) {
                    self.wrong
                        .push(format!("a part of {together:?} is in {id}"));
                }
            }
        }
        let foreign = stored.into_iter().filter(|content| !sent.contains(content));
        let foreign = foreign.map(|content| format!("no client sent {content} to {id}"));
        self.wrong.extend(foreign);
    }

    /// Checks that a missing session has no keys.
    fn check_is_gone(&mut self, redis: &Redis, id: &str) {
        let keys = ["", ":messages"].map(|end| format!("session:{id}{end}"));
        let [document, messages] = &keys;
        let left: u64 =
            redis.command(&["EXISTS", document, messages, &format!("llmos:replies:{id}")]);
        if left > 0 {
            self.wrong.push(format!("{left} keys are left of {id}"));
        }
    }

    /// Checks that the paged list contains every session once.
    async fn check_list(&mut self, api: &Client, ids: &BTreeSet<&String>) {
        let mut listed = Vec::new();
        let mut path = "/api/sessions?volume=user&limit=100".to_owned();
        loop {
            let Some(page) = self.read(api, &path).await else {
                return;
            };
            let sessions = page["sessions"].as_array().unwrap().iter();
            listed.extend(sessions.map(|session| session["id"].as_str().unwrap().to_owned()));
            let Some(cursor) = page["next_cursor"].as_str() else {
                break;
            };
            path = format!("/api/sessions?volume=user&limit=100&cursor={cursor}");
        }
        let distinct: BTreeSet<&String> = listed.iter().collect();
        if distinct.len() < listed.len() || distinct != *ids {
            let (listed, stored) = (listed.len(), ids.len());
            self.wrong
                .push(format!("{listed} sessions listed, {stored} stored"));
        }
    }

    /// Checks that the paged messages equal those in Redis.
    async fn check_pages(&mut self, api: &Client, id: &str, contents: &[String]) {
        let mut read = Vec::new();
        loop {
            let path = format!("/api/sessions/{id}/messages?limit=200&after={}", read.len());
            let Some(page) = self.read(api, &path).await else {
                return;
            };
            for message in page["messages"].as_array().unwrap() {
                read.push(message["content"].as_str().unwrap().to_owned());
                assert_eq!(message["seq"], read.len(), "{path}");
            }
            if page["has_more"] != true {
                break;
            }
        }
        if read != contents {
            self.wrong.push(format!(
                "the messages of {id} are read other than they are stored"
            ));
        }
    }

    pub async fn read(&mut self, api: &Client, path: &str) -> Option<Value> {
        let answer = api.get(path).await;
        if answer.status != 200 {
            self.wrong.push(format!("GET {path}: {}", answer.status));
            return None;
        }
        Some(answer.json())
    }
}
