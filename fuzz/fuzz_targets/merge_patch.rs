//! The strict JSON check compared with a naive one, and merge patches compared with the algorithm of RFC 7396.
//!
//! An input is a target and a patch, separated by a NUL.

#![no_main]

use libfuzzer_sys::{Corpus, fuzz_target};
use llmos::domain::metadata::{MAX_METADATA_BYTES, MAX_METADATA_DEPTH, Metadata};
use llmos::util::json::{check, has_nul, merge_patch};
use llmos_fuzz::halves;
use llmos_fuzz::tree::Tree;
use serde_json::Value;
use serde_json::value::RawValue;

/// The maximum depth of a request body.
const MAX_DEPTH: usize = 64;

fuzz_target!(|input: &[u8]| -> Corpus {
    let Some((target, patch)) = halves(input) else {
        return Corpus::Reject;
    };
    let (target, patch) = (checked(target), checked(patch));
    if let Some(patch) = patch {
        check_patch(target, patch);
    }
    Corpus::Keep
});

/// Returns the text as raw JSON if it passes the strict check, and checks that the naive one agrees.
fn checked(text: &[u8]) -> Option<&RawValue> {
    let tree: Option<Tree> = serde_json::from_slice(text).ok();
    let is_strict = tree.is_some_and(|tree| tree.is_unambiguous() && tree.depth() <= MAX_DEPTH);
    assert_eq!(check(text, MAX_DEPTH).is_ok(), is_strict);
    is_strict.then(|| {
        let raw: &RawValue = serde_json::from_slice(text).unwrap();
        let contains_nul = value(raw)
            .to_string()
            .replace("\\\\", "")
            .contains("\\u0000");
        assert_eq!(has_nul(raw), contains_nul);
        raw
    })
}

fn check_patch(target: Option<&RawValue>, patch: &RawValue) {
    let merged = merge_patch(target, patch);
    let expected = rfc_7396(target.map_or(Value::Null, value), &value(patch));
    assert_eq!(value(&merged), expected);
    check(merged.get().as_bytes(), 2 * MAX_DEPTH).unwrap();
    let again = merge_patch(Some(&merged), patch);
    assert_eq!(again.get(), merged.get());

    let Ok(metadata) = Metadata::try_from(patch.to_owned()) else {
        return;
    };
    if let Ok(merged) = metadata.merged_into(target) {
        let merged = merged.into_raw();
        assert_eq!(value(&merged), expected);
        assert!(merged.get().len() <= MAX_METADATA_BYTES && !has_nul(&merged));
        check(merged.get().as_bytes(), MAX_METADATA_DEPTH).unwrap();
    }
}

fn value(raw: &RawValue) -> Value {
    serde_json::from_str(raw.get()).unwrap()
}

/// The pseudocode of RFC 7396, section 2.
fn rfc_7396(target: Value, patch: &Value) -> Value {
    let Value::Object(patch) = patch else {
        return patch.clone();
    };
    let mut target = match target {
        Value::Object(target) => target,
        _ => serde_json::Map::new(),
    };
    for (name, value) in patch {
        if value.is_null() {
            target.remove(name);
        } else {
            let old = target.remove(name).unwrap_or(Value::Null);
            target.insert(name.clone(), rfc_7396(old, value));
        }
    }
    Value::Object(target)
}
