//! A message that an append replaces in place.

use crate::domain::message::Message;
use crate::store::call::Call;
use crate::util::hash::sha1;

/// A message to replace in place.
#[derive(Clone, Debug)]
pub struct Replacement {
    seq: u64,
    /// The SHA-1 of the text that is replaced.
    sha: String,
    text: String,
}

impl Replacement {
    /// Returns the replacement of the text of `stored` by `text`.
    pub fn new(stored: &Message, text: String) -> Self {
        Self {
            seq: stored.seq(),
            sha: sha1(stored.text()),
            text,
        }
    }

    pub(super) fn add_to<'c>(&'c self, call: Call<'c>) -> Call<'c> {
        call.number(self.seq).arg(&self.sha).arg(&self.text)
    }
}
