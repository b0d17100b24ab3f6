//! The id of a request: the platform's, or one of our own.

use axum::http::HeaderMap;
use uuid::Uuid;

use crate::http::extract::vercel_headers::X_VERCEL_ID;

/// The longest id that is taken from the platform.
const MAX_BYTES: usize = 200;

/// Returns Vercel's id of the request if it is 1 to 200 visible ASCII characters, and a new id otherwise.
pub(super) fn request_id(headers: &HeaderMap) -> String {
    let is_plain = |id: &&str| {
        (1..=MAX_BYTES).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic())
    };
    let id = headers.get(X_VERCEL_ID).and_then(|id| id.to_str().ok());
    match id.filter(is_plain) {
        Some(id) => id.to_owned(),
        None => format!("req_{}", Uuid::now_v7().simple()),
    }
}
