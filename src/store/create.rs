//! Creates sessions.

use chrono::{DateTime, Utc};
use redis::{FromRedisValue, ParsingError, Value};
use serde::Deserialize;
use uuid::Uuid;

use super::call::Call;
use super::document::{StoredSession, new_document};
use super::error::{Error, Result};
use super::executor::Executor;
use super::handle::Store;
use super::idempotency::{Idempotency, REPLY_SECONDS};
use super::keys::KeyScheme;
use super::messages::page::read_page;
use super::reply::{Reply, unknown_reply};
use super::script;
use crate::domain::message::{Message, told_seq};
use crate::domain::request_context::RequestContext;
use crate::domain::session::{NewSession, SessionId, SessionWithMessages};
use crate::util::time::now;

/// Result of creating a session.
#[derive(Debug)]
pub enum Created {
    /// The session is stored.
    Done(SessionWithMessages),
    /// An earlier request with the same `Idempotency-Key` stored this session, as it was at that time.
    Replayed(SessionWithMessages),
    /// An earlier request with the same `Idempotency-Key` stored the session, which was deleted since.
    Deleted,
    /// The `Idempotency-Key` belongs to a different request.
    IdempotencyMismatch,
    /// Another session has the chosen id.
    Exists(SessionId),
}

/// Reply of `scripts/create.lua`.
enum CreateReply {
    Created,
    Exists,
    Replayed {
        document: String,
        messages: Vec<Vec<u8>>,
    },
    Deleted,
    IdempotencyMismatch,
}

impl FromRedisValue for CreateReply {
    fn from_redis_value(value: Value) -> Result<Self, ParsingError> {
        let mut reply = Reply::from_redis_value(value)?;
        match reply.next::<String>()?.as_str() {
            "created" => Ok(Self::Created),
            "exists" => Ok(Self::Exists),
            "replayed" => Ok(Self::Replayed {
                document: reply.next()?,
                messages: reply.next()?,
            }),
            "deleted" => Ok(Self::Deleted),
            "mismatch" => Ok(Self::IdempotencyMismatch),
            other => Err(unknown_reply(other)),
        }
    }
}

/// Reply of `scripts/cluster/reserve.lua`.
enum ReserveReply {
    Reserved { id: String },
    IdempotencyMismatch,
}

impl FromRedisValue for ReserveReply {
    fn from_redis_value(value: Value) -> Result<Self, ParsingError> {
        let mut reply = Reply::from_redis_value(value)?;
        match reply.next::<String>()?.as_str() {
            "reserved" => Ok(Self::Reserved { id: reply.next()? }),
            "mismatch" => Ok(Self::IdempotencyMismatch),
            other => Err(unknown_reply(other)),
        }
    }
}

impl Store {
    /// Creates a session with messages, which are in order from `seq` 1. Does not check whether the caller may write to
    /// the volume.
    pub async fn create_session(
        &self,
        context: &RequestContext,
        new: NewSession,
        messages: Vec<Message>,
        idempotency: Option<&Idempotency>,
    ) -> Result<Created> {
        let executor = self.executor()?;
        // A generated id is unique, so only a chosen one needs a token.
        let token = new
            .id
            .is_some()
            .then(|| Uuid::now_v7().simple().to_string());
        let wanted = new.id.clone().unwrap_or_else(SessionId::generate);
        let Some(id) = reserve_id(executor, context, wanted, idempotency).await? else {
            return Ok(Created::IdempotencyMismatch);
        };
        let now = now();
        let key = idempotency.map(|idempotency| idempotency.key.as_str());
        let keys = executor.scheme().create_keys(&id, &new.volume, key);
        let ids = untold_ids(&messages);
        let document = new_document(&id, new, token.as_deref(), !ids.is_empty(), now);
        let call = Call::new(&script::CREATE, keys)
            .arg(id.as_str())
            .arg(&document)
            .number(now.timestamp_micros())
            .arg(idempotency.map_or("", |idempotency| idempotency.fingerprint.as_str()))
            .number(REPLY_SECONDS)
            .number(messages.len())
            .arg(token.as_deref().unwrap_or_default())
            .arg(key.unwrap_or_default())
            .args(messages.iter().map(Message::text));
        let call = ids.into_iter().fold(call, Call::owned);
        match executor.execute(context, &call).await? {
            CreateReply::Created => {
                Ok(Created::Done(session_at_creation(&id, document, messages)?))
            }
            CreateReply::Replayed { document, messages } => {
                let id = id_in(&document)?;
                let messages = read_page(vec![(1, None, messages)], Vec::new());
                Ok(Created::Replayed(session_at_creation(
                    &id, document, messages,
                )?))
            }
            CreateReply::Exists => Ok(Created::Exists(id)),
            CreateReply::Deleted => Ok(Created::Deleted),
            CreateReply::IdempotencyMismatch => Ok(Created::IdempotencyMismatch),
        }
    }
}

/// Returns id and seq of each message whose id does not tell its seq.
fn untold_ids(messages: &[Message]) -> Vec<String> {
    let untold = messages.iter().filter(|message| {
        let told = told_seq(&message.id()).and_then(|seq| u64::try_from(seq).ok());
        told != Some(message.seq())
    });
    untold
        .flat_map(|message| [message.id().into_owned(), message.seq().to_string()])
        .collect()
}

/// Returns the id for a new session; `None` if the `Idempotency-Key` belongs to a different request.
///
/// On a cluster the reply of an `Idempotency-Key` and the session have different slots. So the first step reserves the
/// id for the key.
async fn reserve_id(
    executor: &Executor,
    context: &RequestContext,
    id: SessionId,
    idempotency: Option<&Idempotency>,
) -> Result<Option<SessionId>> {
    let (KeyScheme::Cluster, Some(idempotency)) = (executor.scheme(), idempotency) else {
        return Ok(Some(id));
    };
    let keys = vec![executor.scheme().create_reply(&idempotency.key)];
    let call = Call::new(&script::RESERVE, keys)
        .arg(&idempotency.fingerprint)
        .arg(id.as_str())
        .number(REPLY_SECONDS);
    match executor.execute(context, &call).await? {
        ReserveReply::Reserved { id } => parse_id(&id).map(Some),
        ReserveReply::IdempotencyMismatch => Ok(None),
    }
}

fn session_at_creation(
    id: &SessionId,
    document: String,
    messages: Vec<Message>,
) -> Result<SessionWithMessages> {
    let stored = StoredSession {
        activity: creation_micros(&document)?,
        document,
        message_count: messages.len() as u64,
        last_seq: messages.len() as u64,
    };
    Ok(SessionWithMessages {
        current: stored.versioned(id)?,
        messages,
        has_more: false,
    })
}

/// Returns the time of creation in microseconds, which is the first activity of a session.
fn creation_micros(document: &str) -> Result<i64> {
    #[derive(Deserialize)]
    struct Document {
        created_at: DateTime<Utc>,
    }
    let document: Document = serde_json::from_str(document)?;
    Ok(document.created_at.timestamp_micros())
}

fn id_in(document: &str) -> Result<SessionId> {
    #[derive(Deserialize)]
    struct Document {
        id: String,
    }
    let document: Document = serde_json::from_str(document)?;
    parse_id(&document.id)
}

fn parse_id(text: &str) -> Result<SessionId> {
    SessionId::parse(text)
        .ok_or_else(|| Error::Unreadable("a reply contains an invalid session id".to_owned()))
}
