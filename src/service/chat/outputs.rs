//! The outputs of tools and the answers to approval requests that a client adds to a message of the model.

use serde_json::value::RawValue;

use crate::util::json::{self, Object, string};

/// The members of the part of a call that a client may set.
const OUTPUTS: [&str; 2] = ["output", "errorText"];

/// Returns the stored parts with the outputs in `sent`; `None` if nothing changes. Also returns the number of parts.
///
/// Everything else of `sent` is ignored: the stored parts are the truth. An output is taken only for a call that waits for
/// one, and an approval only for a request that is stored.
pub(super) fn with_outputs(stored: &RawValue, sent: &RawValue) -> (Option<Box<RawValue>>, usize) {
    let mut parts: Vec<Box<RawValue>> = serde_json::from_str(stored.get()).unwrap_or_default();
    let sent: Vec<&RawValue> = serde_json::from_str(sent.get()).unwrap_or_default();
    let sent: Vec<Object<'_>> = sent
        .iter()
        .filter_map(|part| Object::parse(part.get()))
        .collect();
    let mut is_changed = false;
    for part in &mut parts {
        let changed = Object::parse(part.get()).and_then(|stored| answered(stored, &sent));
        if let Some(changed) = changed {
            *part = changed;
            is_changed = true;
        }
    }
    let count = parts.len();
    (is_changed.then(|| json::raw(&parts)), count)
}

/// Returns the part of a call with what the client sent for it.
fn answered(mut stored: Object<'_>, sent: &[Object<'_>]) -> Option<Box<RawValue>> {
    let id = text(&stored, "toolCallId")?;
    let state = text(&stored, "state")?;
    let answer = sent
        .iter()
        .find(|part| text(part, "toolCallId").as_deref() == Some(&id))?;
    let new_state = text(answer, "state")?;
    match (&*state, &*new_state) {
        ("input-available", "output-available" | "output-error") => {
            stored.set("state", json::raw(&new_state));
            for name in OUTPUTS {
                if let Some(value) = answer.get(name) {
                    stored.set(name, value.to_owned());
                }
            }
        }
        ("approval-requested", "approval-responded" | "output-denied" | "output-available") => {
            let requested = stored
                .get("approval")
                .and_then(|it| Object::parse(it.get()))?;
            let given = answer
                .get("approval")
                .and_then(|it| Object::parse(it.get()))?;
            let same = text(&requested, "id")? == text(&given, "id")?;
            let approved = given.get("approved").map(RawValue::get)?;
            if !same || !["true", "false"].contains(&approved) {
                return None;
            }
            let mut approval = Object::default();
            approval.set("id", json::raw(&text(&requested, "id")?));
            approval.set("approved", given.get("approved")?.to_owned());
            if let Some(reason) = given
                .get("reason")
                .filter(|reason| string(reason).is_some())
            {
                approval.set("reason", reason.to_owned());
            }
            stored.set("state", json::raw(&"approval-responded"));
            stored.set("approval", json::raw(&approval));
        }
        _ => return None,
    }
    Some(json::raw(&stored))
}

fn text(object: &Object<'_>, name: &str) -> Option<String> {
    string(object.get(name)?).map(std::borrow::Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn merged(stored: &Value, sent: &Value) -> Option<Value> {
        let raw =
            |value: &Value| -> Box<RawValue> { serde_json::from_str(&value.to_string()).unwrap() };
        let (merged, _) = with_outputs(&raw(stored), &raw(sent));
        merged.map(|merged| serde_json::from_str(merged.get()).unwrap())
    }

    #[test]
    fn output_is_taken_for_a_call_that_waits_for_it() {
        let call = json!({"type": "tool-f", "toolCallId": "a", "state": "input-available", "input": {"x": 1}});
        let stored = json!([{"type": "text", "text": "t"}, call]);
        let sent = json!([
            {"type": "text", "text": "changed"},
            {"type": "tool-f", "toolCallId": "a", "state": "output-available", "input": {"x": 2}, "output": 5},
            {"type": "tool-f", "toolCallId": "z", "state": "output-available", "input": {}, "output": 6},
        ]);
        let merged = merged(&stored, &sent).unwrap();
        assert_eq!(merged[0], stored[0]);
        assert_eq!(merged[1]["output"], 5);
        assert_eq!(merged[1]["input"], json!({"x": 1}));
        assert_eq!(merged.as_array().unwrap().len(), 2);
        assert_eq!(self::merged(&merged, &sent), None);
    }

    #[test]
    fn only_a_stored_request_can_be_approved() {
        let part = |state: &str, approval: Value| json!([{"type": "tool-write_file", "toolCallId": "a", "state": state, "input": {}, "approval": approval}]);
        let requested = part("approval-requested", json!({"id": "p"}));
        let approved = part("approval-responded", json!({"id": "p", "approved": true}));
        let other = part("approval-responded", json!({"id": "q", "approved": true}));
        assert_eq!(merged(&requested, &approved).unwrap(), approved);
        assert_eq!(merged(&requested, &other), None);
        let waiting = json!([{"type": "tool-write_file", "toolCallId": "a", "state": "input-available", "input": {}}]);
        assert_eq!(merged(&waiting, &approved), None);
    }
}
