use super::*;
use crate::domain::chat::PartsBuilder;
use crate::provider::event::FinishReason;
use crate::provider::request::{ModelPart, ReasoningProof};

fn encoder() -> Encoder {
    let names = |name: &str| [name.to_owned()].into_iter().collect();
    let tools = ToolNames {
        server: names("load_skill"),
        client: names("ask"),
    };
    Encoder::new(tools, PartCounts::default())
}

fn texts(chunks: &[Chunk]) -> Vec<String> {
    chunks.iter().map(Chunk::to_json).collect()
}

/// Encodes a step and returns its chunks as text.
fn encode(encoder: &mut Encoder, events: Vec<ModelEvent>) -> (Vec<String>, Step) {
    let mut chunks: Vec<Chunk> = events
        .into_iter()
        .flat_map(|event| encoder.event(event))
        .collect();
    let (more, step) = encoder.take_step();
    chunks.extend(more);
    (texts(&chunks), step)
}

fn text(block: u32, delta: &str) -> ModelEvent {
    let delta = delta.to_owned();
    ModelEvent::Text { block, delta }
}

fn call(block: u32, name: &str, input: &str) -> Vec<ModelEvent> {
    vec![
        ModelEvent::ToolStart {
            block,
            call_id: "call_0".to_owned(),
            name: name.to_owned(),
        },
        ModelEvent::ToolInput {
            block,
            delta: input.to_owned(),
        },
        ModelEvent::End { block },
    ]
}

#[test]
fn texts_and_reasonings_have_ids_of_their_own_over_all_steps() {
    let mut encoder = encoder();
    let proof = ReasoningProof::Signature("s".to_owned());
    let events = vec![
        ModelEvent::Reasoning {
            block: 0,
            delta: "hm".to_owned(),
        },
        ModelEvent::ReasoningProof {
            block: 0,
            proof: proof.clone(),
        },
        ModelEvent::End { block: 0 },
        text(1, ""),
        text(1, "a\0"),
        text(1, "b"),
        ModelEvent::Ping,
        ModelEvent::Finished(FinishReason::Stop),
    ];
    let (chunks, step) = encode(&mut encoder, events);
    let expected = [
        r#"{"type":"reasoning-start","id":"r0"}"#,
        r#"{"type":"reasoning-delta","id":"r0","delta":"hm"}"#,
        r#"{"type":"reasoning-end","id":"r0","providerMetadata":{"anthropic":{"signature":"s"}}}"#,
        r#"{"type":"text-start","id":"t0"}"#,
        "{\"type\":\"text-delta\",\"id\":\"t0\",\"delta\":\"a\u{fffd}\"}",
        r#"{"type":"text-delta","id":"t0","delta":"b"}"#,
        r#"{"type":"text-end","id":"t0"}"#,
    ];
    assert_eq!(chunks, expected);
    assert_eq!(step.finish, Some(FinishReason::Stop));
    assert_eq!(step.text(), "a\u{fffd}b");
    assert!(!step.continues());
    let ModelPart::Reasoning { proof: kept, .. } = &step.parts[0] else {
        panic!("{step:?}");
    };
    assert_eq!(*kept, Some(proof));
    let (chunks, _) = encode(&mut encoder, vec![text(0, "c")]);
    assert_eq!(chunks[0], r#"{"type":"text-start","id":"t1"}"#);
}

#[test]
fn encrypted_reasoning_is_a_part_without_text() {
    let proof = ReasoningProof::Redacted("x".to_owned());
    let events = vec![
        ModelEvent::Reasoning {
            block: 0,
            delta: String::new(),
        },
        ModelEvent::ReasoningProof { block: 0, proof },
        ModelEvent::End { block: 0 },
    ];
    let expected = [
        r#"{"type":"reasoning-start","id":"r0"}"#,
        r#"{"type":"reasoning-end","id":"r0","providerMetadata":{"anthropic":{"redactedData":"x"}}}"#,
    ];
    assert_eq!(encode(&mut encoder(), events).0, expected);
}

#[test]
fn server_tools_are_marked_and_ids_are_unique() {
    let events = [call(0, "load_skill", ""), call(1, "ask", "{\"q\":1}")].concat();
    let (chunks, step) = encode(&mut encoder(), events);
    let expected = [
        r#"{"type":"tool-input-start","toolCallId":"call_0","toolName":"load_skill","providerExecuted":true}"#,
        r#"{"type":"tool-input-available","toolCallId":"call_0","toolName":"load_skill","input":{},"providerExecuted":true}"#,
        r#"{"type":"tool-input-start","toolCallId":"call_0_2","toolName":"ask"}"#,
        r#"{"type":"tool-input-delta","toolCallId":"call_0_2","inputTextDelta":"{\"q\":1}"}"#,
        r#"{"type":"tool-input-available","toolCallId":"call_0_2","toolName":"ask","input":{"q":1}}"#,
    ];
    assert_eq!(chunks, expected);
    assert!(!step.continues());
    let output = ToolOutput::Text("a\0".to_owned()).to_chunk(&step.calls[0]);
    let expected = "{\"type\":\"tool-output-available\",\"toolCallId\":\"call_0\",\"output\":\"a\u{fffd}\",\"providerExecuted\":true}";
    assert_eq!(output.to_json(), expected);
    let error = ToolOutput::Error("no".to_owned()).to_chunk(&step.calls[0]);
    let expected = r#"{"type":"tool-output-error","toolCallId":"call_0","errorText":"no","providerExecuted":true}"#;
    assert_eq!(error.to_json(), expected);
}

#[test]
fn unusable_arguments_and_unknown_tools_are_errors() {
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(30), "]".repeat(30));
    for (name, input, expected) in [
        ("ask", "{\"q\":", "not a JSON object"),
        ("ask", "[1]", "not a JSON object"),
        ("ask", r#"{"a":1,"a":2}"#, "not a JSON object"),
        ("ask", r#"{"a":"\u0000"}"#, "not a JSON object"),
        ("ask", r#"{"__proto__":1}"#, "not a JSON object"),
        ("ask", r#"{"\u005f_proto__":1}"#, "not a JSON object"),
        ("ask", &deep, "not a JSON object"),
        ("load skill", "{}", "does not exist"),
    ] {
        let (chunks, step) = encode(&mut encoder(), call(0, name, input));
        let last = chunks.last().unwrap();
        assert!(last.starts_with(r#"{"type":"tool-input-error""#), "{last}");
        assert!(last.contains(expected), "{last}");
        assert!(step.continues());
        let error = step.calls[0].error.as_ref().unwrap();
        assert!(error.contains(expected), "{error}");
        let ModelPart::ToolCall { input, name, .. } = &step.parts[0] else {
            panic!("{step:?}");
        };
        assert!(input.get().starts_with('{') && !name.contains(' '));
    }
    let (chunks, _) = encode(
        &mut encoder(),
        call(0, "ask", r#"{"a":"__proto__ \u00fc"}"#),
    );
    assert!(
        chunks
            .last()
            .unwrap()
            .starts_with(r#"{"type":"tool-input-available""#)
    );
}

#[test]
fn call_that_the_limit_cut_off_stays_unfinished() {
    let mut events = call(0, "ask", "{\"q\":");
    events.push(ModelEvent::Finished(FinishReason::Length));
    let (chunks, step) = encode(&mut encoder(), events);
    assert_eq!(chunks.len(), 2);
    assert!(step.calls.is_empty() && step.parts.is_empty());
    let mut builder = PartsBuilder::new(None);
    for chunk in &chunks {
        builder.push(chunk).unwrap();
    }
    let expected = r#"[{"type":"tool-ask","toolCallId":"call_0","state":"input-streaming"}]"#;
    assert_eq!(builder.finish().get(), expected);
}

#[test]
fn message_that_goes_on_uses_other_ids() {
    let existing = PartCounts {
        texts: 2,
        reasonings: 1,
        call_ids: vec!["call_0".to_owned()],
    };
    let mut encoder = Encoder::new(ToolNames::default(), existing);
    assert_eq!(texts(&encoder.start_step()), [r#"{"type":"start-step"}"#]);
    let (chunks, _) = encode(
        &mut encoder,
        [vec![text(0, "a")], call(1, "f", "")].concat(),
    );
    assert_eq!(chunks[0], r#"{"type":"text-start","id":"t2"}"#);
    assert!(
        chunks[2].contains(r#""toolCallId":"call_0_2""#),
        "{chunks:?}"
    );
}
