//! The message that a turn stores: a new answer, or more of one that goes on.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::domain::chat::turn::{Operation, TurnStatus};
use crate::domain::chat::{PartCounts, PartsBuilder};
use crate::domain::message::{Members, Message, MessageId, MessagePatch, NewMessage, touch};
use crate::provider::Prices;
use crate::provider::event::ModelUsage;
use crate::store::Replacement;
use crate::util::time::now;
use crate::util::{decimal, json};

/// The error of an answer whose process ended, for a person.
pub(super) const ABANDONED: &str = "The server stopped before the answer was whole.";

/// What the model wrote, and what it cost.
#[derive(Debug)]
pub(super) struct Answer<'a> {
    pub(super) message_id: &'a MessageId,
    pub(super) user_message_id: &'a MessageId,
    pub(super) status: TurnStatus,
    pub(super) model: &'a str,
    pub(super) parts: &'a RawValue,
    pub(super) usage: Option<&'a Usage>,
    pub(super) metadata: Option<&'a RawValue>,
    /// Whether the branch of the answer becomes the active one.
    pub(super) activates: bool,
}

/// The usage as a message has it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Usage {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) input_tokens: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) output_tokens: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cached_input_tokens: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reasoning_tokens: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cost: Option<String>,
    /// Whether the counts are estimated, because the provider did not report them.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) partial: bool,
}

impl Usage {
    /// Adds the usage of a further request to a model, and its cost in dollars if the model has a price.
    pub(super) fn add(&mut self, model: &str, usage: &ModelUsage, prices: &Prices) {
        let add = |sum: &mut Option<u64>, more: Option<u64>| {
            if let Some(more) = more {
                *sum = Some(sum.unwrap_or(0).saturating_add(more));
            }
        };
        add(&mut self.input_tokens, usage.input_tokens);
        add(&mut self.output_tokens, usage.output_tokens);
        add(&mut self.cached_input_tokens, usage.cached_input_tokens);
        add(&mut self.reasoning_tokens, usage.reasoning_tokens);
        if let Some(cost) = prices.cost(model, usage) {
            self.cost = Some(match &self.cost {
                None => cost,
                Some(sum) => decimal::add(sum, &cost),
            });
        }
    }
}

/// The members of the message as JSON.
#[derive(Serialize)]
struct Body<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a MessageId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent_id: Option<&'a MessageId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    activate: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'a str>,
    parts: &'a RawValue,
    status: &'a str,
    model: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<&'a Usage>,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<&'a RawValue>,
}

impl Answer<'_> {
    fn body(&self) -> Body<'_> {
        Body {
            id: None,
            parent_id: None,
            activate: None,
            role: None,
            parts: self.parts,
            status: self.status.as_str(),
            model: self.model,
            usage: self.usage,
            metadata: self.metadata,
        }
    }

    /// Returns the answer as a new message; `None` if it exceeds a limit of messages.
    pub(super) fn to_new_message(&self) -> Option<NewMessage> {
        let body = Body {
            id: Some(self.message_id),
            parent_id: Some(self.user_message_id),
            activate: Some(self.activates),
            role: Some("assistant"),
            ..self.body()
        };
        serde_json::from_str(&json::text(&body)).ok()
    }

    /// Returns the answer in the place of the stored part of it; `None` if it exceeds a limit of messages.
    pub(super) fn to_replacement(&self, stored: &Message) -> Option<Replacement> {
        let patch: MessagePatch = serde_json::from_str(&json::text(&self.body())).ok()?;
        let members = Members::parse_owned(stored.text())?;
        let mut changed = patch.applied_to(&members).ok()?;
        touch(&mut changed, &members, now());
        Some(Replacement::new(stored, changed.to_text(&stored.id())))
    }
}

/// Returns whether the branch of an answer becomes the active one. A failed new version stands beside the old one.
pub(super) fn activates(operation: Operation, status: TurnStatus) -> bool {
    let is_usable = matches!(
        status,
        TurnStatus::Completed | TurnStatus::Stopped | TurnStatus::Incomplete
    );
    is_usable || matches!(operation, Operation::Submit | Operation::Continue)
}

/// Returns a builder that goes on behind the parts of a stored message, and counts them. Without a message it begins anew.
pub(super) fn parts_behind(stored: Option<&Message>) -> (PartsBuilder, PartCounts) {
    let members = stored.map(Message::text).and_then(Members::parse_owned);
    let members = members.unwrap_or_default();
    let parts = members.parts.as_deref();
    let counts = parts.map(PartCounts::of).unwrap_or_default();
    let builder = PartsBuilder::new(parts).with_metadata(members.metadata.as_deref());
    (builder, counts)
}
