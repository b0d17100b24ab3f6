//! The producer of a turn: asks the model, writes its answer to the log, and stores it as a message. It runs apart from the
//! request that began the turn, so a client that leaves changes nothing.

mod approved;
mod commit;
mod settle;
mod steps;
mod title;
mod writer;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};

use self::writer::{Log, LogWriter, Signal};
use super::answer::{ABANDONED, Usage};
use super::encode::Encoder;
use super::live::LiveTurn;
use super::prompt_of::PromptInfo;
use super::started::StartedTurn;
use super::title::Suggestion;
use crate::domain::chat::chunk::Chunk;
use crate::domain::chat::turn::TurnStatus;
use crate::domain::chat::{Ending, PartsBuilder};
use crate::provider::error::ProviderError;

/// The time before the deadline in Redis at which the producer ends the turn by itself.
const DEADLINE_RESERVE: Duration = Duration::from_secs(2);

/// How a turn ended.
#[derive(Debug)]
pub(super) enum End {
    /// The model finished for this reason.
    Finished(&'static str),
    /// A limit was reached.
    Limit,
    /// A person stopped it.
    Stopped,
    /// The model failed.
    Failed(ProviderError),
    /// The service failed: the code, and a sentence for a person.
    Error(&'static str, String),
    /// The process is about to end.
    Shutdown,
    /// The turn belongs to another process.
    Lost,
}

impl End {
    fn status(&self) -> TurnStatus {
        match self {
            Self::Finished(_) => TurnStatus::Completed,
            Self::Limit => TurnStatus::Incomplete,
            Self::Stopped => TurnStatus::Stopped,
            Self::Failed(_) | Self::Error(..) => TurnStatus::Failed,
            Self::Shutdown | Self::Lost => TurnStatus::Abandoned,
        }
    }

    fn error(&self) -> Option<&'static str> {
        match self {
            Self::Failed(error) => Some(error.kind.code()),
            Self::Error(code, _) => Some(code),
            Self::Shutdown => Some("shutdown"),
            _ => None,
        }
    }

    fn ending(&self) -> Ending {
        match self {
            Self::Finished(reason) => Ending::Completed(reason),
            Self::Limit => Ending::Incomplete,
            Self::Stopped => Ending::Stopped,
            Self::Failed(error) => Ending::Failed(sentence(error)),
            Self::Error(_, text) => Ending::Failed(text.clone()),
            Self::Shutdown | Self::Lost => Ending::Failed(ABANDONED.to_owned()),
        }
    }
}

/// Returns the text of a failure for a person.
fn sentence(error: &ProviderError) -> String {
    match &error.request_id {
        Some(id) => format!("{} (request {id})", error.kind.sentence()),
        None => error.kind.sentence().to_owned(),
    }
}

/// A turn at work.
struct Producer {
    turn: StartedTurn,
    encoder: Encoder,
    builder: PartsBuilder,
    chunks: mpsc::UnboundedSender<Vec<Chunk>>,
    signal: watch::Receiver<Signal>,
    shutdown: watch::Receiver<bool>,
    deadline: Instant,
    usage: Usage,
    /// The characters of the answer, for an estimate of the usage.
    output_chars: usize,
    first_token: Option<Duration>,
    response_model: Option<String>,
    prompt: PromptInfo,
    /// The request for the title of the session.
    title: Option<JoinHandle<Suggestion>>,
    title_usage: Usage,
}

impl StartedTurn {
    /// Produces the answer, and stores it.
    pub(super) async fn run(self) {
        let log = Log {
            store: self.deps.store.clone(),
            session: self.session.clone(),
            turn: self.turn.clone(),
            owner: self.owner.clone(),
            live: self.live.clone(),
        };
        let (chunks, incoming) = mpsc::unbounded_channel();
        let (sender, signal) = watch::channel(Signal::Running);
        let writer = LogWriter::new(log.clone(), 2, incoming, sender);
        let writing = tokio::spawn(writer.run());
        let mut producer = Producer::new(self, chunks, signal);
        let end = producer.answer().await;
        producer.send_title(&end).await;
        producer.finish(end, writing).await;
    }
}

impl Producer {
    fn new(
        turn: StartedTurn,
        chunks: mpsc::UnboundedSender<Vec<Chunk>>,
        signal: watch::Receiver<Signal>,
    ) -> Self {
        let (mut builder, counts) = turn.parts();
        for chunk in turn.beginning.lines() {
            // A message that goes on and is full already gets its end at the first chunk of the model.
            let _ = builder.push(chunk);
        }
        let duration = turn.deps.turn_duration().saturating_sub(DEADLINE_RESERVE);
        Self {
            encoder: Encoder::new(turn.request.tool_names(), counts),
            builder,
            chunks,
            signal,
            shutdown: turn.deps.shutdown.clone(),
            deadline: turn.started + duration,
            usage: Usage::default(),
            output_chars: 0,
            first_token: None,
            response_model: None,
            prompt: PromptInfo::default(),
            title: None,
            title_usage: Usage::default(),
            turn,
        }
    }

    /// Waits until the turn must end for another reason than the model.
    async fn interruption(
        mut signal: watch::Receiver<Signal>,
        mut shutdown: watch::Receiver<bool>,
        live: Arc<LiveTurn>,
        deadline: Instant,
    ) -> End {
        tokio::select! {
            signal = signal.wait_for(|signal| *signal != Signal::Running) => {
                match signal.map_or(Signal::Lost, |signal| *signal) {
                    Signal::Stopping => End::Stopped,
                    Signal::DeadlineOver => End::Limit,
                    Signal::Running | Signal::Lost => End::Lost,
                }
            }
            () = live.stop.notified() => End::Stopped,
            () = sleep_until(deadline) => End::Limit,
            true = async { shutdown.wait_for(|is_over| *is_over).await.is_ok() } => End::Shutdown,
        }
    }

    fn interrupted(&self) -> impl Future<Output = End> + use<> {
        Self::interruption(
            self.signal.clone(),
            self.shutdown.clone(),
            self.turn.live.clone(),
            self.deadline,
        )
    }

    /// Sends chunks to the log, and builds the message from them. `None` if the message has no room for them.
    fn send(&mut self, chunks: Vec<Chunk>) -> Option<()> {
        let mut sent = Vec::with_capacity(chunks.len());
        let mut is_full = false;
        for chunk in chunks {
            if self.builder.push_chunk(&chunk).is_err() {
                is_full = true;
                break;
            }
            sent.push(chunk);
        }
        if !sent.is_empty() {
            // The writer ends before this only if the log is lost, which the signal tells.
            let _ = self.chunks.send(sent);
        }
        (!is_full).then_some(())
    }
}
