//! The current time, and the format in which the API writes times.

use chrono::{DateTime, SecondsFormat, SubsecRound, Utc};

/// The present, to the microsecond: what times and the index of sessions are written in.
pub fn now() -> DateTime<Utc> {
    Utc::now().trunc_subsecs(6)
}

/// `time` as this API writes times: RFC 3339, UTC, microseconds, `Z`.
pub fn format_time(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Micros, true)
}
