//! The responses to one client, which the stored data must match at the end.

use std::time::Duration;

/// The operations of a client and their responses.
#[derive(Debug, Default)]
pub struct History {
    pub sessions: Vec<KnownSession>,
    /// The client's appends to the shared session.
    pub shared: Messages,
    /// The client's messages in the conversation that all clients write to.
    pub conversation: Conversation,
    /// Names of sessions whose creation got no response and was not repeated.
    pub uncertain_creations: Vec<String>,
    pub operations: u64,
    pub acknowledged: u64,
    pub longest_wait: Duration,
    /// The time from the end of the fault to the client's first acknowledged write.
    pub recovered_after: Option<Duration>,
    /// Responses that no fault explains.
    pub wrong: Vec<String>,
}

/// A session that only the client that created it writes to.
#[derive(Debug)]
pub struct KnownSession {
    pub id: String,
    pub name: String,
    pub messages: Messages,
    /// The number in its metadata: the acknowledged one, and those of later updates without a response.
    pub number: u64,
    pub uncertain_numbers: Vec<u64>,
    pub existence: Existence,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Existence {
    Kept,
    Deleted,
    /// Its deletion got no response and was not repeated.
    Uncertain,
}

/// A client's appends to one session. Every content is unique.
#[derive(Debug, Default)]
pub struct Messages {
    /// The acknowledged seq and content of each message.
    pub acknowledged: Vec<(u64, String)>,
    /// The contents of appends without a response.
    pub uncertain: Vec<Vec<String>>,
}

/// A client's part of the conversation.
#[derive(Debug, Default)]
pub struct Conversation {
    pub messages: Vec<KnownMessage>,
    /// The client's number in the metadata of a common message: the acknowledged one, and the last one sent.
    pub counted: (u64, u64),
}

/// A message with an id of its own, which only the client that created it replaces and deletes.
#[derive(Debug)]
pub struct KnownMessage {
    pub id: String,
    /// The acknowledged seq and parent, which never change.
    pub place: Option<(u64, Option<String>)>,
    /// The contents that were sent, in order.
    pub sent: Vec<String>,
    /// The index of the last acknowledged content; missing if no creation was acknowledged.
    pub acknowledged: Option<usize>,
    pub existence: Existence,
}

impl KnownMessage {
    pub fn new(id: String, content: String) -> Self {
        Self {
            id,
            place: None,
            sent: vec![content],
            acknowledged: None,
            existence: Existence::Kept,
        }
    }

    /// Returns whether the message is certainly stored and not deleted.
    pub fn is_kept(&self) -> bool {
        self.acknowledged.is_some() && self.existence == Existence::Kept
    }

    /// Returns whether the message may contain this: the last acknowledged content, or one that was sent later.
    pub fn may_contain(&self, content: &str) -> bool {
        let first = self.acknowledged.unwrap_or_default();
        self.sent[first..].iter().any(|sent| sent == content)
    }

    /// Records that the last content that was sent is stored.
    pub fn acknowledge(&mut self) {
        self.acknowledged = Some(self.sent.len() - 1);
    }
}

impl KnownSession {
    pub fn new(id: String, name: String, first_message: (u64, String)) -> Self {
        Self {
            id,
            name,
            messages: Messages {
                acknowledged: vec![first_message],
                uncertain: Vec::new(),
            },
            number: 0,
            uncertain_numbers: Vec::new(),
            existence: Existence::Kept,
        }
    }

    /// Returns whether the metadata may contain this number.
    pub fn may_hold(&self, number: u64) -> bool {
        self.number == number || self.uncertain_numbers.contains(&number)
    }
}
