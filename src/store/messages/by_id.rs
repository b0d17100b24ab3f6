//! Finds messages by their ids.

use redis::{FromRedisValue, ParsingError, Value};

use super::page::ids_of;
use crate::domain::message::{MAX_PAGE_BYTES, Message, MessageId};
use crate::domain::request_context::RequestContext;
use crate::domain::session::{SessionAndVersion, SessionId};
use crate::store::call::Call;
use crate::store::document::StoredSession;
use crate::store::error::Result;
use crate::store::handle::Store;
use crate::store::reply::Reply;
use crate::store::script;

/// A session and the messages with some ids.
#[derive(Debug)]
pub struct MessagesById {
    /// The session, and its version.
    pub current: SessionAndVersion,
    /// The state of the session, for [`Append::state`](super::Append::state).
    pub state: String,
    /// Whether the caller may change the session.
    pub can_write: bool,
    /// For each id its message.
    pub messages: Vec<Option<FoundMessage>>,
}

impl MessagesById {
    /// Returns the message of the first id.
    pub fn into_first(self) -> Option<Message> {
        let first = self.messages.into_iter().next().flatten();
        first.map(|found| found.message)
    }
}

/// A message that was found by its id.
#[derive(Debug)]
pub struct FoundMessage {
    /// The message; its text is empty if the messages before it already have 4 MB together.
    pub message: Message,
    /// Whether the text is left out.
    pub is_left_out: bool,
}

/// Reply of `scripts/lookup.lua`.
struct LookupReply {
    can_write: bool,
    stored: StoredSession,
    messages: Vec<Option<FoundMessage>>,
}

impl FromRedisValue for LookupReply {
    fn from_redis_value(value: Value) -> Result<Self, ParsingError> {
        let mut reply = Reply::from_redis_value(value)?;
        let can_write = reply.next::<String>()? == "write";
        let stored = StoredSession::from_reply(&mut reply)?;
        let mut messages = Vec::new();
        while !reply.is_empty() {
            let seq: Option<u64> = reply.next()?;
            let parent_id: Option<String> = reply.next()?;
            let versions: Option<String> = reply.next()?;
            let text: Option<Vec<u8>> = reply.next()?;
            messages.push(seq.map(|seq| {
                let is_left_out = text.is_none();
                let message = Message::from_stored(text.unwrap_or_default(), seq);
                let siblings = versions.map(|versions| ids_of(&versions));
                FoundMessage {
                    message: message
                        .with_parent(parent_id)
                        .with_siblings(siblings.unwrap_or_default()),
                    is_left_out,
                }
            }));
        }
        Ok(Self {
            can_write,
            stored,
            messages,
        })
    }
}

impl Store {
    /// Finds one message by its id, as [`Self::find_messages_by_id`] does; `None` also if the session does not exist or the
    /// caller may not read it.
    pub async fn find_message(
        &self,
        context: &RequestContext,
        session: &SessionId,
        id: &MessageId,
    ) -> Result<Option<Message>> {
        let found = self.find_messages_by_id(context, session, &[id]).await?;
        Ok(found.and_then(MessagesById::into_first))
    }

    /// Finds messages by their ids; `None` if the session does not exist or the caller may not read it. Deleted messages
    /// are found as well.
    pub async fn find_messages_by_id(
        &self,
        context: &RequestContext,
        id: &SessionId,
        ids: &[&MessageId],
    ) -> Result<Option<MessagesById>> {
        let call = Call::new(&script::LOOKUP, Vec::new()).number(MAX_PAGE_BYTES);
        let call = call.args(ids.iter().map(|id| id.as_str()));
        let executor = self.executor()?;
        let reply: Option<LookupReply> = executor
            .execute_on_messages(context, id, Vec::new(), call)
            .await?;
        reply
            .map(|reply| {
                Ok(MessagesById {
                    current: reply.stored.versioned(id)?,
                    state: reply.stored.state(),
                    can_write: reply.can_write,
                    messages: reply.messages,
                })
            })
            .transpose()
    }
}
