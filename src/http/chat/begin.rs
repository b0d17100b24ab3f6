//! Begins turns whose work goes on after the response.

use crate::app::App;
use crate::domain::request_context::RequestContext;
use crate::http::error::Result;
use crate::service::chat::{Ask, Asked};
use crate::util::background::RequestKeeper;

/// Begins a turn, and starts its producer apart from the request.
pub(super) async fn ask_in_background(
    app: &App,
    context: &RequestContext,
    keeper: Option<&RequestKeeper>,
    ask: Ask,
) -> Result<Asked> {
    let mut asked = app.chat(context).ask(ask).await?;
    if let Some(producer) = asked.producer.take() {
        app.background.spawn(producer, keeper);
    }
    Ok(asked)
}
