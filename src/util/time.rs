//! The current time, and the format in which the API writes times.

use chrono::{DateTime, SecondsFormat, SubsecRound, Utc};

/// Returns the current time, truncated to microseconds, the precision of all stored times.
pub fn now() -> DateTime<Utc> {
    Utc::now().trunc_subsecs(6)
}

/// Formats a time as RFC 3339 in UTC with microseconds and `Z`.
pub fn format_time(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Micros, true)
}
