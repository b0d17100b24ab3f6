//! Media types.

use mime_guess::Mime;

/// The longest accepted media type, in bytes.
const MAX_MEDIA_TYPE_BYTES: usize = 255;

/// The type that curl and HTML forms declare for a body whose type was not chosen.
const FORM: &str = "application/x-www-form-urlencoded";

/// Returns whether `text` is the default of a client instead of the type of the content.
pub(crate) fn is_client_default(text: &str) -> bool {
    essence(text).eq_ignore_ascii_case(FORM)
}

/// Returns a media type without its parameters.
pub(crate) fn essence(text: &str) -> &str {
    text.split(';').next().unwrap_or_default().trim()
}

/// Returns whether `text` is a media type of at most 255 bytes.
pub(crate) fn is_media_type(text: &str) -> bool {
    text.len() <= MAX_MEDIA_TYPE_BYTES && text.parse::<Mime>().is_ok()
}
