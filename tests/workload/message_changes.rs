//! The operations of a client on messages of the conversation that are stored already: replaced, deleted, sent again.

use axum::http::Method;
use serde_json::{Value, json};

use super::client::Worker;
use super::conversation::{APPENDED, ONLY_200, ROOT, common, new};
use super::history::{Existence, KnownMessage};

impl Worker {
    /// Replaces the content of a message by a longer one.
    pub async fn replace(&mut self, index: usize, method: Method) {
        let message = &mut self.history.conversation.messages[index];
        let content = format!("{} {}", message.sent.last().unwrap(), self.step);
        message.sent.push(content.clone());
        let id = message.id.clone();
        let path = self.conversation_path(&format!("/messages/{id}"));
        let mut body = json!({"content": content});
        if method == Method::PUT {
            body["role"] = json!("user");
        }
        let answer = self.change(method, &path, &body, ONLY_200).await;
        let Some(answer) = answer else { return };
        let answer = answer.json();
        let message = &mut self.history.conversation.messages[index];
        message.acknowledge();
        let place = message.place.as_ref().map(|(seq, _)| *seq);
        let is_true =
            answer["content"] == content && (place.is_none() || place == answer["seq"].as_u64());
        if !is_true {
            self.wrong(format!("{path} is not {content} at {place:?}: {answer}"));
        }
    }

    pub async fn delete(&mut self, index: usize) {
        let id = &self.history.conversation.messages[index].id;
        let path = self.conversation_path(&format!("/messages/{id}"));
        // A repeated deletion returns 404 if the response of the first one was lost.
        let accepted: (&[u16], &[u16]) = (&[200], &[200, 404]);
        let answer = self
            .change(Method::DELETE, &path, &Value::Null, accepted)
            .await;
        self.history.conversation.messages[index].existence = match answer {
            Some(_) => Existence::Deleted,
            None => Existence::Uncertain,
        };
    }

    /// Makes the branch of a message the active one.
    pub async fn switch(&mut self, index: usize) {
        let path = self.conversation_path("/branch");
        let id = if self.turn.is_multiple_of(5) {
            ROOT
        } else {
            &self.history.conversation.messages[index].id
        };
        let body = json!({"message_id": id});
        self.change(Method::PUT, &path, &body, ONLY_200).await;
    }

    /// Changes the client's member of a message that other clients change as well.
    pub async fn count(&mut self) {
        let path = self.conversation_path(&format!("/messages/{}", common(self.number)));
        self.history.conversation.counted.1 = self.step;
        let name = format!("n{}", self.number);
        let body = json!({"metadata": {&name: self.step}});
        let answer = self.change(Method::PATCH, &path, &body, ONLY_200).await;
        let Some(answer) = answer else { return };
        self.history.conversation.counted.0 = self.step;
        let answer = answer.json();
        if answer["metadata"][&name] != self.step {
            self.wrong(format!("{path} lacks {name} {}: {answer}", self.step));
        }
    }

    /// Sends a whole history: a stored message, a deleted one, and new ones.
    pub async fn send_history(&mut self, stored: Option<usize>) {
        let known = &self.history.conversation.messages;
        let stored = stored.map(|index| known[index].id.clone());
        let deleted = self.newest_deleted();
        let ids = [0, 1].map(|part| self.new_id(part));
        let unchanged = stored.iter().chain(&deleted);
        let items = unchanged.map(|id| json!({"id": id, "role": "user"}));
        let items = items.chain(ids.iter().map(|id| new(id, &json!({}))));
        let body = json!({"messages": items.collect::<Vec<_>>()});
        let path = self.conversation_path("/messages");
        let answer = self.change(Method::PUT, &path, &body, APPENDED).await;
        let answer = self.unless_full(answer);
        for id in ids.clone() {
            let mut message = KnownMessage::new(id.clone(), id);
            if answer.is_some() {
                message.acknowledge();
            }
            self.history.conversation.messages.push(message);
        }
        let Some(answer) = answer else { return };
        let answer = answer.json();
        let has = |list: &str, id: &String| {
            let ids = answer[list].as_array().unwrap();
            ids.iter().any(|listed| listed == id.as_str())
        };
        // A repeated request finds its messages.
        let is_merged = ids
            .iter()
            .all(|id| has("appended", id) || has("unchanged", id))
            && stored.iter().all(|id| has("unchanged", id))
            && deleted.iter().all(|id| has("deleted", id));
        if !is_merged && !self.situation.reads_may_lag {
            self.wrong(format!("{body} is merged as {answer}"));
        }
    }

    /// Sends a deleted message again, as a late client does; it must stay deleted.
    pub async fn revive(&mut self) {
        let Some(id) = self.newest_deleted() else {
            return;
        };
        let accepted: (&[u16], &[u16]) = (&[409], &[409]);
        let (method, path) = match self.turn.is_multiple_of(2) {
            true => (Method::POST, self.conversation_path("/messages")),
            false => (
                Method::PUT,
                self.conversation_path(&format!("/messages/{id}")),
            ),
        };
        let body = new(&id, &json!({}));
        let answer = self.change(method, &path, &body, accepted).await;
        if let Some(answer) = answer
            && answer.json()["code"] != "message_deleted"
        {
            self.wrong(format!("{id} is deleted, but: {}", answer.json()));
        }
    }

    pub fn newest_deleted(&self) -> Option<String> {
        let mut messages = self.history.conversation.messages.iter().rev();
        let deleted = messages.find(|message| message.existence == Existence::Deleted)?;
        Some(deleted.id.clone())
    }
}
