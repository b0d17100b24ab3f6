//! Media types.

use mime_guess::Mime;

/// The longest accepted media type, in bytes.
const MAX_MEDIA_TYPE_BYTES: usize = 255;

/// Returns whether `text` is a media type of at most 255 bytes.
pub(crate) fn is_media_type(text: &str) -> bool {
    text.len() <= MAX_MEDIA_TYPE_BYTES && text.parse::<Mime>().is_ok()
}
