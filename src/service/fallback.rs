//! Samples in place of what cannot be read: reading with that in mind, and marking the answer.

use axum::http::HeaderName;

use super::samples;
use super::skills::{Catalog, Found};
use crate::app::App;
use crate::blob::Blobs;
use crate::domain::caller::Caller;
use crate::domain::message::MessageRange;
use crate::domain::session::{SessionId, SessionView};
use crate::domain::volume::VolumeRef;
use crate::http::error::{Error, Result};
use crate::skill::SkillId;

/// Tells samples from what is stored.
const X_LLMOS_STORAGE: HeaderName = HeaderName::from_static("x-llmos-storage");

/// Reads a session, or the sample that stands in for it; whether it is one.
pub(crate) async fn read_session(
    app: &App,
    by: &Caller,
    id: &SessionId,
    range: MessageRange,
    limit: usize,
) -> Result<(SessionView, bool)> {
    match app.store.find_session(by, id, range, limit).await {
        Ok(view) => Ok((view.ok_or(Error::NO_SUCH_SESSION)?, false)),
        Err(error) => Ok((
            app.sample_instead_of(
                error.into(),
                samples::sessions::find_session(by, id, range, limit),
                Error::NO_SUCH_SESSION,
            )?,
            true,
        )),
    }
}

/// Looks for a skill, or for the sample that stands in for it; whether it is one.
pub(crate) async fn find_skill(
    app: &App,
    by: &Caller,
    blobs: &Blobs,
    volumes: &[VolumeRef],
    id: &SkillId,
    known: Option<String>,
) -> Result<(Found, bool)> {
    let catalog = Catalog::new(blobs, &app.store, by);
    match catalog.find(volumes, id, known.as_deref()).await {
        Ok(found) => Ok((found, false)),
        Err(error) => {
            let sample = samples::skills::find(volumes, id);
            let sample = app.sample_instead_of(error, sample, Error::NO_SUCH_SKILL)?;
            Ok((Found::Skill(Box::new(sample)), true))
        }
    }
}

/// The header of an answer that is a sample.
pub(crate) fn sample_mark(is_sample: bool) -> Option<[(HeaderName, &'static str); 1]> {
    is_sample.then_some([(X_LLMOS_STORAGE, "samples")])
}
