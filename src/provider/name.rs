//! The names of models.

use super::output::MAX_NAME_BYTES;

/// Returns whether a text can be the name of a model: visible ASCII of at most [`MAX_NAME_BYTES`].
pub(crate) fn is_model_name(name: &str) -> bool {
    (1..=MAX_NAME_BYTES).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_graphic())
}
