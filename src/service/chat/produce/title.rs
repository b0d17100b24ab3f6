//! Sends the title of the session before the end of the turn.

use serde_json::json;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::{End, Producer};
use crate::domain::chat::chunk::Chunk;
use crate::service::chat::title::{Suggestion, WAIT};
use crate::util::json;

impl Producer {
    /// Starts the request for a title beside the answer, if the session has none.
    pub(super) fn start_title(&mut self) {
        self.title = self.turn.start_title();
    }

    /// Waits a little for the title of a finished answer, stores and sends it. After another end, the request is cancelled.
    pub(super) async fn send_title(&mut self, end: &End) {
        let Some(mut task) = self.title.take() else {
            return;
        };
        let interrupted = self.interrupted();
        let suggested = match end {
            End::Finished(_) => tokio::select! {
                biased;
                _ = interrupted => None,
                suggested = timeout(WAIT, &mut task) => suggested.ok(),
            },
            _ => None,
        };
        let Some(suggested) = suggested else {
            self.cancel_title(&task);
            return;
        };
        let Ok((title, usage)) = suggested else {
            return;
        };
        self.title_usage = self.turn.title_usage(&usage);
        let Some(title) = title else { return };
        if self.turn.store_title(&title).await {
            let chunk = Chunk::Title {
                data: json::raw(&json!({ "title": title })),
                transient: true,
            };
            // Not part of the message, so it needs no room there.
            let _ = self.send(vec![chunk]);
        }
    }

    /// Closes the connection to the model.
    fn cancel_title(&self, task: &JoinHandle<Suggestion>) {
        task.abort();
        tracing::info!(llmos.turn.id = %self.turn.turn, "the request for a title was cancelled");
    }
}
