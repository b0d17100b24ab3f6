//! The mark of responses that contain samples instead of stored data.

use axum::http::HeaderName;

const X_LLMOS_STORAGE: HeaderName = HeaderName::from_static("x-llmos-storage");

/// Returns the header of a response that contains samples.
pub(super) fn sample_header(is_sample: bool) -> Option<[(HeaderName, &'static str); 1]> {
    is_sample.then_some([(X_LLMOS_STORAGE, "samples")])
}
