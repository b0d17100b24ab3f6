//! The usage of a turn: within the limits of its caller before each request to the model, and settled at the end.

use super::writer::retried;
use super::{End, Producer};
use crate::service::chat::budget::{EXHAUSTED, most, settle, settle_late, sums_of};
use crate::store::Settlement;

impl Producer {
    /// Checks that the next request to the model fits into the limits of the caller.
    pub(super) async fn check_budget(&self) -> Result<(), End> {
        let turn = &self.turn;
        if !turn.deps.chat.limits.has_amounts() {
            return Ok(());
        }
        let used = sums_of(&self.usage);
        let written = u64::try_from(self.output_chars.div_ceil(4)).unwrap_or(u64::MAX);
        let input = self.prompt.input_tokens.saturating_add(written);
        let (tokens, cost) = most(&turn.deps, &turn.model, input);
        let most = (
            tokens + used.input_tokens + used.output_tokens,
            cost + used.cost,
        );
        let answer = (&turn.session, &turn.message_id);
        let changed = turn
            .budget
            .change(&turn.deps, &turn.turn, answer, most)
            .await;
        changed.map_err(|sentence| End::Error(EXHAUSTED, sentence))
    }

    /// Adds what the turn used to the sums, and what earlier turns used whose processes died.
    pub(super) async fn settle(&self) {
        let turn = &self.turn;
        let (store, client) = (&turn.deps.store, &turn.budget.client);
        let settlement = Settlement {
            turn: &turn.turn,
            day: turn.budget.day,
            sums: sums_of(&self.usage),
        };
        let settled =
            retried(|| settle(store, client, &turn.session, self.model(), settlement)).await;
        if let Err(error) = settled {
            tracing::warn!(error = %error, "a turn cannot be settled; a later one of its caller settles it");
            return;
        }
        for unsettled in &turn.budget.unsettled {
            if let Err(error) = settle_late(store, client, unsettled).await {
                tracing::warn!(error = %error, "an earlier turn cannot be settled");
            }
        }
    }
}
