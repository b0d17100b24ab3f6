//! Begins turns: a message that is submitted, edited, answered again, or continued.

use std::pin::Pin;
use std::sync::Arc;

use serde::Serialize;
use tokio::time::Instant;
use uuid::Uuid;

use super::live::LiveTurn;
use super::plan::Plan;
use super::prompt::{DEFAULT_OUTPUT_TOKENS, HistoryMessage};
use super::request::Ask;
use super::salvage::end_turn;
use super::started::StartedTurn;
use super::{ChatService, Reader};
use crate::domain::chat::chunk::Chunk;
use crate::domain::chat::turn::{Operation, TurnId, stream_url};
use crate::domain::message::{Message, MessageId};
use crate::domain::request_context::RequestContext;
use crate::domain::session::{ChosenId, NewSession, SessionId};
use crate::provider::{ModelChoice, Provider};
use crate::service::error::{ChatError, Conflict, Error, Resource, Result};
use crate::store::{Begin, Begun, Created, Entry, EntryKind, Rejected};
use crate::util::json;
use crate::util::time::{format_time, now};

/// The number of times that a turn without a producer is ended before another one begins.
const MAX_ATTEMPTS: usize = 3;

/// A turn that answers a request.
pub struct Asked {
    /// The turn.
    pub turn: TurnId,
    /// The id of the answer.
    pub message_id: Option<MessageId>,
    /// A reader of the answer from its beginning.
    pub reader: Reader,
    /// Whether an earlier request began the turn.
    pub is_replayed: bool,
    /// The work of the turn, which must run whether or not the client stays.
    pub producer: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

impl std::fmt::Debug for Asked {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut debug = formatter.debug_struct("Asked");
        debug.field("turn", &self.turn).finish_non_exhaustive()
    }
}

/// The metadata with which an answer begins.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct StartMetadata<'a> {
    turn_id: &'a TurnId,
    model: &'a str,
    created_at: String,
}

impl ChatService<'_> {
    /// Begins a turn, or finds the one that the same request began before.
    ///
    /// # Errors
    /// If no model can be asked, the session is missing or the caller may not change it, another turn is active, or the
    /// message cannot be stored.
    pub async fn ask(&self, ask: Ask) -> Result<Asked> {
        if self.deps.refuses_strangers && ask.key.is_none() {
            return Err(Error::Chat(ChatError::Anonymous));
        }
        let (provider, mut model) = self.model(&ask).await?;
        if self.deps.chat.limits.has_amounts() && model.max_output_tokens.is_none() {
            model.max_output_tokens = Some(DEFAULT_OUTPUT_TOKENS);
        }
        let plan = self.plan(&ask).await?;
        let turn = TurnId::generate();
        let answer = (&ask.session, &plan.message_id);
        let reserved = self
            .reserve(&turn, answer, plan.message.as_ref(), &model)
            .await?;
        let owner = Uuid::new_v4().simple().to_string();
        let chunks = [
            Chunk::Start {
                message_id: plan.message_id.to_string(),
                message_metadata: Some(json::raw(&StartMetadata {
                    turn_id: &turn,
                    model: &model.name,
                    created_at: format_time(now()),
                })),
            },
            Chunk::StartStep,
        ];
        let entry = chunks.map(|chunk| chunk.to_json()).join("\n");
        let started = Instant::now();
        let begin = Begin {
            turn: &turn,
            owner: &owner,
            operation: plan.operation,
            model: &model.name,
            message_id: &plan.message_id,
            message: plan.message.as_ref(),
            user_message_id: plan.user.as_ref().map(|(id, _)| id),
            edited: plan.edited.as_ref().map(|(from, to)| (from, to)),
            replacement: plan.replacement.as_ref(),
            base: plan.base,
            expected_head: ask.expected_head.as_ref().or(plan.head.as_ref()),
            idempotency: plan.idempotency.as_ref(),
            entry: &entry,
            duration: self.deps.turn_duration(),
            client: &self.context.client,
            has_budget: reserved.is_ok(),
        };
        let begun = self.begin(&ask, begin, &plan).await;
        if let (Ok(budget), false) = (&reserved, matches!(begun, Ok(BeginResult::Begun(_)))) {
            self.release(&turn, budget).await;
        }
        let (budget, stored) = match begun? {
            BeginResult::NoBudget => return Err(reserved.err().unwrap_or_else(no_budget)),
            BeginResult::Begun(stored) => (reserved?, stored),
            BeginResult::Replayed(turn, message_id) => {
                let reader = self.reader(&ask.session, &turn, 0);
                return Ok(Asked {
                    reader: reader.or_answer(message_id.clone()),
                    message_id,
                    turn,
                    is_replayed: true,
                    producer: None,
                });
            }
        };
        let (user_message_id, user_seq) = match (&plan.user, stored.first()) {
            (Some((id, seq)), _) => (id.clone(), *seq),
            (None, Some(message)) => {
                let id = MessageId::parse(&message.id());
                let missing = || Error::Unreadable("a stored message has no id".to_owned());
                (id.ok_or_else(missing)?, message.seq())
            }
            (None, None) => self.repeated_begin(&ask.session, &turn).await?,
        };
        let live = self.publish_beginning(&turn, entry.clone());
        let started_turn = StartedTurn {
            deps: self.deps.clone(),
            budget,
            context: RequestContext {
                client: self.context.client.clone(),
                oidc_token: self.context.oidc_token.clone(),
                ..RequestContext::unlimited(self.context.caller.clone())
            },
            provider,
            model,
            session: ask.session.clone(),
            turn: turn.clone(),
            owner,
            operation: plan.operation,
            message_id: plan.message_id.clone(),
            user_message_id,
            user_seq,
            answered: plan.continued.as_ref().and_then(HistoryMessage::of),
            continued: plan.continued,
            request: ask.request,
            beginning: entry,
            live,
            started,
        };
        Ok(Asked {
            message_id: Some(plan.message_id),
            reader: self.reader(&ask.session, &turn, 0),
            turn,
            is_replayed: false,
            producer: Some(Box::pin(started_turn.run())),
        })
    }

    /// Returns a reader of the entries of a turn after `after`. The access to the session must have been checked.
    pub(super) fn reader(&self, session: &SessionId, turn: &TurnId, after: u64) -> Reader {
        Reader::new(self.deps.follower(), session.clone(), turn.clone(), after)
    }

    async fn model(&self, ask: &Ask) -> Result<(Provider, ModelChoice)> {
        let models = &self.deps.models;
        let provider = models.find(ask.key.as_ref(), self.context.oidc_token.as_ref());
        let provider = provider.await.ok_or(Error::Chat(ChatError::NoProvider))?;
        let model = models.model(ask.model.as_deref(), &provider);
        let model = model.map_err(|_| {
            let requested = ask.model.clone().unwrap_or_default();
            Error::Chat(ChatError::ModelNotAllowed(requested))
        })?;
        Ok((provider, model))
    }

    fn publish_beginning(&self, turn: &TurnId, chunks: String) -> Arc<LiveTurn> {
        let (live, _) = self.deps.turns.get_or_insert(turn, 1);
        live.publish(Entry {
            number: 1,
            kind: EntryKind::Chunks,
            chunks,
        });
        live
    }

    /// Begins the turn. Creates the session if it is not there, and ends a turn that has lost its producer.
    async fn begin(&self, ask: &Ask, begin: Begin<'_>, plan: &Plan) -> Result<BeginResult> {
        let store = &self.deps.store;
        for _ in 0..MAX_ATTEMPTS {
            let begun = store.begin_turn(self.context, &ask.session, begin).await?;
            match begun {
                None if plan.operation == Operation::Submit && !begin.has_budget => {
                    return Ok(BeginResult::NoBudget);
                }
                None if plan.operation == Operation::Submit => self.create_session(ask).await?,
                None => return Err(Error::NotFound(Resource::Session)),
                Some(Begun::Begun(stored)) => return Ok(BeginResult::Begun(stored.messages)),
                Some(Begun::Replayed(turn, message_id)) => {
                    return Ok(BeginResult::Replayed(turn, message_id));
                }
                Some(Begun::Dead(turn)) => {
                    if let Some(dead) = self.find_turn(&ask.session, &turn).await? {
                        end_turn(store, &ask.session, &dead, false).await?;
                    }
                }
                Some(Begun::Busy { turn, message_id }) => {
                    return Err(Error::Chat(ChatError::TurnInProgress {
                        stream_url: stream_url(&ask.session, &turn),
                        turn_id: turn.to_string(),
                        message_id,
                    }));
                }
                Some(Begun::NoBudget) => return Ok(BeginResult::NoBudget),
                Some(Begun::NoMessage) => return Err(Error::NotFound(Resource::Message)),
                Some(Begun::HistoryChanged) => return Err(Error::Chat(ChatError::HistoryChanged)),
                Some(Begun::IdempotencyMismatch) => {
                    let id = plan
                        .message
                        .as_ref()
                        .and_then(|message| message.id.as_ref());
                    return Err(match id.filter(|_| plan.is_keyed_by_message) {
                        Some(id) => Error::Conflict(Conflict::MessageExists(id.to_string())),
                        None => Error::IdempotencyMismatch,
                    });
                }
                Some(Begun::Rejected(rejected)) => return Err(rejection(rejected, &ask.session)),
            }
        }
        Err(Error::Conflict(Conflict::Contended {
            resource: Resource::Session,
            id: ask.session.to_string(),
        }))
    }

    async fn create_session(&self, ask: &Ask) -> Result<()> {
        let caller = &self.context.caller;
        let volume = match &ask.volume {
            Some(volume) => volume.clone().resolve(caller),
            None => caller.default_volume(),
        };
        caller.may_write(&volume)?;
        let id = ChosenId::try_from(ask.session.to_string());
        let ChosenId(id) = id.map_err(|_| Error::NotFound(Resource::Session))?;
        let session = NewSession {
            id: Some(id),
            ..NewSession::new(None, volume)
        };
        let created = self
            .deps
            .store
            .create_session(self.context, session, Vec::new(), None);
        match created.await? {
            Created::Done(_) | Created::Replayed(_) => Ok(()),
            // Either another request created it meanwhile, which the next attempt sees, or the caller may not read it.
            Created::Exists(_) => {
                let found = self
                    .deps
                    .store
                    .find_turn(self.context, &ask.session)
                    .await?;
                found.map(drop).ok_or(Error::NotFound(Resource::Session))
            }
            Created::Deleted => Err(Error::Conflict(Conflict::CreatedSessionDeleted)),
            Created::IdempotencyMismatch => Err(Error::IdempotencyMismatch),
        }
    }

    /// Returns the message that a turn answers, whose first begin call lost its reply.
    async fn repeated_begin(&self, session: &SessionId, turn: &TurnId) -> Result<(MessageId, u64)> {
        let found = self.find_turn(session, turn).await?;
        let stored =
            found.ok_or_else(|| Error::Unreadable("the record of a turn is lost".to_owned()))?;
        Ok((stored.user_message_id, stored.user_seq))
    }
}

/// The result of beginning.
enum BeginResult {
    Begun(Vec<Message>),
    Replayed(TurnId, Option<MessageId>),
    NoBudget,
}

/// Returns the error of a begun turn whose reservation is unknown, which cannot happen.
fn no_budget() -> Error {
    Error::Unreadable("a turn has no reservation".to_owned())
}

fn rejection(rejected: Rejected, session: &SessionId) -> Error {
    match rejected {
        Rejected::Exists(id) => Error::Conflict(Conflict::MessageExists(id.to_string())),
        Rejected::Deleted(id) => Error::Conflict(Conflict::MessageDeleted(id.to_string())),
        Rejected::NoParent(_) => Error::Chat(ChatError::HistoryChanged),
        Rejected::ReservedId(_) => Error::field(
            "message.id",
            "must not be `msg_` and digits alone, which name a stored message by its seq",
        ),
        Rejected::TooLarge => Error::field("message.parts", "must be smaller"),
        Rejected::TooManyBranches => Error::Conflict(Conflict::TooManyBranches),
        Rejected::Changed(_) | Rejected::Stale(_) => Error::Conflict(Conflict::Contended {
            resource: Resource::Session,
            id: session.to_string(),
        }),
        Rejected::IdempotencyMismatch => Error::IdempotencyMismatch,
        Rejected::ReadOnly => Error::ReadOnly,
    }
}
