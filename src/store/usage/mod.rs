//! What turns of chat use in Redis: the reservations of callers, and sums by caller and by volume.
//! `scripts/usage_sums.lua` documents the sums, `scripts/reserve_turn.lua` the reservations.

mod read;
mod reserve;
mod settle;

pub use self::read::UsageRows;
pub use self::reserve::{Exhausted, Reservation, Reserved, Unsettled};
pub use self::settle::Settlement;

use chrono::{NaiveDate, TimeDelta};

/// The time that sums are kept after the last change, in days.
const KEPT_DAYS: i64 = 400;
/// The same in seconds.
const KEPT_SECONDS: i64 = KEPT_DAYS * 24 * 60 * 60;

/// Returns the first day that is kept beside this one.
fn oldest(day: NaiveDate) -> NaiveDate {
    day - TimeDelta::days(KEPT_DAYS)
}
