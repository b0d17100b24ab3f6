//! Turns of sessions in Redis: the record of the current turn, and the log of its chunks. `scripts/turn.lua` documents both.

mod begin;
mod commit;
mod entry;
mod log;
mod read;
mod subscribe;
pub(super) mod tail;

pub use self::begin::{Begin, Begun};
pub use self::commit::{Commit, Committed};
pub use self::entry::{Entry, EntryKind};
pub use self::log::{Appended as AppendedEntry, LogPage, NewEntry};
pub use self::read::TurnState;

use std::time::Duration;

/// The time after the last sign of life of a producer after which its turn is dead.
pub const LEASE: Duration = Duration::from_secs(15);
/// The time that the log of an active turn is kept: as long as its record, so that a lost answer can be stored until then.
const ACTIVE_LOG: Duration = Duration::from_secs(24 * 60 * 60);
/// The time that the log of an ended turn is kept, for readers that come late.
const ENDED_LOG: Duration = Duration::from_secs(15 * 60);

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
