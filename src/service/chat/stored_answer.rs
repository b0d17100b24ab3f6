//! The stored answer of a turn whose log has expired, as the entry that a reader gets in place of the log.

use crate::domain::chat::chunk::Chunk;
use crate::domain::chat::turn::TurnStatus;
use crate::domain::chat::{Ending, PartsBuilder, chunks_of_parts};
use crate::domain::message::{Members, MessageId};
use crate::domain::request_context::RequestContext;
use crate::domain::session::SessionId;
use crate::store::{Entry, EntryKind, Result, Store};
use crate::util::json;

/// Reads an answer as one entry, which is the last one; `None` if the message is missing or deleted. The access to the
/// session must have been checked.
pub(super) async fn read_stored_answer(
    store: &Store,
    session: &SessionId,
    id: &MessageId,
) -> Result<Option<Entry>> {
    let context = RequestContext::internal();
    let message = store.find_message(&context, session, id).await?;
    let members = message.and_then(|message| Members::parse_owned(message.text()));
    let members = members.filter(|members| !members.deleted);
    Ok(members.map(|members| entry(id, &members)))
}

fn entry(id: &MessageId, members: &Members<'_>) -> Entry {
    let status = members.status.as_deref().and_then(json::string);
    let status = status.and_then(|status| TurnStatus::parse(&status));
    let (status, ending) = match status {
        Some(status @ TurnStatus::Stopped) => (status, Ending::Stopped),
        Some(status @ TurnStatus::Incomplete) => (status, Ending::Incomplete),
        Some(status @ (TurnStatus::Failed | TurnStatus::Abandoned)) => (
            status,
            Ending::Failed("The answer is not whole.".to_owned()),
        ),
        _ => (TurnStatus::Completed, Ending::Completed("stop")),
    };
    let mut chunks = vec![Chunk::Start {
        message_id: id.to_string(),
        message_metadata: members.metadata.as_deref().map(ToOwned::to_owned),
    }];
    if let Some(parts) = &members.parts {
        chunks.extend(chunks_of_parts(parts));
    }
    // All parts of a stored answer have ended.
    chunks.extend(PartsBuilder::new(None).closing(ending, None));
    let lines: Vec<String> = chunks.iter().map(Chunk::to_json).collect();
    Entry {
        number: 1,
        kind: EntryKind::End(status),
        chunks: lines.join("\n"),
    }
}
