//! Messages of sessions: they are appended, replaced, deleted, and form branches.

mod append;
pub(super) mod attempt;
mod branch;
mod by_id;
mod delete;
mod expected;
mod index;
mod outcome;
pub(super) mod page;
mod rebuild;
mod replacement;

pub use self::append::{Append, Appended};
pub use self::branch::Switched;
pub use self::by_id::{FoundMessage, MessagesById};
pub use self::delete::{DeleteTarget, DeletedMessages};
pub use self::outcome::{Rejected, Stored};
pub use self::replacement::Replacement;
