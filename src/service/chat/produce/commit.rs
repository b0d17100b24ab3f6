//! The end of a turn: the closing chunks, the message and the status.

use serde::Serialize;
use serde_json::value::RawValue;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::writer::{Rest, retried};
use super::{End, Producer};
use crate::domain::chat::chunk::Chunk;
use crate::domain::chat::turn::TurnId;
use crate::domain::chat::{Ending, PartsBuilder};
use crate::domain::message::{Members, Message, NewMessage};
use crate::service::chat::answer::{Answer, Usage, activates};
use crate::service::chat::used_skill::UsedSkill;
use crate::store::{Commit, Committed, Entry, EntryKind, Rejected, Replacement, Result};
use crate::util::json;

/// The number of times that a continued message may be changed by others while its turn ends.
const MAX_ATTEMPTS: usize = 5;

/// The metadata of an answer.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Metadata<'a> {
    turn_id: &'a TurnId,
    model: &'a str,
    provider: &'a str,
    finish_reason: &'a str,
    usage: &'a Usage,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    skills: &'a [UsedSkill],
    #[serde(skip_serializing_if = "is_zero")]
    omitted_messages: usize,
}

fn is_zero(count: &usize) -> bool {
    *count == 0
}

impl Producer {
    /// Ends the turn.
    pub(super) async fn finish(mut self, end: End, writing: JoinHandle<Option<Rest>>) {
        let closing = self
            .builder
            .closing(end.ending(), Some(self.metadata(&end)));
        for chunk in &closing {
            // Chunks that end something always have room.
            let _ = self.builder.push_chunk(chunk);
        }
        // Without a sender the writer ends.
        self.chunks = mpsc::unbounded_channel().0;
        let rest = writing.await.ok().flatten();
        let Some(rest) = rest.filter(|_| !matches!(end, End::Lost)) else {
            self.turn.live.detach();
            self.log(&end, false);
            self.settle(&end, false).await;
            return;
        };
        let mut lines: Vec<String> = Vec::new();
        if !rest.chunks.is_empty() {
            lines.push(rest.chunks);
        }
        lines.extend(closing.iter().map(Chunk::to_json));
        let closing = lines.join("\n");
        let builder = std::mem::take(&mut self.builder);
        let stored = match self.commit(&end, rest.next, closing, builder).await {
            Ok(stored) => stored,
            Err(error) => {
                tracing::warn!(error = %error, "the end of a turn cannot be stored; the next reader stores it");
                None
            }
        };
        let is_settled = self.settle_at_once().await;
        let is_stored = stored.is_some();
        match stored {
            Some(entry) => self.turn.live.publish(entry),
            None => self.turn.live.detach(),
        }
        self.log(&end, is_stored);
        self.settle(&end, is_settled).await;
    }

    fn metadata(&self, end: &End) -> Box<RawValue> {
        json::raw(&Metadata {
            turn_id: &self.turn.turn,
            model: self.model(),
            provider: self.turn.provider.name(),
            finish_reason: match end {
                End::Finished(reason) => reason,
                End::Limit => "length",
                End::Stopped => "stop",
                _ => "error",
            },
            usage: &self.usage,
            skills: &self.prompt.skills,
            omitted_messages: self.prompt.omitted_messages,
        })
    }

    /// Returns the model that answered.
    pub(super) fn model(&self) -> &str {
        self.response_model
            .as_deref()
            .unwrap_or(&self.turn.model.name)
    }

    /// Stores the end; returns it as the last entry, `None` if another process ended the turn.
    async fn commit(
        &self,
        end: &End,
        number: u64,
        closing: String,
        builder: PartsBuilder,
    ) -> Result<Option<Entry>> {
        let turn = &self.turn;
        let status = end.status();
        let mut has_parts = !builder.is_empty();
        let metadata = builder.metadata().map(ToOwned::to_owned);
        let parts = builder.finish();
        let answer = Answer {
            message_id: &turn.message_id,
            user_message_id: &turn.user_message_id,
            status,
            model: self.model(),
            parts: &parts,
            usage: Some(&self.usage),
            metadata: metadata.as_deref(),
            activates: activates(turn.operation, status),
        };
        let last_entry = |status, chunks| Entry {
            number,
            kind: EntryKind::End(status),
            chunks,
        };
        let mut stored = turn.continued.clone();
        for _ in 0..MAX_ATTEMPTS {
            let (mut message, mut replacement) = (None, None);
            match &stored {
                _ if !has_parts => {}
                None => message = answer.to_new_message(),
                Some(stored) => replacement = answer.to_replacement(stored),
            }
            if has_parts && message.is_none() && replacement.is_none() {
                tracing::warn!("the answer of a turn exceeds a limit of messages");
                break;
            }
            let committed = self
                .commit_once(
                    end,
                    number,
                    &closing,
                    message.as_ref(),
                    replacement.as_ref(),
                )
                .await?;
            let rejected = match committed {
                Some(Committed::Done(_)) => return Ok(Some(last_entry(status, closing))),
                // A repeated call whose first reply was lost, or another process was faster: readers look into Redis.
                Some(
                    Committed::Already(_)
                    | Committed::Superseded
                    | Committed::Alive
                    | Committed::Moved(_),
                )
                | None => return Ok(None),
                Some(Committed::Rejected(rejected)) => *rejected,
            };
            match (rejected, &stored) {
                (Rejected::Changed(text), Some(before)) => {
                    let changed = before.with_text(text);
                    // What a person deleted stays deleted.
                    has_parts = !is_deleted(&changed);
                    stored = Some(changed);
                }
                // The client stored the beginning of the answer under its id.
                (Rejected::Exists(_), None) => stored = self.find_answer().await?,
                (Rejected::Deleted(_), _) => has_parts = false,
                (rejected, _) => {
                    tracing::warn!(reason = ?rejected, "the answer of a turn cannot be stored");
                    break;
                }
            }
        }
        let error = End::Error(
            "message_rejected",
            "The answer cannot be stored.".to_owned(),
        );
        let closing = with_error(&closing, &error);
        let committed = self
            .commit_once(&error, number, &closing, None, None)
            .await?;
        let is_done = matches!(committed, Some(Committed::Done(_)));
        Ok(is_done.then(|| last_entry(error.status(), closing)))
    }

    /// Returns the stored message with the id of the answer.
    async fn find_answer(&self) -> Result<Option<Message>> {
        let turn = &self.turn;
        let store = &turn.deps.store;
        store
            .find_message(&turn.context, &turn.session, &turn.message_id)
            .await
    }

    async fn commit_once(
        &self,
        end: &End,
        number: u64,
        closing: &str,
        message: Option<&NewMessage>,
        replacement: Option<&Replacement>,
    ) -> Result<Option<Committed>> {
        let turn = &self.turn;
        let commit = Commit {
            turn: &turn.turn,
            owner: &turn.owner,
            entry: number,
            status: end.status(),
            error: end.error(),
            closing,
            message,
            replacement,
            is_forced: false,
        };
        retried(|| turn.deps.store.commit_turn(&turn.session, commit)).await
    }

    /// Writes the log line of the turn, with the names of OpenTelemetry for generative AI.
    fn log(&self, end: &End, is_stored: bool) {
        let turn = &self.turn;
        let milliseconds =
            |duration: std::time::Duration| crate::util::time::milliseconds(duration);
        tracing::info!(
            llmos.turn.id = %turn.turn,
            llmos.turn.status = end.status().as_str(),
            llmos.turn.stored = is_stored,
            gen_ai.operation.name = "chat",
            gen_ai.provider.name = turn.provider.name(),
            gen_ai.request.model = turn.model.name,
            gen_ai.response.model = self.model(),
            gen_ai.response.finish_reasons = end.error().unwrap_or(end.status().as_str()),
            gen_ai.usage.input_tokens = self.usage.input_tokens.unwrap_or(0),
            gen_ai.usage.output_tokens = self.usage.output_tokens.unwrap_or(0),
            gen_ai.server.time_to_first_token_ms = self.first_token.map(milliseconds).unwrap_or(0.0),
            gen_ai.client.operation.duration_ms = milliseconds(turn.started.elapsed()),
            "turn"
        );
    }
}

fn is_deleted(message: &Message) -> bool {
    Members::parse_owned(message.text()).is_none_or(|members| members.deleted)
}

/// Returns closing chunks whose last one is an error.
fn with_error(closing: &str, error: &End) -> String {
    let before = closing.rsplit_once('\n').map_or("", |(before, _)| before);
    let Ending::Failed(error_text) = error.ending() else {
        return closing.to_owned();
    };
    let last = Chunk::Error { error_text }.to_json();
    match before {
        "" => last,
        before => format!("{before}\n{last}"),
    }
}
