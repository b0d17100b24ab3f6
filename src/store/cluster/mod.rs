//! Operations on a Redis Cluster that touch several slots: one step per slot.
//!
//! The keys of a session share a slot and change together, in one script, as they do on a single Redis. The script
//! returns what has to change in other slots, above all in the index; that is sent before the operation returns.

mod entry;
mod list;
mod repair;
mod steps;
