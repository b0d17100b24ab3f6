use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::domain::chat::PartsBuilder;

fn rebuilt(parts: &Value) -> Value {
    let parts = json::raw(parts);
    let mut builder = PartsBuilder::new(None);
    for chunk in chunks_of_parts(&parts) {
        builder.push_chunk(&chunk).unwrap();
    }
    serde_json::from_str(builder.finish().get()).unwrap()
}

/// Parts that the encoder makes.
fn part() -> impl Strategy<Value = Value> {
    let tool = (any::<u8>(), "[a-z_]{1,5}", any::<bool>(), ".{0,9}").prop_map(
        |(state, name, is_server, text)| {
            let mut part = json!({"type": format!("tool-{name}"), "toolCallId": ""});
            let (state, input, result) = match state % 5 {
                0 => ("input-streaming", None, None),
                1 => ("input-available", Some(json!({"a": text})), None),
                2 => (
                    "output-available",
                    Some(json!({})),
                    Some(("output", json!([text]))),
                ),
                3 => (
                    "output-error",
                    Some(json!(text)),
                    Some(("errorText", json!(text))),
                ),
                _ => (
                    "approval-requested",
                    Some(json!({})),
                    Some(("approval", json!({"id": text}))),
                ),
            };
            part["state"] = json!(state);
            if is_server {
                part["providerExecuted"] = json!(true);
            }
            if let Some(input) = input {
                part["input"] = input;
            }
            if let Some((name, value)) = result {
                part[name] = value;
            }
            part
        },
    );
    prop_oneof![
        Just(json!({"type": "step-start"})),
        ".{0,20}".prop_map(|text| json!({"type": "text", "text": text, "state": "done"})),
        ".{0,20}".prop_map(|text| json!({"type": "reasoning", "text": text, "state": "done"})),
        ".{0,20}".prop_map(|text| json!({
            "type": "reasoning", "text": text, "state": "done",
            "providerMetadata": {"anthropic": {"signature": text}},
        })),
        tool,
        Just(json!({"type": "source-url", "sourceId": "s", "url": "u", "title": "t"})),
        Just(json!({"type": "file", "mediaType": "image/png", "url": "data:,"})),
        ".{0,9}".prop_map(|text| json!({"type": "data-x", "data": text})),
    ]
}

proptest! {
    #[test]
    fn chunks_rebuild_the_parts(parts in proptest::collection::vec(part(), 0..12)) {
        let number = |(index, mut part): (usize, Value)| {
            if part.get("toolCallId").is_some() {
                part["toolCallId"] = json!(format!("c{index}"));
            }
            part
        };
        let parts: Value = parts.into_iter().enumerate().map(number).collect();
        prop_assert_eq!(rebuilt(&parts), parts);
    }
}

#[test]
fn answered_approvals_and_unknown_parts_are_left_out() {
    let call = json!({"type": "tool-f", "toolCallId": "c", "input": 1});
    let with = |more: Value| {
        let mut part = call.clone();
        for (name, value) in more.as_object().unwrap() {
            part[name] = value.clone();
        }
        part
    };
    let granted = json!({"id": "a", "approved": true});
    let responded = with(json!({"state": "approval-responded", "approval": granted}));
    assert_eq!(
        rebuilt(&json!([responded])),
        json!([with(json!({"state": "input-available"}))])
    );
    let denied =
        with(json!({"state": "output-denied", "approval": {"id": "a", "approved": false}}));
    assert_eq!(
        rebuilt(&json!([denied, {"type": "custom", "kind": "a.b"}, 5])),
        json!([with(
            json!({"state": "output-denied", "approval": {"id": "a"}})
        )])
    );
    let dynamic = json!({"type": "dynamic-tool", "toolName": "f", "toolCallId": "c",
        "state": "output-available", "input": {}, "output": null});
    assert_eq!(rebuilt(&json!([dynamic])), json!([dynamic]));
}

#[test]
fn steps_finish_before_the_next_one() {
    let parts = json::raw(
        &json!([{"type": "step-start"}, {"type": "text", "text": ""}, {"type": "step-start"}]),
    );
    let chunks: Vec<String> = chunks_of_parts(&parts).iter().map(Chunk::to_json).collect();
    let expected = [
        r#"{"type":"start-step"}"#,
        r#"{"type":"text-start","id":"t0"}"#,
        r#"{"type":"text-end","id":"t0"}"#,
        r#"{"type":"finish-step"}"#,
        r#"{"type":"start-step"}"#,
        r#"{"type":"finish-step"}"#,
    ];
    assert_eq!(chunks, expected);
    let parts = json::raw(
        &json!([{"type": "text"}, {"type": "reasoning"}, {"type": "tool-f", "toolCallId": "c"}]),
    );
    let call_ids = vec!["c".to_owned()];
    let expected = PartCounts {
        texts: 1,
        reasonings: 1,
        call_ids,
    };
    assert_eq!(PartCounts::of(&parts), expected);
}
