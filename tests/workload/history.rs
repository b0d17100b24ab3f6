//! The responses to one client, which the stored data must match at the end.

use std::time::Duration;

/// The operations of a client and their responses.
#[derive(Debug, Default)]
pub struct History {
    pub sessions: Vec<KnownSession>,
    /// The client's appends to the shared session.
    pub shared: Messages,
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
