//! What the turns of a volume used.

use chrono::NaiveDate;

use super::ChatService;
use crate::domain::chat::usage::UsageSums;
use crate::service::error::{Error, Result};
use crate::service::volume::VolumeSelection;
use crate::store::UsageRows;

/// The most days of one request.
pub const MAX_USAGE_DAYS: usize = 366;
/// The most rows of one response.
pub const MAX_USAGE_ROWS: usize = 1000;

/// The sums that a request asks for.
#[derive(Clone, Debug)]
pub struct UsageQuery {
    /// The volume; the caller's own without one.
    pub volume: Option<VolumeSelection>,
    /// The first day.
    pub from: NaiveDate,
    /// The last day.
    pub to: NaiveDate,
    /// How they are grouped.
    pub rows: UsageRows,
}

impl ChatService<'_> {
    /// Returns the sums of a volume by day, model or session, each with its name, and the sums of all of them.
    ///
    /// # Errors
    /// If the caller may not read the volume, or there are too many days or rows.
    pub async fn usage(&self, query: UsageQuery) -> Result<(Vec<(String, UsageSums)>, UsageSums)> {
        let caller = &self.context.caller;
        let volume = match query.volume {
            Some(volume) => volume.resolve(caller),
            None => caller.default_volume(),
        };
        caller.may_read(&volume)?;
        let days = (query.to - query.from).num_days();
        let is_allowed = usize::try_from(days).is_ok_and(|days| days < MAX_USAGE_DAYS);
        if !is_allowed {
            let rule = format!("must be a day from `from` on, with at most {MAX_USAGE_DAYS} days");
            return Err(Error::field("to", rule));
        }
        let store = &self.deps.store;
        let rows = store
            .read_usage(
                self.context,
                &volume,
                (query.from, query.to),
                query.rows,
                MAX_USAGE_ROWS,
            )
            .await?;
        let too_many = || {
            Error::field(
                "to",
                "must be nearer to `from`: there are more than 1,000 rows",
            )
        };
        let rows = rows.ok_or_else(too_many)?;
        let mut total = UsageSums::default();
        for (_, sums) in &rows {
            total.add(sums);
        }
        Ok((rows, total))
    }
}
