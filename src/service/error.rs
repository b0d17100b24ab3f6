//! Errors of operations. They have no status codes, because each protocol renders them in its own form.

use std::fmt;
use std::time::Duration;

use serde::Serialize;

use super::files::file::File;
use super::skills::summary::SkillSummary;
use crate::blob;
use crate::domain::caller::AccessError;
use crate::domain::message::Message;
use crate::domain::session::SessionAndVersion;
use crate::domain::volume::Volume;
use crate::provider::error::ErrorKind;
use crate::skill::SkillId;
use crate::store;

/// The result of an operation.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A failed operation: one variant for each case that a client can tell apart.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The resource does not exist, or the caller may not learn whether it exists.
    #[error("no such {0}")]
    NotFound(Resource),
    /// The caller may read the resource but not change it.
    #[error("read-only")]
    ReadOnly,
    /// A field of the request is not acceptable.
    #[error("{}: {}", .0.field, .0.message)]
    InvalidField(FieldError),
    /// The cursor is malformed or belongs to another list.
    #[error("invalid cursor")]
    InvalidCursor,
    /// The `Idempotency-Key` was already used for a different request.
    #[error("the idempotency key belongs to a different request")]
    IdempotencyMismatch,
    /// The current state of the resource does not allow the operation.
    #[error("conflict: {0:?}")]
    Conflict(Conflict),
    /// The resource is not in one of the states that the caller expects.
    #[error("precondition failed")]
    PreconditionFailed(Box<Current>),
    /// Redis failed.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// Blob failed.
    #[error(transparent)]
    Blob(blob::Error),
    /// The chat cannot answer.
    #[error("{0:?}")]
    Chat(ChatError),
    /// The stored data is malformed. The text is for the log.
    #[error("{0}")]
    Unreadable(String),
}

/// The kinds of resources.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resource {
    /// A volume.
    Volume,
    /// A session.
    Session,
    /// A message.
    Message,
    /// A skill.
    Skill,
    /// A file.
    File,
}

impl fmt::Display for Resource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Volume => "volume",
            Self::Session => "session",
            Self::Message => "message",
            Self::Skill => "skill",
            Self::File => "file",
        })
    }
}

/// Why the current state of a resource does not allow an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Conflict {
    /// The session that this `Idempotency-Key` created was deleted. The key record does not contain its id.
    CreatedSessionDeleted,
    /// Another session has this id. The caller may not learn anything else about it.
    SessionExists,
    /// Another skill has this id.
    SkillExists {
        /// The volume of that skill.
        volume: Volume,
        /// The id.
        id: SkillId,
    },
    /// Another message of the session has this id.
    MessageExists(String),
    /// A deleted message of the session had this id, which stays its own.
    MessageDeleted(String),
    /// The session has as many branches as it can have.
    TooManyBranches,
    /// The resource was modified concurrently too many times.
    Contended {
        /// The kind of the resource.
        resource: Resource,
        /// The id of the resource.
        id: String,
    },
}

/// Why a model does not answer.
#[derive(Clone, Debug)]
pub enum ChatError {
    /// No provider of models is configured.
    NoProvider,
    /// The model is not allowed.
    ModelNotAllowed(
        /// The requested model.
        String,
    ),
    /// A turn of the session is active.
    TurnInProgress {
        /// The turn.
        turn_id: String,
        /// The id of its answer.
        message_id: String,
        /// The path at which it is streamed.
        stream_url: String,
    },
    /// The newest message is not the one that the caller expects.
    HistoryChanged,
    /// A limit of the caller does not allow a further turn.
    BudgetExhausted {
        /// The name of the limit in `CHAT_LIMITS`.
        limit: String,
        /// The time until the turn is allowed again.
        retry_after: Duration,
        /// When it is allowed again, for a person.
        until: String,
    },
    /// Callers are not told apart, so strangers could spend the owner's money.
    Anonymous,
    /// The model failed in this way.
    Model(ErrorKind),
    /// The turn ended without an answer, for another reason than the model.
    NoAnswer,
}

/// The current state of a resource whose precondition failed.
#[derive(Debug)]
pub enum Current {
    /// A session.
    Session(Box<SessionAndVersion>),
    /// A message; `None` if it does not exist.
    Message(Option<Message>),
    /// A skill.
    Skill(Box<SkillSummary>),
    /// A file; `None` if it does not exist.
    File(Option<File>),
}

/// An invalid field of a request.
#[derive(Clone, Debug, Serialize)]
pub struct FieldError {
    /// The field: a path such as `messages[3].content`, a query parameter, or a header.
    pub field: String,
    /// What the value must be.
    pub message: String,
}

impl Error {
    /// Returns the error of a field that is not acceptable.
    pub fn field(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::InvalidField(FieldError {
            field: field.into(),
            message: message.into(),
        })
    }

    /// Returns the error of a resource that is not in one of the expected states.
    pub(crate) fn stale(current: Current) -> Self {
        Self::PreconditionFailed(Box::new(current))
    }

    /// Returns the error of a list of blobs. Only the cursor of such a call comes from the caller, so a call that
    /// Blob rejects as malformed has an invalid cursor.
    pub(super) fn of_list(error: blob::Error, has_cursor: bool) -> Self {
        if has_cursor && error.is_bad_request() {
            return Self::InvalidCursor;
        }
        error.into()
    }

    /// Returns whether storage is not configured.
    pub(super) fn is_not_configured(&self) -> bool {
        matches!(
            self,
            Self::Store(store::Error::NotConfigured) | Self::Blob(blob::Error::NotConfigured)
        )
    }

    /// Returns whether storage is configured but does not respond.
    pub(super) fn is_unavailable(&self) -> bool {
        match self {
            Self::Store(error) => matches!(
                error,
                store::Error::InvalidUrl(_) | store::Error::Unavailable(_)
            ),
            Self::Blob(error) => !matches!(error, blob::Error::NotConfigured),
            _ => false,
        }
    }
}

impl From<AccessError> for Error {
    fn from(error: AccessError) -> Self {
        match error {
            AccessError::NotFound => Self::NotFound(Resource::Volume),
            AccessError::ReadOnly => Self::ReadOnly,
        }
    }
}

impl From<blob::Error> for Error {
    fn from(error: blob::Error) -> Self {
        match error {
            error @ blob::Error::TooLarge(_) => Self::Unreadable(error.to_string()),
            error => Self::Blob(error),
        }
    }
}
