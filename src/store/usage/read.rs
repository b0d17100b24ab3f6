//! Reads the sums of a volume.

use chrono::NaiveDate;
use redis::{FromRedisValue, ParsingError, Value};

use crate::domain::chat::usage::UsageSums;
use crate::domain::request_context::RequestContext;
use crate::domain::volume::Volume;
use crate::store::call::Call;
use crate::store::error::Result;
use crate::store::handle::Store;
use crate::store::keys::scope;
use crate::store::reply::{Reply, unknown_reply};
use crate::store::script;

/// How sums are grouped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UsageRows {
    /// One row for each day.
    Days,
    /// One row for each model.
    Models,
    /// One row for each session.
    Sessions,
}

/// Reply of `scripts/read_usage.lua`; `None` for too many rows.
struct UsageReply(Option<Vec<(String, UsageSums)>>);

impl FromRedisValue for UsageReply {
    fn from_redis_value(value: Value) -> Result<Self, ParsingError> {
        let mut reply = Reply::from_redis_value(value)?;
        match reply.next::<String>()?.as_str() {
            "too-many" => Ok(Self(None)),
            "rows" => {
                let mut rows = Vec::new();
                while !reply.is_empty() {
                    let (name, sums): (String, String) = (reply.next()?, reply.next()?);
                    rows.push((name, UsageSums::parse(&sums)));
                }
                rows.sort_by(|(left, _), (right, _)| left.cmp(right));
                Ok(Self(Some(rows)))
            }
            other => Err(unknown_reply(other)),
        }
    }
}

impl Store {
    /// Reads the sums of a volume from the first to the last day, by name; `None` if there are more than `limit` rows. The
    /// access to the volume must have been checked.
    pub async fn read_usage(
        &self,
        context: &RequestContext,
        volume: &Volume,
        days: (NaiveDate, NaiveDate),
        rows: UsageRows,
        limit: usize,
    ) -> Result<Option<Vec<(String, UsageSums)>>> {
        let executor = self.executor()?;
        let scheme = executor.scheme();
        let scope = scope(volume);
        let (first, last) = days;
        let all = first.iter_days().take_while(|day| *day <= last);
        let keys = match rows {
            UsageRows::Days => vec![scheme.volume_usage(&scope)],
            UsageRows::Models => all
                .map(|day| scheme.model_usage(&scope, &day.to_string()))
                .collect(),
            UsageRows::Sessions => all
                .map(|day| scheme.session_usage(&scope, &day.to_string()))
                .collect(),
        };
        let (from, to) = match rows {
            UsageRows::Days => (first.to_string(), last.to_string()),
            _ => (String::new(), String::new()),
        };
        let call = Call::new(&script::READ_USAGE, keys)
            .owned(from)
            .owned(to)
            .number(limit);
        let UsageReply(rows) = executor.execute(context, &call).await?;
        Ok(rows)
    }
}
