//! Operations on a Redis Cluster that use several slots, with one step per slot.
//!
//! The keys of a session share a slot and change together in one script, as on a single Redis. The script returns its
//! follow-up in other slots, above all the update of the index, which is sent before the operation returns. If it is
//! lost, a retry of the operation or the next list repeats it.

mod candidates;
mod entry;
mod index;
mod list;
pub(super) mod multi_slot;
mod repair;
mod steps;
