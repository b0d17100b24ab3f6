use serde_json::{Value, json};

use super::*;
use crate::domain::message::Parts;

fn built(existing: &Value, chunks: &[Value]) -> (Value, Option<Value>) {
    let existing = json::raw(existing);
    let mut builder = PartsBuilder::new(Some(&existing));
    for chunk in chunks {
        builder.push(&chunk.to_string()).unwrap();
    }
    let metadata = builder
        .metadata()
        .map(|it| serde_json::from_str(it.get()).unwrap());
    (
        serde_json::from_str(builder.finish().get()).unwrap(),
        metadata,
    )
}

fn parts(chunks: &[Value]) -> Value {
    built(&json!([]), chunks).0
}

#[test]
fn texts_and_reasonings_are_done_at_the_end() {
    let proof = json!({"anthropic": {"signature": "s"}});
    let chunks = [
        json!({"type": "start", "messageId": "m"}),
        json!({"type": "start-step"}),
        json!({"type": "reasoning-start", "id": "0"}),
        json!({"type": "text-start", "id": "0"}),
        json!({"type": "reasoning-delta", "id": "0", "delta": "h"}),
        json!({"type": "text-delta", "id": "0", "delta": "a"}),
        json!({"type": "reasoning-end", "id": "0", "providerMetadata": proof}),
        json!({"type": "reasoning-delta", "id": "0", "delta": "late"}),
        json!({"type": "text-delta", "id": "0", "delta": "b"}),
    ];
    let expected = json!([
        {"type": "step-start"},
        {"type": "reasoning", "text": "h", "state": "done", "providerMetadata": proof},
        {"type": "text", "text": "ab", "state": "done"},
    ]);
    assert_eq!(parts(&chunks), expected);
}

#[test]
fn calls_have_the_state_of_their_last_chunk() {
    let start = json!({"type": "tool-input-start", "toolCallId": "c", "toolName": "f", "providerExecuted": true});
    let delta = json!({"type": "tool-input-delta", "toolCallId": "c", "inputTextDelta": "{\"a\""});
    let input = json!({"type": "tool-input-available", "toolCallId": "c", "toolName": "f", "input": {"a": 1}});
    let output = json!({"type": "tool-output-available", "toolCallId": "c", "output": null});
    let error = json!({"type": "tool-output-error", "toolCallId": "c", "errorText": "no"});
    let invalid = json!({"type": "tool-input-error", "toolCallId": "c", "toolName": "f", "input": "{", "errorText": "no"});
    let part = |more: Value| {
        let mut part = json!({"type": "tool-f", "toolCallId": "c", "providerExecuted": true});
        for (name, value) in more.as_object().unwrap() {
            part[name] = value.clone();
        }
        json!([part])
    };
    let streaming = part(json!({"state": "input-streaming"}));
    assert_eq!(parts(&[start.clone(), delta.clone()]), streaming);
    let begun = [start.clone(), delta.clone(), input];
    assert_eq!(
        parts(&begun),
        part(json!({"state": "input-available", "input": {"a": 1}}))
    );
    let finished = part(json!({"state": "output-available", "input": {"a": 1}, "output": null}));
    assert_eq!(
        parts(&[&begun[..], std::slice::from_ref(&output)].concat()),
        finished
    );
    assert_eq!(built(&parts(&begun), &[output]).0, finished);
    let failed = part(json!({"state": "output-error", "input": {"a": 1}, "errorText": "no"}));
    assert_eq!(parts(&[&begun[..], &[error]].concat()), failed);
    let rejected = part(json!({"state": "output-error", "input": "{", "errorText": "no"}));
    assert_eq!(parts(&[start, delta, invalid]), rejected);
}

#[test]
fn existing_parts_and_metadata_go_on() {
    let existing = json!([{"type": "text", "text": "a"}, {"type": "data-x", "id": "1", "data": 1}, {"type": "y"}]);
    let chunks = [
        json!({"type": "start", "messageMetadata": {"a": {"b": 1}}}),
        json!({"type": "data-x", "id": "1", "data": 2}),
        json!({"type": "data-x", "data": 3}),
        json!({"type": "data-llmos-title", "data": {}, "transient": true}),
        json!({"type": "source-url", "sourceId": "s", "url": "u"}),
        json!({"type": "file", "url": "u", "mediaType": "m"}),
        json!({"type": "message-metadata", "messageMetadata": {"a": {"c": 2}}}),
        json!({"type": "finish", "finishReason": "stop", "messageMetadata": {"d": 3}}),
    ];
    let (parts, metadata) = built(&existing, &chunks);
    let expected = json!([
        {"type": "text", "text": "a"}, {"type": "data-x", "id": "1", "data": 2}, {"type": "y"},
        {"type": "data-x", "data": 3}, {"type": "source-url", "sourceId": "s", "url": "u"},
        {"type": "file", "url": "u", "mediaType": "m"},
    ]);
    assert_eq!(parts, expected);
    assert_eq!(metadata, Some(json!({"a": {"b": 1, "c": 2}, "d": 3})));
}

#[test]
fn malformed_and_unknown_chunks_are_ignored() {
    let mut builder = PartsBuilder::new(None);
    for chunk in [
        "",
        "5",
        "{}",
        r#"{"type":5}"#,
        r#"{"type":"text-start"}"#,
        r#"{"type":"text-delta","id":"x","delta":"a"}"#,
        r#"{"type":"text-end","id":"x"}"#,
        r#"{"type":"tool-input-available","toolCallId":"c","input":1}"#,
        r#"{"type":"tool-output-available","toolCallId":"c","output":1}"#,
        r#"{"type":"custom","kind":"a.b"}"#,
        r#"{"type":"abort"}"#,
    ] {
        builder.push(chunk).unwrap();
    }
    assert!(builder.is_empty());
    builder.push(r#"{"type":"start-step"}"#).unwrap();
    assert!(builder.is_empty());
    builder.push(r#"{"type":"text-start","id":"t0"}"#).unwrap();
    assert!(!builder.is_empty());
}

#[test]
fn chunk_and_its_json_are_applied_alike() {
    let (id, delta) = ("0".to_owned(), "a\"\u{1}é😀\n".to_owned());
    let chunks = [
        Chunk::TextStart { id: id.clone() },
        Chunk::ReasoningStart { id: id.clone() },
        Chunk::TextDelta {
            id: id.clone(),
            delta: delta.clone(),
        },
        Chunk::ReasoningDelta {
            id: id.clone(),
            delta: delta.clone(),
        },
        Chunk::TextEnd { id: id.clone() },
        // It is not open any more.
        Chunk::TextDelta {
            id,
            delta: delta.clone(),
        },
    ];
    let (mut typed, mut read) = (PartsBuilder::new(None), PartsBuilder::new(None));
    for chunk in &chunks {
        typed.push_chunk(chunk).unwrap();
        read.push(&chunk.to_json()).unwrap();
    }
    assert_eq!(typed.bytes, read.bytes);
    let parts = typed.finish();
    assert_eq!(parts.get(), read.finish().get());
    let parts: Value = serde_json::from_str(parts.get()).unwrap();
    assert_eq!(parts[0]["text"], delta);
    assert_eq!(parts[1]["text"], delta);
}

/// Pushes chunks until one has no room, then the closing ones, and checks that the parts can be stored.
fn fill(chunks: impl Iterator<Item = Value>) -> usize {
    let mut builder = PartsBuilder::new(None);
    builder.push(r#"{"type":"text-start","id":"t"}"#).unwrap();
    let mut count = 0;
    for chunk in chunks {
        match builder.push(&chunk.to_string()) {
            Ok(()) => count += 1,
            Err(Full) => break,
        }
    }
    let end = json!({"type": "text-end", "id": "t", "providerMetadata": {"a": {"b": "c".repeat(60_000)}}});
    builder.push(&end.to_string()).unwrap();
    let parts = builder.finish();
    let size = parts.get().len();
    Parts::try_from(parts).unwrap();
    assert!(count < 300_000);
    size
}

#[test]
fn full_message_can_still_be_closed_and_stored() {
    let delta = |text: String| json!({"type": "text-delta", "id": "t", "delta": text});
    let large = fill(std::iter::repeat_with(|| delta("\"\u{1}é".repeat(100))));
    assert!(large > 900_000, "{large}");
    assert!(fill(std::iter::once(delta("a".repeat(2_000_000)))) < 70_000);
    let starts = (0..).map(|id| json!({"type": "reasoning-start", "id": id.to_string()}));
    fill(starts);
    let calls = (0..).flat_map(|id: u32| {
        let call = json!({"type": "tool-input-start", "toolCallId": id.to_string(), "toolName": "f"});
        let input = json!({"type": "tool-input-available", "toolCallId": id.to_string(), "toolName": "f", "input": "x".repeat(9000)});
        [call, input]
    });
    assert!(fill(calls) > 900_000);
}
