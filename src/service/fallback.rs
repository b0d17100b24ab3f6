//! Samples in place of what cannot be read: reading with that in mind, and marking the answer.

use axum::http::HeaderName;

use super::samples;
use super::skills::{Found, SkillService};
use crate::app::App;
use crate::blob::Blobs;
use crate::domain::message::MessageRange;
use crate::domain::request_context::RequestContext;
use crate::domain::session::{SessionId, SessionWithMessages};
use crate::domain::volume::Volume;
use crate::http::error::{Error, Result};
use crate::skill::SkillId;
use crate::store::FoundSession;

/// Tells samples from what is stored.
const X_LLMOS_STORAGE: HeaderName = HeaderName::from_static("x-llmos-storage");

/// Reads a session unless its version is one of `known`, or the sample in its place; the flag tells a sample.
pub(crate) async fn read_session(
    app: &App,
    context: &RequestContext,
    id: &SessionId,
    limit: usize,
    known: &[String],
) -> Result<(FoundSession, bool)> {
    match app.store.find_session(context, id, limit, known).await {
        Ok(found) => Ok((found.ok_or(Error::NO_SUCH_SESSION)?, false)),
        Err(error) => {
            let range = MessageRange::Latest;
            let sample = app.sample_or(
                error.into(),
                samples::sessions::find_session(&context.caller, id, range, limit),
                Error::NO_SUCH_SESSION,
            )?;
            let version = &sample.current.version;
            let found = match known.contains(version) {
                true => FoundSession::NotModified(version.clone()),
                false => FoundSession::Found(sample),
            };
            Ok((found, true))
        }
    }
}

/// Reads messages of a session, or of the sample in its place; the flag tells a sample.
pub(crate) async fn find_messages(
    app: &App,
    context: &RequestContext,
    id: &SessionId,
    range: MessageRange,
    limit: usize,
) -> Result<(SessionWithMessages, bool)> {
    match app.store.find_messages(context, id, range, limit).await {
        Ok(view) => Ok((view.ok_or(Error::NO_SUCH_SESSION)?, false)),
        Err(error) => Ok((
            app.sample_or(
                error.into(),
                samples::sessions::find_session(&context.caller, id, range, limit),
                Error::NO_SUCH_SESSION,
            )?,
            true,
        )),
    }
}

/// Looks for a skill, or for the sample that stands in for it; whether it is one.
pub(crate) async fn find_skill(
    app: &App,
    context: &RequestContext,
    blobs: &Blobs,
    volumes: &[Volume],
    id: &SkillId,
    known: Option<String>,
) -> Result<(Found, bool)> {
    let catalog = SkillService::new(blobs, &app.store, context);
    match catalog.find(volumes, id, known.as_deref()).await {
        Ok(found) => Ok((found, false)),
        Err(error) => {
            let sample = samples::skills::find(volumes, id);
            let sample = app.sample_or(error, sample, Error::NO_SUCH_SKILL)?;
            Ok((Found::Skill(Box::new(sample)), true))
        }
    }
}

/// The header of an answer that is a sample.
pub(crate) fn sample_mark(is_sample: bool) -> Option<[(HeaderName, &'static str); 1]> {
    is_sample.then_some([(X_LLMOS_STORAGE, "samples")])
}
