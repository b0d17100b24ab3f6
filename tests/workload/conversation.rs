//! The operations of a client on the conversation: one session whose messages all clients append, replace, delete and
//! branch. Every message has an id of its own, so each operation can be repeated without an idempotency key.

use axum::http::Method;
use serde_json::{Value, json};

use super::client::Worker;
use super::history::KnownMessage;
use crate::support::{Client, Response};

/// The first message, which stays.
pub const ROOT: &str = "root";
/// The number of messages whose metadata several clients change; each client has a member of its own.
const COMMON: usize = 8;
/// The number of messages that a client keeps before it deletes the oldest.
const MESSAGES_KEPT: usize = 5;
/// The number of operations in a cycle.
const CYCLE: usize = 12;
pub const ONLY_200: (&[u16], &[u16]) = (&[200], &[200]);
/// A session can have 10,000 branches; 409 means that there are as many.
pub const APPENDED: (&[u16], &[u16]) = (&[200, 409], &[200, 409]);

/// Creates the conversation and returns its id.
pub async fn start(api: &Client, name: &str) -> String {
    let session = api.session(name).await;
    let ids = std::iter::once(ROOT.to_owned()).chain((0..COMMON).map(common));
    let messages: Vec<Value> = ids.map(|id| new(&id, &json!({}))).collect();
    let body = json!({"messages": messages});
    let appended = api.post(&session.messages_path(), &body).await;
    appended.assert_status(200);
    session.id
}

/// Returns the id of the message whose metadata a client changes.
pub fn common(number: usize) -> String {
    format!("common-{}", number % COMMON)
}

impl Worker {
    /// Runs the next operation of a cycle.
    pub async fn converse(&mut self) {
        self.turn += 1;
        let messages = &self.history.conversation.messages;
        let kept: Vec<usize> = (0..messages.len())
            .filter(|index| messages[*index].is_kept())
            .collect();
        let chosen = kept.get(self.turn / CYCLE % kept.len().max(1)).copied();
        match (self.turn % CYCLE, kept.last(), chosen) {
            (1, ..) => self.put_new().await,
            (2, Some(newest), _) => self.replace(*newest, Method::PUT).await,
            (3, Some(newest), _) => self.replace(*newest, Method::PATCH).await,
            (4, _, Some(parent)) => self.append_version(parent).await,
            (5, ..) => self.append_twice().await,
            (6, ..) if kept.len() > MESSAGES_KEPT => self.delete(kept[0]).await,
            (7, _, Some(chosen)) => self.switch(chosen).await,
            (8, ..) => self.count().await,
            (9, ..) => self.send_history(chosen).await,
            (10, ..) => self.append_own(2, &json!({})).await,
            (11, ..) => self.revive().await,
            _ => self.append_own(1, &json!({})).await,
        }
    }

    pub fn conversation_path(&self, further: &str) -> String {
        format!("/api/sessions/{}{further}", self.situation.conversation)
    }

    /// Returns a new id, which is also the beginning of the contents of its message.
    pub fn new_id(&self, part: usize) -> String {
        format!("m{}-{part}", self.unique())
    }

    /// Appends messages, at the end of the active branch unless `members` name a parent.
    async fn append_own(&mut self, count: usize, members: &Value) {
        let ids: Vec<String> = (0..count).map(|part| self.new_id(part)).collect();
        let body = json!({"messages": ids.iter().map(|id| new(id, members)).collect::<Vec<_>>()});
        self.send_messages(&body, ids).await;
    }

    /// Sends a request that appends messages, whose contents are their ids.
    async fn send_messages(&mut self, body: &Value, ids: Vec<String>) -> bool {
        let path = self.conversation_path("/messages");
        let answer = self.change(Method::POST, &path, body, APPENDED).await;
        let Some(answer) = self.unless_full(answer) else {
            let messages = ids.into_iter().map(|id| KnownMessage::new(id.clone(), id));
            self.history.conversation.messages.extend(messages);
            return false;
        };
        let answer = answer.json();
        for (index, id) in ids.into_iter().enumerate() {
            let mut message = KnownMessage::new(id.clone(), id);
            self.acknowledge(&mut message, &answer["messages"][index]);
            self.history.conversation.messages.push(message);
        }
        true
    }

    /// Appends behind a known message: a new version of the messages behind that one.
    async fn append_version(&mut self, parent: usize) {
        let parent = self.history.conversation.messages[parent].id.clone();
        let members = json!({"parent_id": parent, "activate": self.turn.is_multiple_of(3)});
        self.append_own(1, &members).await;
        let newest = self.history.conversation.messages.last().unwrap();
        if let Some((_, stored)) = &newest.place
            && stored.as_ref() != Some(&parent)
        {
            let text = format!("{} is behind {stored:?}, not {parent}", newest.id);
            self.wrong(text);
        }
    }

    /// Appends a message and repeats the request after its response, as a client that lost it.
    async fn append_twice(&mut self) {
        let id = self.new_id(0);
        let body = new(&id, &json!({}));
        if !self.send_messages(&body, vec![id.clone()]).await {
            return;
        }
        let path = self.conversation_path("/messages");
        let answer = self.change(Method::POST, &path, &body, ONLY_200).await;
        let Some(answer) = answer else { return };
        let answer = answer.json();
        let seq = answer["messages"][0]["seq"].as_u64();
        let newest = self.history.conversation.messages.last().unwrap();
        let place = newest.place.as_ref().map(|(seq, _)| *seq);
        if answer["deduplicated"] != json!([id]) || seq != place {
            self.wrong(format!("{id} is stored again: {answer}"));
        }
    }

    async fn put_new(&mut self) {
        let id = self.new_id(0);
        let path = self.conversation_path(&format!("/messages/{id}"));
        let accepted: &[u16] = &[201, 200, 409];
        let body = new(&id, &json!({}));
        let answer = self.change(Method::PUT, &path, &body, (accepted, accepted));
        let answer = answer.await;
        let mut message = KnownMessage::new(id.clone(), id);
        if let Some(answer) = self.unless_full(answer) {
            self.acknowledge(&mut message, &answer.json());
        }
        self.history.conversation.messages.push(message);
    }

    /// Returns the response, unless the session has as many branches as it can have.
    pub fn unless_full(&mut self, answer: Option<Response>) -> Option<Response> {
        let answer = answer?;
        if answer.status != 409 {
            return Some(answer);
        }
        if answer.json()["code"] != "too_many_branches" {
            self.wrong(format!("a new message is rejected: {}", answer.json()));
        }
        None
    }

    /// Records the place of a message in a response.
    fn acknowledge(&mut self, message: &mut KnownMessage, stored: &Value) {
        message.acknowledge();
        let parent = stored["parent_id"].as_str().map(str::to_owned);
        match stored["seq"].as_u64() {
            Some(seq) if stored["id"] == *message.id => message.place = Some((seq, parent)),
            _ => self.wrong(format!("{} is stored as {stored}", message.id)),
        }
    }
}

/// Returns a new message whose content is its id.
pub fn new(id: &str, members: &Value) -> Value {
    let mut message = json!({"id": id, "role": "user", "content": id});
    let members = members.as_object().unwrap().clone();
    message.as_object_mut().unwrap().extend(members);
    message
}
