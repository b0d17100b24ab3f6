//! What an append stored, or why it stored nothing.

use crate::domain::message::{Message, MessageId};
use crate::domain::session::SessionAndVersion;

/// The messages of a call that is done.
#[derive(Debug, Default)]
pub struct Stored {
    /// The messages, in the order of the request.
    pub messages: Vec<Message>,
    /// The ids of those that were stored before.
    pub deduplicated: Vec<String>,
    /// The number of messages of the active branch.
    pub message_count: u64,
    /// The `seq` of the last message of the session.
    pub last_seq: u64,
}

/// Why nothing is stored. Positions are those in the request, from 0.
#[derive(Debug)]
pub enum Rejected {
    /// Another message of the session has this id.
    Exists(MessageId),
    /// A deleted message of the session has this id.
    Deleted(MessageId),
    /// The parent of this message does not exist.
    NoParent(usize),
    /// This message has an id of the form `msg_1`, which only names messages that are there.
    ReservedId(usize),
    /// The session has as many branches as it can have.
    TooManyBranches,
    /// The messages as they are stored are larger than a response can be.
    TooLarge,
    /// A message to replace was changed meanwhile; it has this text now.
    Changed(Vec<u8>),
    /// The session's version, which is this one, is not an expected one.
    Stale(Box<SessionAndVersion>),
    /// The `Idempotency-Key` belongs to a different request.
    IdempotencyMismatch,
    /// The caller may only read the session.
    ReadOnly,
}
