//! Compares the conversation, as the API and Redis have it, with the responses to the clients and with its own parents.

use std::collections::{HashMap, HashSet};

use serde_json::{Value, json};

use super::check::Findings;
use super::conversation::{ROOT, common};
use super::database::Database;
use super::history::{Existence, History, KnownMessage};
use super::transcript::{Stored, Transcript, seq_of};
use crate::support::Client;

impl Findings {
    /// Runs all checks of the conversation.
    pub async fn check_conversation(
        &mut self,
        histories: &[History],
        id: &str,
        database: Database<'_>,
        api: &Client,
    ) {
        let path = format!("/api/sessions/{id}");
        let all = self.read_pages(api, &path, "all=true&deleted=true").await;
        let messages = self.parse_messages(&all);
        let transcript = Transcript {
            api,
            path,
            messages,
        };
        self.check_stored_texts(&transcript, id, database);
        self.check_known(&transcript, histories);
        self.check_siblings(&transcript);
        self.check_active_path(&transcript, None).await;
        self.check_branches(&transcript, histories).await;

        database.lose_index(id);
        let rebuilt = self
            .read_pages(api, &transcript.path, "all=true&deleted=true")
            .await;
        if rebuilt != all {
            let first = all.iter().zip(&rebuilt).find(|(one, other)| one != other);
            self.wrong
                .push(format!("the rebuilt index differs at {first:?}"));
        }
        let newest = transcript.messages.len().checked_sub(1);
        self.check_active_path(&transcript, newest).await;
    }

    /// Checks that Redis stores each message once, and nothing of the content of a deleted one.
    fn check_stored_texts(
        &mut self,
        transcript: &Transcript<'_>,
        id: &str,
        database: Database<'_>,
    ) {
        let name = |id: &str| format!("session:{id}:messages");
        let texts: Vec<String> = database.command("LRANGE", id, name, &["0", "-1"]);
        let mut stored = HashSet::new();
        for text in &texts {
            let message: Value = serde_json::from_str(text).unwrap();
            if !stored.insert(message["id"].to_string()) {
                self.duplicated.push(format!("stored text {text}"));
            }
            if message["deleted"] == true && message["content"] != "" {
                self.wrong.push(format!("the content of {text} is left"));
            }
        }
        let read = transcript.messages.len();
        if texts.len() != read {
            let stored = texts.len();
            self.wrong.push(format!("{stored} messages, {read} read"));
        }
    }

    /// Checks every message that a client knows, and that no other message is stored.
    fn check_known(&mut self, transcript: &Transcript<'_>, histories: &[History]) {
        let stored = transcript.messages.iter();
        let stored: HashMap<&str, &Stored> = stored.map(|it| (it.id.as_str(), it)).collect();
        let common_ids: Vec<String> = (0..histories.len()).map(common).collect();
        let mut known: HashSet<&str> = HashSet::from([ROOT]);
        known.extend(common_ids.iter().map(String::as_str));
        for message in histories.iter().flat_map(|it| &it.conversation.messages) {
            known.insert(&message.id);
            self.check_message(message, stored.get(message.id.as_str()).copied());
        }
        for id in stored.keys().filter(|id| !known.contains(*id)) {
            self.wrong.push(format!("no client sent the message {id}"));
        }
        for (number, (history, id)) in histories.iter().zip(&common_ids).enumerate() {
            let (acknowledged, sent) = history.conversation.counted;
            let metadata = stored.get(id.as_str()).map(|it| &it.json["metadata"]);
            let counted = metadata.and_then(|it| it[format!("n{number}")].as_u64());
            let counted = counted.unwrap_or_default();
            if !(acknowledged..=sent).contains(&counted) {
                let text = format!("{acknowledged} of client {number}, not {counted}");
                self.lost.push(text);
            }
        }
    }

    fn check_message(&mut self, known: &KnownMessage, stored: Option<&Stored>) {
        let Some(stored) = stored else {
            if known.acknowledged.is_some() {
                self.lost.push(format!("message {}", known.id));
            }
            return;
        };
        let place = (seq_of(&stored.json), stored.json["parent_id"].as_str());
        if let Some((seq, parent)) = &known.place
            && place != (*seq, parent.as_deref())
        {
            self.lost
                .push(format!("the place {:?} of {}", known.place, stored.json));
        }
        let content = stored.json["content"].as_str().unwrap();
        let is_true = match known.existence {
            _ if stored.is_deleted => known.existence != Existence::Kept && content.is_empty(),
            Existence::Deleted => false,
            _ => known.may_contain(content),
        };
        if !is_true {
            self.lost
                .push(format!("{known:?}, stored as {}", stored.json));
        }
    }

    /// Checks that each message names the versions beside it.
    fn check_siblings(&mut self, transcript: &Transcript<'_>) {
        let mut children: HashMap<Option<usize>, Vec<&str>> = HashMap::new();
        let visible = transcript.messages.iter().filter(|it| !it.is_deleted);
        for message in visible.clone() {
            let siblings = children.entry(message.parent).or_default();
            siblings.push(&message.id);
        }
        for message in visible {
            let siblings = &children[&message.parent];
            let expected = match siblings.len() {
                1 => Value::Null,
                _ => json!(siblings),
            };
            if message.json["siblings"] != expected {
                let json = &message.json;
                self.wrong.push(format!("siblings of {json}: {expected}"));
            }
        }
    }

    /// Checks that the active path, read in both directions, is the path of parents to its end: to `tip`, if given.
    async fn check_active_path(&mut self, transcript: &Transcript<'_>, tip: Option<usize>) {
        let (api, path) = (transcript.api, &transcript.path);
        let active = self.read_pages(api, path, "").await;
        let last = active.last().map(|last| seq_of(last) as usize - 1);
        let expected = transcript.visible_path(tip.or(last));
        let seqs: Vec<u64> = active.iter().map(seq_of).collect();
        if seqs != expected {
            let (read, expected) = (ends(&seqs), ends(&expected));
            self.wrong
                .push(format!("the active path is {read}, not {expected}"));
        }
        let mut backwards: Vec<u64> = Vec::new();
        loop {
            let before = backwards.first().map_or(u64::from(u32::MAX), |seq| *seq);
            let path = format!("{path}/messages?limit=200&before={before}");
            let Some(page) = self.read(api, &path).await else {
                return;
            };
            let read = page["messages"].as_array().unwrap().iter().map(seq_of);
            backwards.splice(..0, read);
            if page["has_more"] != true {
                break;
            }
        }
        if backwards != seqs {
            let (backwards, seqs) = (ends(&backwards), ends(&seqs));
            self.wrong
                .push(format!("backwards the path is {backwards}, not {seqs}"));
        }
        let Some(session) = self.read(api, &format!("{path}?messages=0")).await else {
            return;
        };
        let counts = (&session["message_count"], &session["last_seq"]);
        let expected = (&json!(seqs.len()), &json!(transcript.messages.len()));
        if counts != expected {
            self.wrong
                .push(format!("the counts are {counts:?}, not {expected:?}"));
        }
    }

    /// Checks branches that are read without a switch, and those that become active by one.
    async fn check_branches(&mut self, transcript: &Transcript<'_>, histories: &[History]) {
        let kept = histories.iter().filter_map(|history| {
            let mut messages = history.conversation.messages.iter();
            messages.find(|message| message.is_kept())
        });
        let (api, path) = (transcript.api, &transcript.path);
        for message in kept.step_by(8) {
            let id = &message.id;
            let Some(index) = transcript.messages.iter().position(|it| it.id == *id) else {
                continue;
            };
            let read = self.read_pages(api, path, &format!("branch={id}")).await;
            let read: Vec<u64> = read.iter().map(seq_of).collect();
            let expected = transcript.visible_path(Some(index));
            if read != expected {
                let (read, expected) = (ends(&read), ends(&expected));
                self.wrong
                    .push(format!("the branch of {id} is {read}, not {expected}"));
            }
            let body = json!({"message_id": id});
            let switched = api.put(&format!("{path}/branch"), &body).await;
            if switched.status != 200 {
                self.wrong.push(format!("switch to {id}: {switched:?}"));
            }
            let tip = transcript.newest_behind(index);
            self.check_active_path(transcript, Some(tip)).await;
        }
    }
}

/// Returns the length and the end of a path.
fn ends(seqs: &[u64]) -> String {
    let last = &seqs[seqs.len().saturating_sub(5)..];
    format!("{} messages to {last:?}", seqs.len())
}
