//! Plans turns: which message is answered, and what is stored with its beginning.

use chrono::DateTime;
use serde_json::value::RawValue;
use uuid::Uuid;

use super::ChatService;
use super::outputs::with_outputs;
use super::request::{Ask, AskOperation};
use crate::domain::chat::turn::Operation;
use crate::domain::message::{
    Branch, Members, Message, MessageId, MessagePatch, MessageRange, MessageSelection, NewMessage,
    Parent, touch,
};
use crate::domain::session::SessionId;
use crate::service::error::{Error, Resource, Result};
use crate::store::{Idempotency, Replacement};
use crate::util::hash::sha256_hex;
use crate::util::json;
use crate::util::time::now;

/// The number of messages in which the message that is answered is looked for.
const MAX_SEARCHED: usize = 200;

/// What a turn begins with.
pub(super) struct Plan {
    pub(super) operation: Operation,
    pub(super) message_id: MessageId,
    pub(super) message: Option<NewMessage>,
    pub(super) user: Option<(MessageId, u64)>,
    pub(super) edited: Option<(MessageId, MessageId)>,
    pub(super) replacement: Option<Replacement>,
    pub(super) continued: Option<Message>,
    /// The id that the newest message must have: a later message of the user supersedes requests for approval.
    pub(super) head: Option<MessageId>,
    pub(super) base: usize,
    pub(super) idempotency: Option<Idempotency>,
    /// Whether a repeated request is recognized by the id of its message.
    pub(super) is_keyed_by_message: bool,
}

impl Plan {
    fn submit(&mut self, message: &NewMessage) {
        self.message = Some(message.clone());
        if let (None, Some(id)) = (&self.idempotency, &message.id) {
            self.is_keyed_by_message = true;
            self.idempotency = Some(keyed_by_message(id, message));
        }
    }
}

impl ChatService<'_> {
    /// Plans the turn of a request.
    pub(super) async fn plan(&self, ask: &Ask) -> Result<Plan> {
        let mut plan = Plan {
            operation: Operation::Submit,
            message_id: generated_id(),
            message: None,
            user: None,
            edited: None,
            replacement: None,
            continued: None,
            head: None,
            base: 0,
            idempotency: ask.idempotency.clone(),
            is_keyed_by_message: false,
        };
        match &ask.operation {
            AskOperation::Submit(message) => plan.submit(message),
            AskOperation::Edit(edited, message) => {
                let stored = match self.find(&ask.session, edited).await {
                    // The client has a message that is not stored.
                    Err(Error::NotFound(_)) => {
                        plan.submit(message);
                        return Ok(plan);
                    }
                    stored => stored?,
                };
                if !is_of_user(&stored) {
                    let rule = "must be the id of a message of the user";
                    return Err(Error::field("messageId", rule));
                }
                let mut message = message.clone();
                message.parent_id = match stored.parent_id().and_then(|id| MessageId::parse(&id)) {
                    Some(parent) => Parent::Message(parent),
                    None => Parent::Root,
                };
                message.activate = Some(false);
                if edited.names_place() {
                    // The id of a message of the Python version names its place, so it stays with the old version.
                    message.id = Some(generated_id());
                } else {
                    message.id = Some(edited.clone());
                    plan.edited = Some((edited.clone(), generated_id()));
                }
                plan.operation = Operation::Edit;
                plan.message = Some(message);
            }
            AskOperation::Regenerate(candidates) => {
                plan.operation = Operation::Regenerate;
                plan.user = Some(self.answered_message(&ask.session, candidates).await?);
            }
            AskOperation::Continue(id, parts) => {
                let stored = self.find(&ask.session, id).await?;
                let answered = self.answered_message(&ask.session, std::slice::from_ref(id));
                plan.user = Some(answered.await?);
                plan.operation = Operation::Continue;
                plan.idempotency = plan
                    .idempotency
                    .or_else(|| Some(keyed_by_outputs(id, parts)));
                plan.message_id = id.clone();
                plan.head = Some(id.clone());
                let (replacement, continued, base) = continued(stored, parts)?;
                plan.replacement = replacement;
                plan.continued = Some(continued);
                plan.base = base;
            }
        }
        Ok(plan)
    }

    /// Returns a stored message that is not deleted.
    async fn find(&self, session: &SessionId, id: &MessageId) -> Result<Message> {
        let found = self.find_message(session, id).await?;
        let message = found.filter(|message| {
            Members::parse_owned(message.text()).is_some_and(|members| !members.deleted)
        });
        message.ok_or(Error::NotFound(Resource::Message))
    }

    /// Returns the message of the user that is answered: the first of `candidates` that exists, or the newest one before it.
    async fn answered_message(
        &self,
        session: &SessionId,
        candidates: &[MessageId],
    ) -> Result<(MessageId, u64)> {
        let branches = candidates.iter().cloned().map(Branch::Of);
        for branch in branches.chain([Branch::Active]) {
            let is_active = branch == Branch::Active;
            let until = match &branch {
                Branch::Of(id) => match self.find(session, id).await {
                    Ok(message) => message.seq() + 1,
                    Err(Error::NotFound(Resource::Message)) => continue,
                    Err(error) => return Err(error),
                },
                _ => u64::MAX,
            };
            let selection = MessageSelection {
                range: MessageRange::Before(until),
                limit: MAX_SEARCHED,
                branch,
                with_deleted: false,
            };
            let found = self
                .deps
                .store
                .find_messages(self.context, session, &selection)
                .await?
                .ok_or(Error::NotFound(Resource::Session))?;
            let messages = found.map(|found| found.messages).unwrap_or_default();
            let user = messages.iter().rev().find(|message| is_of_user(message));
            if let Some(user) = user
                && let Some(id) = MessageId::parse(&user.id())
            {
                return Ok((id, user.seq()));
            }
            if is_active {
                break;
            }
        }
        Err(Error::NotFound(Resource::Message))
    }
}

/// Returns the id of an answer. It does not tell its `seq`, which is known only when the answer is stored.
fn generated_id() -> MessageId {
    let id = format!("msg-{}", Uuid::now_v7().simple());
    MessageId::parse(&id).expect("the id is valid")
}

/// Returns the key of a request without one: the same outputs continue a message once.
fn keyed_by_outputs(id: &MessageId, parts: &RawValue) -> Idempotency {
    let key = sha256_hex::<16>(&[b"outputs", id.as_str().as_bytes(), parts.get().as_bytes()]);
    Idempotency {
        fingerprint: key.clone(),
        key,
    }
}

/// Returns the key of a request without one: a message is submitted once.
fn keyed_by_message(id: &MessageId, message: &NewMessage) -> Idempotency {
    let stored = message.to_stored(DateTime::UNIX_EPOCH);
    Idempotency {
        key: sha256_hex::<16>(&[b"message", id.as_str().as_bytes()]),
        fingerprint: sha256_hex::<16>(&[stored.rest().as_bytes()]),
    }
}

fn is_of_user(message: &Message) -> bool {
    let members = Members::parse_owned(message.text());
    let role = members.and_then(|members| members.role.map(|role| role.get().to_owned()));
    role.as_deref() == Some("\"user\"")
}

/// Returns the replacement of a message of the model by one with the outputs of tools, the message with them, and its number
/// of parts.
fn continued(stored: Message, parts: &RawValue) -> Result<(Option<Replacement>, Message, usize)> {
    let members = Members::parse_owned(stored.text());
    let members = members.ok_or_else(|| Error::Unreadable("a message is malformed".to_owned()))?;
    if members.role.as_deref().map(RawValue::get) != Some("\"assistant\"") {
        return Err(Error::field(
            "messageId",
            "must be the id of a message of the assistant",
        ));
    }
    let before = members.parts.as_deref().unwrap_or(RawValue::NULL);
    let (merged, base) = with_outputs(before, parts);
    let Some(merged) = merged else {
        return Ok((None, stored, base));
    };
    let mut patch = json::Object::default();
    patch.set("parts", merged);
    let patch: MessagePatch = serde_json::from_str(&json::text(&patch)).map_err(|_| {
        Error::field(
            "messages",
            "must have outputs within the limits of a message",
        )
    })?;
    let mut changed = patch
        .applied_to(&members)
        .map_err(|(member, rule)| Error::field(member, rule))?;
    touch(&mut changed, &members, now());
    let text = changed.to_text(&stored.id());
    let replacement = Replacement::new(&stored, text.clone());
    let continued = stored.with_text(text.into_bytes());
    Ok((Some(replacement), continued, base))
}
