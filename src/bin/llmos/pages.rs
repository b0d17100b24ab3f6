//! The files of `public/`: from disk if the folder is there, so that edits are visible at once; otherwise from the
//! copy in this program, so that an installed binary needs no other file.

use std::path::{Path, PathBuf};

use axum::body::Body;
use axum::extract::Request;
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use include_dir::{Dir, include_dir};
use percent_encoding::percent_decode_str;
use tower::ServiceExt;
use tower_http::services::ServeDir;

static EMBEDDED: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/public");

/// The content type of a file whose extension is unknown.
const UNKNOWN_CONTENT_TYPE: &str = "application/octet-stream";

/// The source of the files.
#[derive(Clone, Debug)]
pub(crate) enum Pages {
    Disk(PathBuf),
    Embedded,
}

impl Pages {
    /// Looks for `public/` in the current folder and in the source tree that `cargo run` names.
    pub(crate) fn find() -> Self {
        let source_tree = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
        let candidates = [Some(PathBuf::new()), source_tree];
        let folders = candidates.into_iter().flatten();
        folders
            .map(|folder| folder.join("public"))
            .find(|public| public.is_dir())
            .map_or(Self::Embedded, Self::Disk)
    }

    /// Returns the file that a `GET` or `HEAD` request names; `None` if there is no such file.
    pub(crate) async fn get(&self, request: &Parts) -> Option<Response> {
        if ![Method::GET, Method::HEAD].contains(&request.method) {
            return None;
        }
        match self {
            Self::Disk(folder) => from_disk(folder, request).await,
            Self::Embedded => from_memory(request.uri.path()),
        }
    }
}

async fn from_disk(folder: &Path, request: &Parts) -> Option<Response> {
    let request = Request::from_parts(request.clone(), Body::empty());
    let Ok(response) = ServeDir::new(folder).oneshot(request).await;
    // The file system fails on a name that no file can have, such as one that is too long: not found.
    let is_missing =
        response.status().is_server_error() || response.status() == StatusCode::NOT_FOUND;
    (!is_missing).then(|| response.into_response())
}

/// Returns a file as [`ServeDir`] does, without its caching and ranges: `index.html` for a folder, and a redirect to
/// the folder if the slash at the end is missing.
fn from_memory(path: &str) -> Option<Response> {
    let name = percent_decode_str(path.strip_prefix('/')?)
        .decode_utf8()
        .ok()?;
    let name = match name.is_empty() || name.ends_with('/') {
        true => format!("{name}index.html"),
        false if EMBEDDED.get_dir(&*name).is_some() => {
            return Some(Redirect::temporary(&format!("{path}/")).into_response());
        }
        false => name.into_owned(),
    };
    let file = EMBEDDED.get_file(&name)?;
    let content_type = mime_guess::from_path(&name)
        .first_raw()
        .unwrap_or(UNKNOWN_CONTENT_TYPE);
    Some(([(CONTENT_TYPE, content_type)], file.contents()).into_response())
}
