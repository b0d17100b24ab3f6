//! What chat needs of the application.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::follow::Follower;
use super::live::LiveTurns;
use crate::blob::BlobClient;
use crate::config::ChatConfig;
use crate::provider::{ModelChoice, Settings};
use crate::store::Store;

/// The time before the end of a function at which a turn must have ended: the end is stored, and readers read it.
const RESERVE: Duration = Duration::from_secs(25);
/// The shortest time of a turn.
const MIN_DURATION: Duration = Duration::from_secs(5);

/// The parts of the application that chat uses. Cloning it copies pointers.
#[derive(Clone, Debug)]
pub struct ChatDeps {
    /// Redis.
    pub store: Arc<Store>,
    /// Vercel Blob.
    pub blobs: BlobClient,
    /// The limits, the titles and the tools of the server.
    pub chat: Arc<ChatConfig>,
    /// Whether strangers could spend the owner's money.
    pub refuses_strangers: bool,
    /// The language models.
    pub models: Arc<Settings>,
    /// The turns that this process produces or follows.
    pub turns: Arc<LiveTurns>,
    /// The longest duration of a function.
    pub max_duration: Duration,
    /// Whether the process is about to end.
    pub shutdown: watch::Receiver<bool>,
}

impl ChatDeps {
    pub(super) fn follower(&self) -> Follower {
        Follower::new(self.store.clone(), self.turns.clone())
    }

    /// Returns the name of the model that writes titles, where `model` answers.
    pub(super) fn title_model<'a>(&'a self, model: &'a ModelChoice) -> &'a str {
        self.chat.title_model.as_ref().unwrap_or(&model.name)
    }

    /// Returns the longest duration of a turn: it ends before the platform ends the function.
    pub(super) fn turn_duration(&self) -> Duration {
        self.max_duration.saturating_sub(RESERVE).max(MIN_DURATION)
    }
}
