//! The messages of the conversation as the API returns them, and the paths that their parents form.

use std::collections::HashMap;

use serde_json::Value;

use super::check::Findings;
use crate::support::Client;

/// A stored message.
pub struct Stored {
    pub id: String,
    /// The index of the parent.
    pub parent: Option<usize>,
    pub is_deleted: bool,
    pub json: Value,
}

/// The whole conversation, in order of `seq`.
pub struct Transcript<'a> {
    pub api: &'a Client,
    pub path: String,
    pub messages: Vec<Stored>,
}

impl Findings {
    /// Reads all pages of the messages, forwards.
    pub async fn read_pages(&mut self, api: &Client, path: &str, query: &str) -> Vec<Value> {
        let mut messages: Vec<Value> = Vec::new();
        loop {
            let after = messages.last().map_or(0, seq_of);
            let path = format!("{path}/messages?limit=200&after={after}&{query}");
            let Some(mut page) = self.read(api, &path).await else {
                return messages;
            };
            let Value::Array(read) = page["messages"].take() else {
                panic!("{path} has no messages")
            };
            messages.extend(read);
            if page["has_more"] != true {
                return messages;
            }
        }
    }

    /// Checks that `seq` has no gaps, ids are unique, and each parent has a smaller `seq`.
    pub fn parse_messages(&mut self, all: &[Value]) -> Vec<Stored> {
        let mut indexes: HashMap<String, usize> = HashMap::new();
        let mut messages = Vec::new();
        for (index, json) in all.iter().enumerate() {
            if seq_of(json) != index as u64 + 1 {
                self.wrong.push(format!("not seq {}: {json}", index + 1));
            }
            let id = json["id"].as_str().unwrap().to_owned();
            let parent = json["parent_id"].as_str();
            let parent_index = parent.and_then(|parent| indexes.get(parent).copied());
            if parent.is_some() != parent_index.is_some() {
                self.wrong.push(format!("the parent is not before: {json}"));
            }
            if indexes.insert(id.clone(), index).is_some() {
                self.duplicated.push(format!("message {id}"));
            }
            messages.push(Stored {
                id,
                parent: parent_index,
                is_deleted: json["deleted"] == true,
                json: json.clone(),
            });
        }
        messages
    }
}

impl Transcript<'_> {
    /// Returns the `seq` of each message on the path to a message, without deleted ones.
    pub fn visible_path(&self, tip: Option<usize>) -> Vec<u64> {
        let mut path = Vec::new();
        let mut next = tip;
        while let Some(index) = next {
            let message = &self.messages[index];
            if !message.is_deleted {
                path.push(index as u64 + 1);
            }
            next = message.parent;
        }
        path.reverse();
        path
    }

    /// Returns the newest message behind a message, or that message itself; deleted ones do not count.
    pub fn newest_behind(&self, index: usize) -> usize {
        let mut newest = index;
        let mut is_behind = vec![false; self.messages.len()];
        is_behind[index] = true;
        for (place, message) in self.messages.iter().enumerate().skip(index + 1) {
            is_behind[place] = message.parent.is_some_and(|parent| is_behind[parent]);
            if is_behind[place] && !message.is_deleted {
                newest = place;
            }
        }
        newest
    }
}

pub fn seq_of(message: &Value) -> u64 {
    message["seq"].as_u64().unwrap()
}
