//! Metadata of a message, as clients of the AI SDK merge it.

use serde_json::value::RawValue;

use crate::util::json::{self, Object};

/// Names that clients do not merge.
const SKIPPED: [&str; 3] = ["__proto__", "constructor", "prototype"];

/// Merges `update` into `base`: objects member by member, other values are replaced, also by `null`.
pub(super) fn merge(base: Option<&RawValue>, update: &RawValue) -> Box<RawValue> {
    let objects = base
        .and_then(|base| Object::parse(base.get()))
        .zip(Object::parse(update.get()));
    let Some((mut merged, update)) = objects else {
        return update.to_owned();
    };
    for name in update.names().map(ToOwned::to_owned) {
        if SKIPPED.contains(&&*name) {
            continue;
        }
        if let Some(value) = update.get(&name) {
            let value = merge(merged.get(&name), value);
            merged.set(name, value);
        }
    }
    json::raw(&merged)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_are_merged_and_other_values_replaced() {
        let merge = |base: Option<&str>, update: &str| {
            let raw = |text: &str| RawValue::from_string(text.to_owned()).unwrap();
            let base = base.map(raw);
            merge(base.as_deref(), &raw(update)).get().to_owned()
        };
        assert_eq!(merge(None, r#"{"a":1.0}"#), r#"{"a":1.0}"#);
        assert_eq!(
            merge(
                Some(r#"{"a":{"b":1,"c":[1]},"d":2}"#),
                r#"{"a":{"c":[2],"e":null},"f":{}}"#
            ),
            r#"{"a":{"b":1,"c":[2],"e":null},"d":2,"f":{}}"#
        );
        assert_eq!(
            merge(Some(r#"{"a":1}"#), r#"{"a":{"b":1}}"#),
            r#"{"a":{"b":1}}"#
        );
        assert_eq!(
            merge(Some(r#"{"a":1}"#), r#"{"__proto__":2}"#),
            r#"{"a":1}"#
        );
    }
}
