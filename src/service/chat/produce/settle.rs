//! The usage of a turn: within the limits of its caller before each request to the model, and settled at the end.

use std::time::Duration;

use super::writer::retried;
use super::{End, Producer};
use crate::domain::chat::turn::TurnStatus;
use crate::domain::chat::usage::UsageSums;
use crate::service::chat::budget::{EXHAUSTED, most};
use crate::service::chat::prompt::tokens;
use crate::service::chat::settlement::{settle, settle_late, sums_of};
use crate::skill::SkillId;
use crate::store::{Idempotency, Result, Settlement, SkillUse};
use crate::util::hash::sha256_hex;

/// The time that the end of a turn waits for its settlement.
const AT_ONCE: Duration = Duration::from_millis(500);

impl Producer {
    /// Checks that the next request to the model fits into the limits of the caller.
    pub(super) async fn check_budget(&self) -> Result<(), End> {
        let turn = &self.turn;
        if !turn.deps.chat.limits.has_amounts() {
            return Ok(());
        }
        let used = sums_of(&self.usage);
        let written = tokens(self.output_chars) as u64;
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

    /// Adds what the turn used to the sums, before its end is known, so that a next message finds the limits free. Returns
    /// whether it is done.
    pub(super) async fn settle_at_once(&self) -> bool {
        let settled = tokio::time::timeout(AT_ONCE, self.try_settle()).await;
        matches!(settled, Ok(Ok(())))
    }

    async fn try_settle(&self) -> Result<()> {
        let turn = &self.turn;
        let (store, client) = (&turn.deps.store, &turn.budget.client);
        let mut sums = sums_of(&self.usage);
        sums.add(&UsageSums {
            turns: 0,
            ..sums_of(&self.title_usage)
        });
        let settlement = Settlement {
            turn: &turn.turn,
            day: turn.budget.day,
            sums,
        };
        settle(store, client, &turn.session, self.model(), settlement).await
    }

    /// Does what [`Self::settle_at_once`] could not, counts the skills, and settles earlier turns whose processes died.
    pub(super) async fn settle(&self, end: &End, is_settled: bool) {
        let turn = &self.turn;
        let (store, client) = (&turn.deps.store, &turn.budget.client);
        if !is_settled && let Err(error) = retried(|| self.try_settle()).await {
            tracing::warn!(error = %error, "a turn cannot be settled; a later one of its caller settles it");
            return;
        }
        self.count_skills(end).await;
        for unsettled in &turn.budget.unsettled {
            if let Err(error) = settle_late(store, client, unsettled).await {
                tracing::warn!(error = %error, "an earlier turn cannot be settled");
            }
        }
    }

    /// Counts the uses of the skills of the turn, once: successful ones if the answer is whole.
    async fn count_skills(&self, end: &End) {
        let turn = &self.turn;
        let usage = SkillUse {
            success: end.status() == TurnStatus::Completed,
            duration: Some(turn.started.elapsed()),
        };
        for skill in &self.prompt.skills {
            let (Some(volume), Some(id)) = (skill.volume(), SkillId::parse(&skill.id)) else {
                continue;
            };
            let parts = [turn.turn.as_str().as_bytes(), skill.id.as_bytes()];
            let once = Idempotency {
                key: sha256_hex::<16>(&parts),
                fingerprint: "turn".to_owned(),
            };
            let store = &turn.deps.store;
            let counted = store.count_usage(&turn.context, &volume, &id, &usage, Some(&once));
            if let Err(error) = counted.await {
                tracing::warn!(error = %error, "the use of a skill cannot be counted");
            }
        }
    }
}
