//! Merging the documents of several volumes by name, page by page. A document in a more specific volume overrides one with
//! the same name.

use serde::{Deserialize, Serialize};

use crate::blob::{Blob, Blobs, paths};
use crate::domain::volume::Volume;
use crate::service::error::{Error, Result};
use crate::skill::SkillId;

/// The position of a list: a position in each of its volumes.
pub(super) type Cursor = Vec<Position>;

/// The position of a list in one volume.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Position {
    /// The cursor of the next page of Blob.
    #[serde(rename = "c", default, skip_serializing_if = "Option::is_none")]
    cursor: Option<String>,
    /// The name of the last document of that page that was already listed.
    #[serde(rename = "a", default, skip_serializing_if = "Option::is_none")]
    after: Option<String>,
    /// Whether all documents were listed.
    #[serde(rename = "e", default, skip_serializing_if = "std::ops::Not::not")]
    ended: bool,
}

/// A document of the merged list.
#[derive(Debug)]
pub(super) struct Candidate {
    /// The index of its volume.
    pub(super) source: usize,
    pub(super) id: SkillId,
    pub(super) blob: Blob,
    /// The number of names of each source that are consumed after this document.
    consumed: Vec<usize>,
}

/// The documents of one volume that were listed so far.
#[derive(Debug)]
struct Source {
    prefix: String,
    /// Names below the prefix.
    names: Vec<(String, Blob)>,
    /// The number of names that the merged list has consumed.
    consumed: usize,
    /// The first name of each page, by index, and the position that the page was requested with.
    pages: Vec<(usize, Position)>,
    next: Option<Position>,
}

/// The merged list of several volumes, the most specific first.
#[derive(Debug)]
pub(super) struct Merge<'a> {
    blobs: &'a Blobs,
    sources: Vec<Source>,
    page_size: usize,
}

impl<'a> Merge<'a> {
    /// Returns a list that starts at `cursor`. A volume without a position in it starts at its beginning.
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
            consumed: 0,
            pages: Vec::new(),
            next: Some(position(index)).filter(|position| !position.ended),
        });
        Self {
            blobs,
            sources: sources.collect(),
            page_size,
        }
    }

    /// Returns the next `count` documents, or fewer at the end.
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
            let (_, blob) = self.sources[source].names[self.sources[source].consumed].clone();
            // Documents with the same name in less specific volumes are skipped.
            for source in &mut self.sources {
                if source.head().is_some_and(|(head, _)| *head == name) {
                    source.consumed += 1;
                }
            }
            if let Some(id) = paths::skill_id(&name) {
                taken.push(Candidate {
                    source,
                    id,
                    blob,
                    consumed: self.sources.iter().map(|source| source.consumed).collect(),
                });
            }
        }
        Ok(taken)
    }

    /// Returns the position after this document; `None` after the last one.
    pub(super) fn cursor_after(&self, candidate: &Candidate) -> Option<Cursor> {
        let positions: Cursor = self
            .sources
            .iter()
            .zip(&candidate.consumed)
            .map(|(source, consumed)| source.position(*consumed))
            .collect();
        positions
            .iter()
            .any(|position| !position.ended)
            .then_some(positions)
    }

    /// Reads the next page of every volume whose names are consumed, concurrently.
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
        self.names.get(self.consumed)
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
        // Blob decides what its cursor leads to, so entries outside of the volume are dropped.
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

    /// Returns the position after this number of names.
    fn position(&self, consumed: usize) -> Position {
        if consumed == self.names.len() {
            return self.next.clone().unwrap_or(Position {
                ended: true,
                ..Position::default()
            });
        }
        let page = self
            .pages
            .iter()
            .rev()
            .find(|(start, _)| *start <= consumed);
        let (start, mut position) = page.cloned().unwrap_or_default();
        if consumed > start {
            position.after = Some(self.names[consumed - 1].0.clone());
        }
        position
    }
}
