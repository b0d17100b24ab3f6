//! Going through the documents of one or more volumes by name, a page of each at a time, the nearer volume
//! shadowing the farther.

use serde::{Deserialize, Serialize};

use crate::blob::{Blob, Blobs, paths};
use crate::domain::volume::Volume;
use crate::service::error::{Error, Result};
use crate::skill::SkillId;

/// Where a list goes on: a position in each of its volumes.
pub(super) type Cursor = Vec<Position>;

/// How far a list is in one volume.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Position {
    /// Where the page of the store begins that is to be read next.
    #[serde(rename = "c", default, skip_serializing_if = "Option::is_none")]
    cursor: Option<String>,
    /// The name of that page's last document that was listed already.
    #[serde(rename = "a", default, skip_serializing_if = "Option::is_none")]
    after: Option<String>,
    /// There is nothing left.
    #[serde(rename = "e", default, skip_serializing_if = "std::ops::Not::not")]
    ended: bool,
}

/// A document that comes next.
#[derive(Debug)]
pub(super) struct Candidate {
    /// The place of its volume among those that are gone through.
    pub(super) source: usize,
    pub(super) id: SkillId,
    pub(super) blob: Blob,
    /// How many names of each source are used up when this one is.
    used: Vec<usize>,
}

/// The documents of one volume, as far as they were read.
#[derive(Debug)]
struct Source {
    prefix: String,
    /// Names below the prefix.
    names: Vec<(String, Blob)>,
    used: usize,
    /// Where each page began: at which of the names, and how it was asked for.
    pages: Vec<(usize, Position)>,
    next: Option<Position>,
}

/// Volumes that are gone through together, the nearest first.
#[derive(Debug)]
pub(super) struct Merge<'a> {
    blobs: &'a Blobs,
    sources: Vec<Source>,
    page_size: usize,
}

impl<'a> Merge<'a> {
    /// Begins at `cursor`, if that has a position for each volume, else at the start.
    pub(super) fn new(
        blobs: &'a Blobs,
        volumes: &[Volume],
        cursor: Option<&Cursor>,
        page_size: usize,
    ) -> Self {
        let position = |index| match cursor {
            Some(cursor) => cursor.get(index).cloned().unwrap_or_default(),
            None => Position::default(),
        };
        let sources = volumes.iter().enumerate().map(|(index, volume)| Source {
            prefix: paths::skills(volume),
            names: Vec::new(),
            used: 0,
            pages: Vec::new(),
            next: Some(position(index)).filter(|position| !position.ended),
        });
        Self {
            blobs,
            sources: sources.collect(),
            page_size,
        }
    }

    /// The next `count` documents, or fewer where there are no more.
    pub(super) async fn take(&mut self, count: usize) -> Result<Vec<Candidate>> {
        let mut taken = Vec::new();
        while taken.len() < count {
            self.fill().await?;
            let heads = self.sources.iter().enumerate();
            let first = heads
                .filter_map(|(index, source)| Some((source.head()?.0.as_str(), index)))
                .min();
            let Some((name, source)) = first else {
                break;
            };
            let name = name.to_owned();
            let (_, blob) = self.sources[source].names[self.sources[source].used].clone();
            // The farther ones of the same name are shadowed.
            for source in &mut self.sources {
                if source.head().is_some_and(|(head, _)| *head == name) {
                    source.used += 1;
                }
            }
            if let Some(id) = paths::skill_id(&name) {
                taken.push(Candidate {
                    source,
                    id,
                    blob,
                    used: self.sources.iter().map(|source| source.used).collect(),
                });
            }
        }
        Ok(taken)
    }

    /// Where the list goes on after this document; `None` if it was the last.
    pub(super) fn cursor_after(&self, candidate: &Candidate) -> Option<Cursor> {
        let positions: Cursor = self
            .sources
            .iter()
            .zip(&candidate.used)
            .map(|(source, used)| source.position(*used))
            .collect();
        positions
            .iter()
            .any(|position| !position.ended)
            .then_some(positions)
    }

    /// Reads on wherever nothing is at hand, all volumes at the same time.
    async fn fill(&mut self) -> Result<()> {
        loop {
            let blobs = self.blobs;
            let page_size = self.page_size;
            let empty = self
                .sources
                .iter_mut()
                .filter(|source| source.head().is_none() && source.next.is_some());
            let reads: Vec<_> = empty.map(|source| source.read(blobs, page_size)).collect();
            if reads.is_empty() {
                return Ok(());
            }
            futures_util::future::try_join_all(reads).await?;
        }
    }
}

impl Source {
    fn head(&self) -> Option<&(String, Blob)> {
        self.names.get(self.used)
    }

    async fn read(&mut self, blobs: &Blobs, page_size: usize) -> Result<()> {
        let Some(position) = self.next.take() else {
            return Ok(());
        };
        let page = blobs
            .list(&self.prefix, page_size, position.cursor.as_deref(), true)
            .await
            .map_err(|error| Error::of_list(error, position.cursor.is_some()))?;
        self.next = page.cursor.map(|cursor| Position {
            cursor: Some(cursor),
            ..Position::default()
        });
        // What does not lie in this volume is not shown, whatever the cursor leads to.
        let named = page.blobs.into_iter().filter_map(|blob| {
            let name = blob.pathname.strip_prefix(&self.prefix)?.to_owned();
            (!name.contains('/')).then_some((name, blob))
        });
        let is_new = |name: &str| position.after.as_deref().is_none_or(|after| name > after);
        let start = self.names.len();
        self.names.extend(named.filter(|(name, _)| is_new(name)));
        self.pages.push((start, position));
        Ok(())
    }

    /// Where to go on when so many names are used up.
    fn position(&self, used: usize) -> Position {
        if used == self.names.len() {
            return self.next.clone().unwrap_or(Position {
                ended: true,
                ..Position::default()
            });
        }
        let page = self.pages.iter().rev().find(|(start, _)| *start <= used);
        let (start, mut position) = page.cloned().unwrap_or_default();
        if used > start {
            position.after = Some(self.names[used - 1].0.clone());
        }
        position
    }
}
