//! The current time, and the format in which the API writes times.

use std::time::Duration;

use chrono::{DateTime, SecondsFormat, SubsecRound, Utc};

/// Returns the current time, truncated to microseconds, the precision of all stored times.
pub fn now() -> DateTime<Utc> {
    Utc::now().trunc_subsecs(6)
}

/// Formats a time as RFC 3339 in UTC with microseconds and `Z`.
pub fn format_time(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Micros, true)
}

/// Formats a time as HTTP headers contain it (RFC 9110, section 5.6.7).
pub(crate) fn http_date(time: DateTime<Utc>) -> String {
    time.format("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// Returns `duration` in milliseconds, rounded to microseconds.
pub(crate) fn milliseconds(duration: Duration) -> f64 {
    let micros = u32::try_from(duration.as_micros()).unwrap_or(u32::MAX);
    f64::from(micros) / 1000.0
}
