//! The wire of Anthropic's Messages.

mod body;
mod json;
mod reader;

pub(super) use self::body::body;
pub(super) use self::reader::Reader;

/// The version of the API that compatible servers know as well.
pub(super) const DEFAULT_VERSION: &str = "2023-06-01";
/// The address of the service.
pub(super) const BASE_URL: &str = "https://api.anthropic.com/v1";

/// Returns a base URL with `/v1` at its end. Some clients expect it in `ANTHROPIC_BASE_URL`, others append it.
pub(super) fn versioned(base_url: &str) -> String {
    let base_url = base_url.trim_end_matches('/');
    if base_url.ends_with("/v1") {
        base_url.to_owned()
    } else {
        format!("{base_url}/v1")
    }
}
