//! The index of all blobs in the order of their pathnames, and its pages, expanded or folded.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use super::blob::Blob;
use super::pathname::Pathname;

/// All blobs by pathname.
pub(super) type Index = BTreeMap<Pathname, Arc<Blob>>;

/// The parameters of a page.
#[derive(Clone, Debug)]
pub(super) struct PageQuery {
    pub(super) prefix: String,
    /// First pathname that the page may contain.
    pub(super) start: String,
    /// Maximum number of blobs and folders together.
    pub(super) limit: usize,
    /// Whether blobs with a `/` after the prefix are grouped into folders.
    pub(super) is_folded: bool,
}

/// A page of blobs.
#[derive(Debug, Default)]
pub(super) struct Page {
    pub(super) blobs: Vec<Arc<Blob>>,
    pub(super) folders: Vec<String>,
    /// Start of the next page; `None` on the last page.
    pub(super) next: Option<String>,
}

/// Returns a page. Each entry costs one tree search, so the cost of a folder does not depend on its size.
pub(super) fn page(index: &Index, query: &PageQuery) -> Page {
    let mut page = Page::default();
    let mut start = query.start.as_str().max(&query.prefix).to_owned();
    loop {
        let from = (Bound::Included(start.as_str()), Bound::Unbounded);
        let Some((pathname, blob)) = index.range::<str, _>(from).next() else {
            return page;
        };
        let Some(rest) = pathname.as_str().strip_prefix(&query.prefix) else {
            return page;
        };
        if page.blobs.len() + page.folders.len() == query.limit {
            page.next = Some(start);
            return page;
        }
        match rest.find('/').filter(|_| query.is_folded) {
            Some(slash) => {
                let end = query.prefix.len() + slash;
                let folder = &pathname.as_str()[..=end];
                // `0` is the byte after `/`, so this sorts after every blob in the folder.
                start = format!("{}0", &pathname.as_str()[..end]);
                page.folders.push(folder.to_owned());
            }
            None => {
                // Pathnames contain no NUL, so this is the next possible pathname.
                start = format!("{}\0", pathname.as_str());
                page.blobs.push(blob.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::Utc;

    use super::*;
    use crate::blob::BlobAccess;

    fn index(names: &[&str]) -> Index {
        let entry = |name: &&str| {
            let pathname = Pathname::parse(name).unwrap();
            let blob = Blob {
                pathname: pathname.clone(),
                access: BlobAccess::Private,
                content_type: String::new(),
                cache_max_age: 60,
                uploaded_at: Utc::now(),
                etag: String::new(),
                size: 0,
            };
            (pathname, Arc::new(blob))
        };
        names.iter().map(entry).collect()
    }

    /// Reads all pages of size `limit`; returns the blobs and the folders.
    fn all(
        index: &Index,
        prefix: &str,
        limit: usize,
        is_folded: bool,
    ) -> (Vec<String>, Vec<String>) {
        let (mut blobs, mut folders) = (Vec::new(), Vec::new());
        let mut query = PageQuery {
            prefix: prefix.to_owned(),
            start: String::new(),
            limit,
            is_folded,
        };
        loop {
            let page = page(index, &query);
            assert!(page.blobs.len() + page.folders.len() <= limit);
            let names = page
                .blobs
                .iter()
                .map(|blob| blob.pathname.as_str().to_owned());
            blobs.extend(names);
            folders.extend(page.folders);
            match page.next {
                Some(next) => query.start = next,
                None => return (blobs, folders),
            }
        }
    }

    #[test]
    fn pages_of_any_size_contain_each_entry_once_in_order() {
        let index = index(&[
            "a", "a-b", "a/", "a/b", "a/b/c", "a0", "b/c", "b/d", "\u{e4}",
        ]);
        for limit in 1..11 {
            let (blobs, folders) = all(&index, "", limit, false);
            assert_eq!(blobs.len(), 9);
            assert!(blobs.is_sorted());
            assert_eq!(folders, [""; 0]);
            let (blobs, folders) = all(&index, "", limit, true);
            assert_eq!(blobs, ["a", "a-b", "a0", "\u{e4}"]);
            assert_eq!(folders, ["a/", "b/"]);
            let (blobs, folders) = all(&index, "a/", limit, true);
            assert_eq!(blobs, ["a/", "a/b"]);
            assert_eq!(folders, ["a/b/"]);
            let (blobs, folders) = all(&index, "a", limit, true);
            assert_eq!(blobs, ["a", "a-b", "a0"]);
            assert_eq!(folders, ["a/"]);
        }
    }

    #[test]
    fn page_that_ends_with_the_last_blob_has_no_next_page() {
        let index = index(&["a", "b"]);
        let query = PageQuery {
            prefix: String::new(),
            start: String::new(),
            limit: 2,
            is_folded: false,
        };
        assert_eq!(page(&index, &query).next, None);
        assert_eq!(page(&Index::new(), &query).blobs.len(), 0);
    }
}
