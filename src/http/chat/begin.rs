//! Begins turns apart from the request, so that a client that leaves leaves no turn without a producer.

use tokio::sync::oneshot;

use crate::app::App;
use crate::domain::request_context::RequestContext;
use crate::http::error::{Error, Result};
use crate::service::chat::{Ask, Asked};
use crate::util::background::RequestKeeper;

/// A turn, and what keeps its session.
pub(super) struct Begun {
    pub(super) asked: Asked,
    /// When it is dropped, a session that was only the place of this answer is deleted.
    pub(super) _session: oneshot::Sender<()>,
}

/// Begins a turn and runs its producer. With `is_temporary`, the session is deleted after the turn, when the caller has
/// dropped the result.
pub(super) async fn ask_in_background(
    app: &App,
    context: &RequestContext,
    keeper: Option<&RequestKeeper>,
    ask: Ask,
    is_temporary: bool,
) -> Result<Begun> {
    let (send_begun, begun) = oneshot::channel();
    let task = {
        let (app, context) = (app.clone(), context.clone());
        async move {
            let session = ask.session.clone();
            let mut asked = app.chat(&context).ask(ask).await;
            let producer = asked.as_mut().ok().and_then(|asked| asked.producer.take());
            let (sender, session_is_free) = oneshot::channel();
            // An error means that the client left, which changes nothing.
            let _ = send_begun.send(asked.map(|asked| Begun {
                asked,
                _session: sender,
            }));
            if let Some(producer) = producer {
                producer.await;
            }
            if is_temporary {
                // The error that the sender was dropped is the signal.
                let _ = session_is_free.await;
                if let Err(error) = app.sessions(&context).delete(&session, None).await {
                    tracing::warn!(error = %error, "a temporary session cannot be deleted");
                }
            }
        }
    };
    app.background.spawn(Box::pin(task), keeper);
    let lost = || Error::Internal("the task of a turn was lost".to_owned());
    Ok(begun.await.map_err(|_| lost())??)
}
