//! The title of a session that has no name: one small request to a model, beside the first answer.

use std::time::Duration;

use tokio::task::JoinHandle;

use super::answer::Usage;
use super::deps::ChatDeps;
use super::prompt::HistoryMessage;
use super::settlement::find_session;
use super::started::StartedTurn;
use super::title_prompt;
use crate::domain::message::{MessageId, Part};
use crate::domain::name::Name;
use crate::domain::request_context::RequestContext;
use crate::domain::session::{SessionId, SessionPatch, TitleSource};
use crate::provider::Provider;
use crate::provider::event::ModelUsage;
use crate::store::{FoundSession, Updated};

/// The time that the end of a turn waits for the title.
pub(super) const WAIT: Duration = Duration::from_secs(2);
/// The number of times that others may change the session meanwhile.
const MAX_ATTEMPTS: usize = 5;

/// What the model wrote, and what it used.
pub(super) type Suggestion = (Option<String>, ModelUsage);

/// What a request for a title needs of its turn.
struct TitleRequest {
    deps: ChatDeps,
    context: RequestContext,
    provider: Provider,
    model: String,
    session: SessionId,
    user_message_id: MessageId,
}

impl TitleRequest {
    /// Asks the model, if the session has no name.
    async fn suggest(self) -> Suggestion {
        let none = (None, ModelUsage::default());
        let session = find_session(&self.deps.store, &self.session).await;
        let session = session.ok().flatten();
        if session.is_none_or(|session| session.title_source != TitleSource::Default) {
            return none;
        }
        let Some(text) = self.user_text().await else {
            return none;
        };
        let request = title_prompt::request(self.model, &text);
        match self
            .provider
            .complete(&request, title_prompt::MAX_ANSWER_BYTES)
            .await
        {
            Ok((text, usage)) => (title_prompt::read_title(&text), usage),
            Err(error) => {
                tracing::info!(error = error.kind.code(), "no title for a session");
                none
            }
        }
    }

    /// Returns the text that is answered.
    async fn user_text(&self) -> Option<String> {
        let store = &self.deps.store;
        let found = store.find_message(&self.context, &self.session, &self.user_message_id);
        let history = HistoryMessage::of(&found.await.ok()??)?;
        let parts = Part::list(&history.parts);
        let mut texts: Vec<String> = parts.iter().filter_map(|part| part.text("text")).collect();
        texts.push(history.content);
        texts.into_iter().find(|text| !text.trim().is_empty())
    }
}

impl StartedTurn {
    /// Starts the request for a title, which ends without one if the session has a name.
    pub(super) fn start_title(&self) -> Option<JoinHandle<Suggestion>> {
        if !self.deps.chat.titles {
            return None;
        }
        let request = TitleRequest {
            deps: self.deps.clone(),
            context: RequestContext::unlimited(self.context.caller.clone()),
            provider: self.provider.clone(),
            model: self.title_model().to_owned(),
            session: self.session.clone(),
            user_message_id: self.user_message_id.clone(),
        };
        Some(tokio::spawn(request.suggest()))
    }

    /// Names the session, unless it has another name meanwhile. Returns whether it did.
    pub(super) async fn store_title(&self, title: &str) -> bool {
        let Ok(name) = Name::try_from(title.to_owned()) else {
            return false;
        };
        let patch = SessionPatch {
            name: Some(name),
            title_source: Some(TitleSource::Model),
            ..SessionPatch::default()
        };
        let store = &self.deps.store;
        for _ in 0..MAX_ATTEMPTS {
            let found = store
                .find_session(&self.context, &self.session, 0, &[])
                .await;
            let Ok(Some(FoundSession::Found(found))) = found else {
                return false;
            };
            if found.current.session.title_source != TitleSource::Default {
                return false;
            }
            let expected = [found.current.version];
            let updated =
                store.update_session(&self.context, &self.session, &patch, Some(&expected), false);
            match updated.await {
                Ok(Some(Updated::Done(_))) => return true,
                Ok(Some(Updated::Stale(_))) => {}
                _ => return false,
            }
        }
        false
    }

    /// Returns what the request for the title used.
    pub(super) fn title_usage(&self, usage: &ModelUsage) -> Usage {
        let mut sums = Usage::default();
        sums.add(self.title_model(), usage, &self.deps.models.prices);
        sums
    }

    fn title_model(&self) -> &str {
        self.deps.title_model(&self.model)
    }
}
