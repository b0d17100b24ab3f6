//! Values of which YAML reads only a part, because the rest is a comment, a tag or an anchor.

use super::front_matter::{FrontMatter, is_key};
use super::yaml::quoted_entry;

/// Returns the line of a key and the text that is lost, with the line as it was meant; `None` if the whole value is read,
/// or if the key is missing.
pub(super) fn lost_text(front_matter: &FrontMatter<'_>, key: &str) -> Option<(usize, String)> {
    let mut entries = front_matter.entries().iter();
    let (key_node, value) = entries.rfind(|entry| is_key(entry, key))?;
    value.text()?;
    let number = key_node.line;
    let (sign, meant) = quoted_entry(front_matter.line(number)?, value.is_null())?;
    let read_as = match sign {
        '#' => "a comment",
        '!' => "a tag",
        _ => "an anchor",
    };
    let message = format!(
        "`{key}` contains `{sign}`, which begins {read_as} and is not part of the value. To keep the text, write: {meant}"
    );
    Some((number, message))
}
