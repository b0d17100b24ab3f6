//! What one client was told, which is what has to be true at the end.

use std::time::Duration;

/// All that a client did and was answered.
#[derive(Debug, Default)]
pub struct History {
    pub sessions: Vec<KnownSession>,
    /// What the client appended to the session that all clients share.
    pub shared: Messages,
    /// Names of sessions whose creation was never answered, and not repeated.
    pub uncertain_creations: Vec<String>,
    pub operations: u64,
    pub acknowledged: u64,
    pub longest_wait: Duration,
    /// How long after the fault the client's first write was acknowledged.
    pub recovered_after: Option<Duration>,
    /// Answers that no fault excuses.
    pub wrong: Vec<String>,
}

/// A session that a client created and nobody else writes to.
#[derive(Debug)]
pub struct KnownSession {
    pub id: String,
    pub name: String,
    pub messages: Messages,
    /// The number in its metadata: acknowledged, and those of updates that were not answered since.
    pub number: u64,
    pub uncertain_numbers: Vec<u64>,
    pub existence: Existence,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Existence {
    Kept,
    Deleted,
    /// Its deletion was never answered, and not repeated.
    Uncertain,
}

/// What a client appended to one session. Every content is used once.
#[derive(Debug, Default)]
pub struct Messages {
    /// The place and content that each was acknowledged with.
    pub acknowledged: Vec<(u64, String)>,
    /// Contents that went out together, and were never answered.
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

    /// Whether the metadata may hold this number.
    pub fn may_hold(&self, number: u64) -> bool {
        self.number == number || self.uncertain_numbers.contains(&number)
    }
}
