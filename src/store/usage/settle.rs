//! Settles turns: what they used is added to the sums, once.

use std::time::Duration;

use chrono::NaiveDate;

use super::{KEPT_SECONDS, oldest};
use crate::domain::chat::turn::TurnId;
use crate::domain::chat::usage::UsageSums;
use crate::domain::request_context::RequestContext;
use crate::domain::session::SessionId;
use crate::store::call::Call;
use crate::store::error::Result;
use crate::store::handle::Store;
use crate::store::script;
use crate::util::time::now;

/// The time that a turn is known as counted: longer than reservations are kept.
const COUNTED: Duration = Duration::from_secs(3 * 24 * 60 * 60);

/// A turn that has ended.
#[derive(Clone, Copy, Debug)]
pub struct Settlement<'a> {
    /// The turn.
    pub turn: &'a TurnId,
    /// The day on which it began.
    pub day: NaiveDate,
    /// What it used.
    pub sums: UsageSums,
}

impl Store {
    /// Adds a turn to the sums of the volume of its session, once. `scope` is the kind and the id of the volume.
    pub async fn count_turn(
        &self,
        scope: (&str, &str),
        session: &SessionId,
        model: &str,
        settlement: &Settlement<'_>,
    ) -> Result<()> {
        let executor = self.executor()?;
        let scheme = executor.scheme();
        let scope = format!("{}:{}", scope.0, scope.1);
        let day = settlement.day.to_string();
        let keys = vec![
            scheme.volume_usage(&scope),
            scheme.model_usage(&scope, &day),
            scheme.session_usage(&scope, &day),
            scheme.counted_turn(&scope, settlement.turn),
        ];
        let numbers = numbers(&settlement.sums);
        let call = Call::new(&script::COUNT_TURN, keys)
            .arg(&day)
            .owned(oldest(settlement.day).to_string())
            .arg(model)
            .arg(session.as_str())
            .number(KEPT_SECONDS)
            .number(COUNTED.as_secs())
            .args(numbers.iter());
        executor.execute(&RequestContext::internal(), &call).await
    }

    /// Ends the reservation of a turn, and adds the turn to the sums of its caller, once.
    pub async fn settle_turn(&self, client: &str, settlement: &Settlement<'_>) -> Result<()> {
        let numbers = numbers(&settlement.sums);
        self.end_reservation(client, settlement.turn, settlement.day, &numbers)
            .await
    }

    /// Ends the reservation of a turn that did not begin.
    pub async fn release_turn(&self, client: &str, turn: &TurnId, day: NaiveDate) -> Result<()> {
        self.end_reservation(client, turn, day, &[]).await
    }

    async fn end_reservation(
        &self,
        client: &str,
        turn: &TurnId,
        day: NaiveDate,
        numbers: &[String],
    ) -> Result<()> {
        let executor = self.executor()?;
        let scheme = executor.scheme();
        let keys = vec![scheme.client_turns(client), scheme.client_usage(client)];
        let call = Call::new(&script::SETTLE_TURN, keys)
            .arg(turn.as_str())
            .number(now().timestamp_millis())
            .owned(day.to_string())
            .owned(oldest(day).to_string())
            .number(KEPT_SECONDS)
            .args(numbers.iter());
        executor.execute(&RequestContext::internal(), &call).await
    }
}

fn numbers(sums: &UsageSums) -> Vec<String> {
    let numbers = sums.to_numbers();
    numbers.iter().map(ToString::to_string).collect()
}
