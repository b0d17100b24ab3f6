//! The size of texts that tools return.

/// The longest text that a tool returns, in bytes.
pub(super) const MAX_OUTPUT_BYTES: usize = 128 * 1024;

/// Returns the beginning of a text that is not too long for a model.
pub(super) fn bounded(text: &str) -> String {
    text[..text.floor_char_boundary(MAX_OUTPUT_BYTES)].to_owned()
}
