//! The limits of a caller: a turn is reserved before it begins.

use std::time::Duration;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

use super::prompt::{DEFAULT_OUTPUT_TOKENS, tokens};
use super::{ChatDeps, ChatService, title_prompt};
use crate::domain::chat::turn::TurnId;
use crate::domain::message::{MessageId, NewMessage};
use crate::domain::request_context::RequestContext;
use crate::domain::session::SessionId;
use crate::provider::ModelChoice;
use crate::provider::event::ModelUsage;
use crate::service::error::{ChatError, Error, Result};
use crate::store::{Exhausted, Reservation, Reserved, Unsettled};
use crate::util::decimal;
use crate::util::time::{format_time, now};

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
        let context = RequestContext::internal();
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

/// Returns the most tokens that the next request of a turn to its model uses, with the request for a title, and their cost.
pub(super) fn most(deps: &ChatDeps, model: &ModelChoice, input: u64) -> (u64, u128) {
    let output = model.max_output_tokens.unwrap_or(DEFAULT_OUTPUT_TOKENS);
    let (tokens, cost) = with_cost(deps, &model.name, input, output);
    if !deps.chat.titles {
        return (tokens, cost);
    }
    let (title_tokens, title_cost) = with_cost(
        deps,
        deps.title_model(model),
        title_prompt::max_input_tokens(),
        title_prompt::MAX_TOKENS,
    );
    (tokens + title_tokens, cost + title_cost)
}

/// Returns the tokens of a request, and their cost.
fn with_cost(deps: &ChatDeps, model: &str, input: u64, output: u32) -> (u64, u128) {
    let usage = ModelUsage {
        input_tokens: Some(input),
        output_tokens: Some(output.into()),
        ..ModelUsage::default()
    };
    let cost = deps.models.prices.cost(model, &usage);
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
