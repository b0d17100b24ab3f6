//! Turns: one answer of a model to one message of a session.

use std::fmt;

use serde::{Deserialize, Serialize, Serializer};
use uuid::Uuid;

use crate::domain::message::MessageId;
use crate::domain::session_id::SessionId;
use crate::util::percent;

/// The longest id of a turn, in bytes.
const MAX_ID_BYTES: usize = 64;

/// The id of a turn: `turn_` and 32 hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct TurnId(String);

impl TurnId {
    /// Returns a new id.
    pub fn generate() -> Self {
        Self(format!("turn_{}", Uuid::now_v7().simple()))
    }

    /// Parses an id: 1–64 of `A-Z a-z 0-9 _ -`.
    pub fn parse(text: &str) -> Option<Self> {
        let is_valid = (1..=MAX_ID_BYTES).contains(&text.len())
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
        is_valid.then(|| Self(text.to_owned()))
    }

    /// Returns the id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TurnId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// How far a turn is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TurnStatus {
    /// The model has not answered yet.
    Reserved,
    /// The model answers.
    Streaming,
    /// A person asked to stop.
    Stopping,
    /// The answer is whole.
    Completed,
    /// A person stopped the answer.
    Stopped,
    /// The answer failed.
    Failed,
    /// The process that produced the answer was lost.
    Abandoned,
    /// The answer reached a limit, as of its length or time.
    Incomplete,
}

impl TurnStatus {
    const ALL: [Self; 8] = [
        Self::Reserved,
        Self::Streaming,
        Self::Stopping,
        Self::Completed,
        Self::Stopped,
        Self::Failed,
        Self::Abandoned,
        Self::Incomplete,
    ];

    /// Returns the name in JSON and in Redis.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Reserved => "reserved",
            Self::Streaming => "streaming",
            Self::Stopping => "stopping",
            Self::Completed => "completed",
            Self::Stopped => "stopped",
            Self::Failed => "failed",
            Self::Abandoned => "abandoned",
            Self::Incomplete => "incomplete",
        }
    }

    /// Parses a name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }

    /// Returns whether the turn has not ended.
    pub fn is_active(self) -> bool {
        matches!(self, Self::Reserved | Self::Streaming | Self::Stopping)
    }
}

impl Serialize for TurnStatus {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// How a turn began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// A new message is answered.
    Submit,
    /// A new version of a message is answered.
    Edit,
    /// A stored message is answered again.
    Regenerate,
    /// A message goes on after the output of a tool.
    Continue,
}

impl Operation {
    /// Returns the name in Redis.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Submit => "submit",
            Self::Edit => "edit",
            Self::Regenerate => "regenerate",
            Self::Continue => "continue",
        }
    }

    /// Parses a name.
    pub fn parse(text: &str) -> Option<Self> {
        let all = [Self::Submit, Self::Edit, Self::Regenerate, Self::Continue];
        all.into_iter().find(|operation| operation.as_str() == text)
    }
}

/// The active turn of a session, as its document names it.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct ActiveTurn {
    /// The id of the turn.
    #[schema(value_type = String)]
    pub id: TurnId,
    /// `reserved`, `streaming` or `stopping`. Missing in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, value_type = String)]
    pub status: Option<TurnStatus>,
    /// The id that the answer will have.
    pub message_id: MessageId,
    /// The path at which the answer is streamed.
    pub stream_url: String,
    /// The id of the message that is answered.
    #[serde(skip)]
    pub user_message_id: MessageId,
    /// The `seq` of that message.
    #[serde(skip)]
    pub user_seq: u64,
}

/// The member of the document.
#[derive(Clone, Debug, Deserialize)]
pub struct StoredActiveTurn {
    id: String,
    message_id: MessageId,
    user_message_id: MessageId,
    user_seq: u64,
}

impl StoredActiveTurn {
    /// Returns the turn of this session; `None` if its id is malformed.
    pub fn of(self, session: &SessionId) -> Option<ActiveTurn> {
        let id = TurnId::parse(&self.id)?;
        Some(ActiveTurn {
            stream_url: stream_url(session, &id),
            id,
            status: None,
            message_id: self.message_id,
            user_message_id: self.user_message_id,
            user_seq: self.user_seq,
        })
    }
}

/// Returns the path at which a turn is streamed.
pub fn stream_url(session: &SessionId, turn: &TurnId) -> String {
    let session = percent::encode_segment(session.as_str());
    format!("/api/chat/{session}/stream?turn={turn}")
}

/// A turn as it is stored. Times are milliseconds since 1970 of Redis's clock.
#[derive(Clone, Debug)]
pub struct Turn {
    /// The id.
    pub id: TurnId,
    /// How it began.
    pub operation: Operation,
    /// How far it is.
    pub status: TurnStatus,
    /// The model.
    pub model: String,
    /// The name by which the turns of its caller are counted.
    pub client: String,
    /// The id of the answer.
    pub message_id: MessageId,
    /// The id of the message that is answered.
    pub user_message_id: MessageId,
    /// The `seq` of that message.
    pub user_seq: u64,
    /// The number of parts that a continued message had.
    pub base: usize,
    /// The number of the last entry of the log.
    pub last_entry: u64,
    /// The last sign of life of the producer.
    pub beat: i64,
    /// The beginning.
    pub started: i64,
    /// The time after which the turn must have ended.
    pub deadline: i64,
    /// The end.
    pub ended: Option<i64>,
    /// The code of the failure.
    pub error: Option<String>,
    /// The time at which the turn was read.
    pub now: i64,
}

impl Turn {
    /// Returns whether the turn has lost its producer.
    pub fn is_dead(&self, lease_millis: i64) -> bool {
        self.status.is_active()
            && (self.now - self.beat >= lease_millis || self.now >= self.deadline)
    }
}
