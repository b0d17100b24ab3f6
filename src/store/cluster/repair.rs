//! What a list puts right on its way: entries of an index that an operation broke off before it followed.

use futures_util::future::{join, join_all};

use crate::store::cluster::entry::Entry;
use crate::store::cluster::list::Candidate;
use crate::store::connection::Connection;
use crate::store::error::Result;
use crate::store::script;
use crate::util::metrics::count_as_one;

impl Connection {
    /// Puts the index right where sessions are not as it says: whether it said what is false, and whether it was
    /// behind.
    pub(super) async fn repair(
        &self,
        candidates: &[Candidate<'_>],
        entries: &[Option<Entry>],
    ) -> Result<(bool, bool)> {
        let (mut gone, mut moved, mut is_late) = (Vec::new(), Vec::new(), false);
        for (candidate, entry) in candidates.iter().zip(entries) {
            match entry {
                None => gone.push(candidate),
                Some(entry) if entry.bucket != candidate.bucket => moved.push((candidate, entry)),
                Some(entry) if entry.activity > candidate.micros => {
                    is_late = true;
                    moved.push((candidate, entry));
                }
                Some(_) => {}
            }
        }
        let is_false = !gone.is_empty()
            || moved
                .iter()
                .any(|(candidate, entry)| entry.bucket != candidate.bucket);
        let entered = moved
            .iter()
            .map(|(candidate, entry)| self.enter(candidate, entry));
        let forgotten = gone.iter().map(|candidate| self.forget(candidate));
        let (entered, forgotten) = count_as_one(join(join_all(entered), join_all(forgotten))).await;
        entered
            .into_iter()
            .chain(forgotten)
            .collect::<Result<()>>()?;
        Ok((is_false, is_late))
    }

    async fn enter(&self, candidate: &Candidate<'_>, entry: &Entry) -> Result<()> {
        // A later activity than the session knows of was lost with a node, and with it what it changed.
        let is_certain = if entry.activity < candidate.micros {
            "1"
        } else {
            ""
        };
        let micros = entry.activity.to_string();
        let arguments = vec![
            &*candidate.id,
            micros.as_bytes(),
            &*entry.bucket,
            is_certain.as_bytes(),
        ];
        self.in_index(&script::ENTER, candidate.scope, arguments)
            .await
    }

    /// Has an index forget a session that is gone. Where it is there by now, after a creation that was repeated, the
    /// index learns of it again.
    async fn forget(&self, candidate: &Candidate<'_>) -> Result<()> {
        self.in_index(&script::FORGET, candidate.scope, vec![&candidate.id])
            .await?;
        match self.entry(&candidate.id, 0).await? {
            Some(entry) => self.enter(candidate, &entry).await,
            None => Ok(()),
        }
    }
}
