//! What a client has read of the answer of a turn, over any number of connections.

use serde_json::Value;

/// The answer as a client shows it.
#[derive(Clone, Debug, Default)]
pub struct Shown {
    /// The turn and the entry behind which a client goes on.
    pub cursor: Option<String>,
    /// The text up to the cursor.
    at_cursor: String,
    /// The text so far.
    pub text: String,
    /// The longest text that was ever shown.
    pub longest: String,
    pub message_id: Option<String>,
    /// The type of the last chunk of a stream that has ended.
    pub end: Option<String>,
    last_type: String,
    /// What contradicts what was shown before.
    pub contradictions: Vec<String>,
    unparsed: String,
}

impl Shown {
    /// Returns the id of the turn.
    pub fn turn(&self) -> Option<&str> {
        let (turn, _) = self.cursor.as_deref()?.rsplit_once('.')?;
        Some(turn)
    }

    /// Begins another connection: one that goes on behind the cursor, or one that replays everything.
    pub fn reconnect(&mut self, is_replay: bool) {
        self.unparsed.clear();
        match is_replay {
            true => self.text.clear(),
            false => self.text.clone_from(&self.at_cursor),
        }
    }

    /// Adds bytes of the body.
    pub fn add(&mut self, bytes: &[u8]) {
        // All texts of the model are ASCII.
        self.unparsed.push_str(&String::from_utf8_lossy(bytes));
        while let Some((event, rest)) = self.unparsed.split_once("\n\n") {
            let (event, rest) = (event.to_owned(), rest.to_owned());
            self.unparsed = rest;
            self.add_event(&event);
        }
    }

    fn add_event(&mut self, event: &str) {
        let mut id = None;
        for line in event.lines() {
            if let Some(cursor) = line.strip_prefix("id: ") {
                id = Some(cursor.to_owned());
            }
            match line.strip_prefix("data: ") {
                Some("[DONE]") => self.end = Some(self.last_type.clone()),
                Some(data) => self.add_chunk(data),
                None => {}
            }
        }
        if let Some(cursor) = id {
            let turn = cursor.rsplit_once('.').map(|(turn, _)| turn);
            if self.turn().is_some() && self.turn() != turn {
                let text = format!("{:?} goes on as {cursor}", self.cursor);
                self.contradictions.push(text);
            }
            self.cursor = Some(cursor);
            self.at_cursor.clone_from(&self.text);
        }
    }

    fn add_chunk(&mut self, data: &str) {
        let Ok(chunk) = serde_json::from_str::<Value>(data) else {
            return self.contradictions.push(format!("not JSON: {data}"));
        };
        chunk["type"]
            .as_str()
            .unwrap_or_default()
            .clone_into(&mut self.last_type);
        match self.last_type.as_str() {
            "start" => {
                let id = chunk["messageId"].as_str().map(str::to_owned);
                if self.message_id.is_some() && self.message_id != id {
                    let text = format!("{:?} is now {id:?}", self.message_id);
                    self.contradictions.push(text);
                }
                self.message_id = id;
            }
            "text-delta" => self
                .text
                .push_str(chunk["delta"].as_str().unwrap_or_default()),
            _ => {}
        }
        if !self.text.starts_with(&self.longest) && !self.longest.starts_with(&self.text) {
            let text = format!("{:?} was shown, then {:?}", self.longest, self.text);
            self.contradictions.push(text);
        }
        if self.text.len() > self.longest.len() {
            self.longest.clone_from(&self.text);
        }
    }
}
