//! Settles turns that have ended: what they used is added to the sums, once.

use serde_json::value::RawValue;

use super::answer::Usage;
use crate::domain::chat::usage::UsageSums;
use crate::domain::message::Members;
use crate::domain::request_context::RequestContext;
use crate::domain::session::{Session, SessionId};
use crate::store::{self, FoundSession, Settlement, Store, Unsettled};
use crate::util::decimal;

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

/// Reads a session without messages, and without a check of access.
pub(super) async fn find_session(
    store: &Store,
    session: &SessionId,
) -> store::Result<Option<Session>> {
    match store
        .find_session(&RequestContext::internal(), session, 0, &[])
        .await?
    {
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
    let context = RequestContext::internal();
    let message = store
        .find_message(&context, session, &unsettled.message_id)
        .await?;
    let members = message.and_then(|message| Members::parse_owned(message.text()));
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
