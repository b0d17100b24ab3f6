//! The limits of a caller: a turn is reserved before it begins, and settled when it has ended.

use std::time::Duration;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use serde_json::value::RawValue;

use super::answer::Usage;
use super::prompt::tokens;
use super::{ChatDeps, ChatService};
use crate::domain::caller::Caller;
use crate::domain::chat::turn::TurnId;
use crate::domain::chat::usage::UsageSums;
use crate::domain::message::{Members, MessageId, NewMessage};
use crate::domain::request_context::RequestContext;
use crate::domain::session::{Session, SessionId};
use crate::provider::ModelChoice;
use crate::provider::event::ModelUsage;
use crate::service::error::{ChatError, Error, Result};
use crate::store::{
    self, Exhausted, FoundSession, Reservation, Reserved, Settlement, Store, Unsettled,
};
use crate::util::decimal;
use crate::util::time::{format_time, now};

/// The most output tokens of a request to a model that has no limit of its own, where tokens or costs are limited.
pub(super) const DEFAULT_OUTPUT_TOKENS: u32 = 8192;
/// `Retry-After` of a limit that the end of a turn lifts.
const TURN_PAUSE: Duration = Duration::from_secs(5);
/// The code of a turn that a limit ended.
pub(super) const EXHAUSTED: &str = "budget_exhausted";

/// A turn that is reserved.
#[derive(Clone, Debug)]
pub(super) struct Budget {
    /// The name by which the turns of the caller are counted.
    pub(super) client: String,
    /// The day to whose sums the turn belongs.
    pub(super) day: NaiveDate,
    /// Turns of the caller that were not settled.
    pub(super) unsettled: Vec<Unsettled>,
}

impl Budget {
    /// Changes what a turn may still use at most.
    ///
    /// # Errors
    /// The limit that does not allow it, as a sentence; if Redis fails, a sentence of that.
    pub(super) async fn change(
        &self,
        deps: &ChatDeps,
        turn: &TurnId,
        answer: (&SessionId, &MessageId),
        most: (u64, u128),
    ) -> Result<(), String> {
        let reservation = Reservation {
            client: &self.client,
            turn,
            day: self.day,
            answer,
            duration: deps.turn_duration(),
            tokens: most.0,
            cost: most.1,
            is_change: true,
        };
        let context = internal();
        let reserved = deps
            .store
            .reserve_turn(&context, reservation, &deps.chat.limits);
        match reserved.await {
            Ok(Reserved::Done(_)) => Ok(()),
            Ok(Reserved::Exhausted(exhausted)) => {
                Err(format!("The limit {} is reached.", exhausted.limit))
            }
            Err(error) => {
                tracing::warn!(error = %error, "the limits of a caller cannot be checked");
                Err("The limits cannot be checked now.".to_owned())
            }
        }
    }
}

impl ChatService<'_> {
    /// Reserves a turn; an inner error if a limit does not allow it.
    ///
    /// # Errors
    /// If Redis fails.
    pub(super) async fn reserve(
        &self,
        turn: &TurnId,
        answer: (&SessionId, &MessageId),
        message: Option<&NewMessage>,
        model: &ModelChoice,
    ) -> Result<Result<Budget>> {
        // The first request to the model is checked again, with the history.
        let input = message.map_or(0, |message| {
            tokens(message.to_stored(DateTime::UNIX_EPOCH).rest().len())
        });
        let client = self.context.client.clone();
        let day = now().date_naive();
        let (tokens, cost) = most(&self.deps, model, input as u64);
        let reservation = Reservation {
            client: &client,
            turn,
            day,
            answer,
            duration: self.deps.turn_duration(),
            tokens,
            cost,
            is_change: false,
        };
        let limits = &self.deps.chat.limits;
        let reserved = self
            .deps
            .store
            .reserve_turn(self.context, reservation, limits);
        Ok(match reserved.await? {
            Reserved::Done(unsettled) => Ok(Budget {
                client,
                day,
                unsettled,
            }),
            Reserved::Exhausted(exhausted) => Err(Error::Chat(exhausted_error(&exhausted))),
        })
    }

    /// Ends the reservation of a turn that did not begin.
    pub(super) async fn release(&self, turn: &TurnId, budget: &Budget) {
        let released = self
            .deps
            .store
            .release_turn(&budget.client, turn, budget.day);
        if let Err(error) = released.await {
            tracing::warn!(error = %error, "a reserved turn cannot be released; it expires");
        }
    }
}

/// Returns the most tokens that one request to a model uses, and their cost.
pub(super) fn most(deps: &ChatDeps, model: &ModelChoice, input: u64) -> (u64, u128) {
    let output = model.max_output_tokens.unwrap_or(DEFAULT_OUTPUT_TOKENS);
    let usage = ModelUsage {
        input_tokens: Some(input),
        output_tokens: Some(output.into()),
        ..ModelUsage::default()
    };
    let cost = deps.models.prices.cost(&model.name, &usage);
    let cost = cost.as_deref().and_then(decimal::parse).unwrap_or(0);
    (input + u64::from(output), cost)
}

fn exhausted_error(exhausted: &Exhausted) -> ChatError {
    let wait = TimeDelta::from_std(exhausted.wait).unwrap_or_default();
    let time = format_time(now() + wait);
    let (retry_after, until) = match exhausted.ends_with_turn {
        true => {
            let until = format!("when one of the running answers ends, at the latest at {time}");
            (exhausted.wait.min(TURN_PAUSE), until)
        }
        false => (exhausted.wait, format!("at {time}")),
    };
    ChatError::BudgetExhausted {
        limit: exhausted.limit.clone(),
        retry_after,
        until,
    }
}

/// Returns the error of a turn that a limit of the day ended.
pub(super) fn exhausted_for_today() -> ChatError {
    let today = now().date_naive();
    let tomorrow = today.succ_opt().unwrap_or(today);
    let midnight: DateTime<Utc> = tomorrow.and_time(chrono::NaiveTime::MIN).and_utc();
    ChatError::BudgetExhausted {
        limit: "per day".to_owned(),
        retry_after: (midnight - now()).to_std().unwrap_or(TURN_PAUSE),
        until: format!("at {}", format_time(midnight)),
    }
}

/// Returns what one turn used.
pub(super) fn sums_of(usage: &Usage) -> UsageSums {
    let cost = usage.cost.as_deref().and_then(decimal::parse);
    UsageSums {
        turns: 1,
        input_tokens: usage.input_tokens.unwrap_or(0),
        output_tokens: usage.output_tokens.unwrap_or(0),
        cached_input_tokens: usage.cached_input_tokens.unwrap_or(0),
        reasoning_tokens: usage.reasoning_tokens.unwrap_or(0),
        cost: cost.unwrap_or(0),
    }
}

/// Adds a turn to the sums of the volume and of its caller. It can be repeated.
///
/// # Errors
/// If Redis fails.
pub(super) async fn settle(
    store: &Store,
    client: &str,
    session: &SessionId,
    model: &str,
    settlement: Settlement<'_>,
) -> store::Result<()> {
    // A session that was deleted has no volume any more.
    if let Some(found) = find_session(store, session).await? {
        let scope = (found.volume.as_str(), found.volume_id.as_str());
        store.count_turn(scope, session, model, &settlement).await?;
    }
    store.settle_turn(client, &settlement).await
}

/// Reads a session without messages, whoever may read it.
pub(super) async fn find_session(
    store: &Store,
    session: &SessionId,
) -> store::Result<Option<Session>> {
    match store.find_session(&internal(), session, 0, &[]).await? {
        Some(FoundSession::Found(found)) => Ok(Some(found.current.session)),
        _ => Ok(None),
    }
}

/// Settles a turn whose producer died before it did, with the usage that its answer has.
///
/// # Errors
/// If Redis fails.
pub(super) async fn settle_late(
    store: &Store,
    client: &str,
    unsettled: &Unsettled,
) -> store::Result<()> {
    let session = &unsettled.session;
    let found = store
        .find_messages_by_id(&internal(), session, &[&unsettled.message_id])
        .await?;
    let message = found.and_then(|found| found.messages.into_iter().next().flatten());
    let members = message.and_then(|found| Members::parse_owned(found.message.text()));
    let members = members.unwrap_or_default();
    let metadata = members.metadata.as_deref().map(RawValue::get);
    let is_its_last = metadata.is_some_and(|text| text.contains(unsettled.turn.as_str()));
    let usage: Option<Usage> = members
        .usage
        .filter(|_| is_its_last)
        .and_then(|usage| serde_json::from_str(usage.get()).ok());
    let model = members
        .model
        .and_then(|model| serde_json::from_str::<String>(model.get()).ok());
    let settlement = Settlement {
        turn: &unsettled.turn,
        day: unsettled.day,
        sums: sums_of(&usage.unwrap_or_default()),
    };
    let model = model.as_deref().unwrap_or("unknown");
    settle(store, client, session, model, settlement).await
}

/// Returns the context of steps that belong to a turn and not to a caller, whose access was checked when it began.
fn internal() -> RequestContext {
    RequestContext::unlimited(Caller::unrestricted())
}
