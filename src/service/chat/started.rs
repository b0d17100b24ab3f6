//! A turn that began, as its producer needs it.

use std::sync::Arc;

use tokio::time::Instant;

use super::answer::parts_behind;
use super::budget::Budget;
use super::deps::ChatDeps;
use super::live::LiveTurn;
use super::prompt::HistoryMessage;
use super::request::TurnRequest;
use crate::blob::Blobs;
use crate::domain::chat::turn::{Operation, TurnId};
use crate::domain::chat::{PartCounts, PartsBuilder};
use crate::domain::message::{Message, MessageId};
use crate::domain::request_context::RequestContext;
use crate::domain::session::SessionId;
use crate::provider::{ModelChoice, Provider};

/// A turn that began.
#[derive(Debug)]
pub(super) struct StartedTurn {
    pub(super) deps: ChatDeps,
    pub(super) budget: Budget,
    /// The caller, for reads of skills and files.
    pub(super) context: RequestContext,
    pub(super) provider: Provider,
    pub(super) model: ModelChoice,
    pub(super) session: SessionId,
    pub(super) turn: TurnId,
    pub(super) owner: String,
    pub(super) operation: Operation,
    pub(super) message_id: MessageId,
    pub(super) user_message_id: MessageId,
    pub(super) user_seq: u64,
    /// The answer that goes on, as it is stored.
    pub(super) continued: Option<Message>,
    /// The same with the outputs of the calls that a person approved.
    pub(super) answered: Option<HistoryMessage>,
    pub(super) request: TurnRequest,
    /// The chunks of the first entry of the log, which is stored already.
    pub(super) beginning: String,
    pub(super) live: Arc<LiveTurn>,
    /// The time at which the turn began.
    pub(super) started: Instant,
}

impl StartedTurn {
    /// Returns the builder of the message, and how many parts it begins with.
    pub(super) fn parts(&self) -> (PartsBuilder, PartCounts) {
        parts_behind(self.continued.as_ref())
    }

    /// Returns the Blob client for what the model does now.
    pub(super) fn blobs(&self) -> Blobs {
        self.deps.blobs.blobs(self.context.oidc_token.as_ref())
    }
}
