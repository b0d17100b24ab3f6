//! Answers: both wires give the same events, and what differs between servers is read alike.

use std::collections::BTreeMap;

use llmos::provider::Wire;
use llmos::provider::event::{FinishReason, ModelEvent, ModelUsage};
use llmos::provider::request::ReasoningProof;
use serde_json::{Value, json};

use super::{WIRES, answer, ask, events, provider, question, text};
use crate::support::{ModelAnswer, ModelServer, Script};

/// The blocks of an answer with the deltas joined, and the rest in order. Blocks of parallel calls may overlap.
fn folded(events: &[ModelEvent]) -> (BTreeMap<u32, String>, Vec<ModelEvent>) {
    let mut blocks: BTreeMap<u32, String> = BTreeMap::new();
    let mut others = Vec::new();
    for event in events {
        let (block, text) = match event {
            ModelEvent::Text { block, delta } => (block, format!("T {delta}")),
            ModelEvent::Reasoning { block, delta } => (block, format!("R {delta}")),
            ModelEvent::ToolInput { block, delta } => (block, format!("I {delta}")),
            ModelEvent::ToolStart {
                block,
                call_id,
                name,
            } => (block, format!("C {call_id} {name}")),
            ModelEvent::End { block } => (block, "end".to_owned()),
            ModelEvent::ReasoningProof { .. } | ModelEvent::Ping => continue,
            ModelEvent::Usage(_) if others.len() > 1 => {
                // Only the last counts matter.
                others.truncate(1);
                others.push(event.clone());
                continue;
            }
            event => {
                others.push(event.clone());
                continue;
            }
        };
        let content = blocks.entry(*block).or_default();
        assert!(!content.ends_with("|end"), "{event:?} after the end");
        content.push('|');
        content.push_str(&text);
    }
    (blocks, others)
}

#[tokio::test]
async fn both_wires_give_the_same_events() {
    let mut found = Vec::new();
    for wire in WIRES {
        let events = events(wire, Script::events(answer(wire, &ModelAnswer::full()))).await;
        let proofs = events
            .iter()
            .filter(|it| matches!(it, ModelEvent::ReasoningProof { .. }));
        let signature = ModelEvent::ReasoningProof {
            block: 0,
            proof: ReasoningProof::Signature("sig+/=".to_owned()),
        };
        let expected = (wire == Wire::Anthropic).then_some(&signature);
        assert_eq!(
            proofs.collect::<Vec<_>>(),
            expected.into_iter().collect::<Vec<_>>()
        );
        found.push(folded(&events));
    }
    assert_eq!(found[0], found[1]);
    let (blocks, others) = &found[0];
    let blocks: Vec<&str> = blocks.values().map(String::as_str).collect();
    assert_eq!(
        blocks,
        [
            "|R Let me |R think é.|end",
            "|T café |T 😀!\n|end",
            "|C call_1 weather|I {\"city\":|I \"Zürich\"}|end",
            "|C call_2 time|I {}|end",
        ]
    );
    let usage = ModelUsage {
        input_tokens: Some(12),
        output_tokens: Some(7),
        cached_input_tokens: Some(2),
        ..ModelUsage::default()
    };
    let started = ModelEvent::Started {
        response_id: Some("answer-1".to_owned()),
        model: Some("test-model".to_owned()),
    };
    assert_eq!(
        others,
        &[
            started,
            ModelEvent::Usage(usage),
            ModelEvent::Finished(FinishReason::ToolCalls)
        ]
    );
}

#[tokio::test]
async fn every_split_of_the_bytes_gives_the_same_events() {
    let server = ModelServer::start().await;
    for wire in WIRES {
        let body = answer(wire, &ModelAnswer::full());
        let provider = provider(&server, wire);
        server.push(Script::events(body.clone()));
        let (expected, _) = ask(&provider).await;
        for at in 1..body.len() {
            server.push(Script::events(body.clone()).split_at(at));
            let (events, error) = ask(&provider).await;
            assert!(error.is_none(), "{error:?} at {at}");
            assert_eq!(events, expected, "{wire:?} at {at}");
        }
    }
    // The connection is used again.
    assert!(server.connections() < 20, "{}", server.connections());
}

#[tokio::test]
async fn line_ends_comments_pings_and_unknown_events_change_nothing() {
    for wire in WIRES {
        let body = answer(wire, &ModelAnswer::full());
        let expected = events(wire, Script::events(body.clone())).await;
        let noise = "\n\n: OPENROUTER PROCESSING\n\nevent: ping\ndata: {\"type\": \"ping\"}\n\n\
             event: new_event\ndata: {\"type\": \"new_event\", \"index\": 7}\n\n\
             data: {\"type\": \"content_block_start\", \"index\": 99, \"content_block\": {\"type\": \"new\"}}\n\n\
             data: {\"type\": \"content_block_delta\", \"index\": 99, \"delta\": {\"type\": \"new\"}}\n\n\
             data: not JSON\n\n";
        for other in [
            body.replace('\n', "\r\n"),
            body.replace('\n', "\r"),
            body.replace("\n\n", noise),
            format!("\u{FEFF}{body}"),
            body.replace("data: ", "data:"),
        ] {
            let mut found = events(wire, Script::events(other)).await;
            found.retain(|event| *event != ModelEvent::Ping);
            // Noise may separate counts of tokens that were one event.
            assert_eq!(folded(&found), folded(&expected), "{wire:?}");
        }
    }
}

/// The events of an answer of these chunks, which need no further members.
async fn chunks(chunks: &[Value]) -> Vec<ModelEvent> {
    let lines = chunks.iter().map(|chunk| format!("data: {chunk}\n\n"));
    let body: String = lines.collect();
    events(Wire::ChatCompletions, Script::events(body)).await
}

#[tokio::test]
async fn lenient_reading_of_chat_completions() {
    // Usage on the last content chunk, no [DONE], role "", and a message that repeats the text.
    let found = chunks(&[
        json!({"choices": [{"delta": {"role": "", "content": "a"}}]}),
        json!({"choices": [{"delta": {"content": "b"}, "message": {"content": "ab"}, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 1, "completion_tokens": 2, "cost": 0.0001}}),
        json!({"choices": [{"message": {"content": "ab"}}]}),
    ])
    .await;
    assert_eq!(text(&found), "ab");
    assert!(found.iter().any(
        |it| matches!(it, ModelEvent::Usage(usage) if usage.cost.as_deref() == Some("0.0001"))
    ));

    // Content as parts, and reasoning under its other names.
    let found = chunks(&[
        json!({"choices": [{"delta": {"reasoning": "r1"}}]}),
        json!({"choices": [{"delta": {"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "r2"}]}]}}]}),
        json!({"choices": [{"delta": {"content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}}]}),
        json!({"choices": [{"delta": {}, "finish_reason": "length"}]}),
    ])
    .await;
    let (blocks, others) = folded(&found);
    assert_eq!(blocks[&0], "|R r1|R r2|end");
    assert_eq!(blocks[&1], "|T a|T b|end");
    assert_eq!(
        others.last(),
        Some(&ModelEvent::Finished(FinishReason::Length))
    );

    // A whole message instead of deltas, a refusal.
    let found =
        chunks(&[json!({"choices": [{"message": {"content": "whole"}, "finish_reason": "stop"}]})])
            .await;
    assert_eq!(text(&found), "whole");
    let found =
        chunks(&[json!({"choices": [{"delta": {"refusal": "No."}, "finish_reason": "stop"}]})])
            .await;
    assert_eq!(text(&found), "No.");
    assert_eq!(
        found.last(),
        Some(&ModelEvent::Finished(FinishReason::ContentFilter))
    );
}

#[tokio::test]
async fn calls_of_tools_in_pieces() {
    let call = |call: Value| json!({"choices": [{"delta": {"tool_calls": [call]}}]});
    let end = json!({"choices": [{"delta": {}, "finish_reason": "stop"}]});
    for (calls, expected) in [
        // The name, then the id, then arguments without index.
        (
            vec![
                json!({"index": 0, "function": {"name": "f", "arguments": "{"}}),
                json!({"index": 0, "id": "x"}),
                json!({"function": {"arguments": "}"}}),
            ],
            vec!["|C x f|I {|I }|end"],
        ),
        // Whole calls, all with index 0.
        (
            vec![
                json!({"index": 0, "id": "x", "function": {"name": "f", "arguments": "{}"}}),
                json!({"index": 0, "id": "y", "function": {"name": "g", "arguments": {"a": 1}}}),
            ],
            vec!["|C x f|I {}|end", "|C y g|I {\"a\":1}|end"],
        ),
        // Whole calls without index, and the second one without arguments.
        (
            vec![
                json!({"id": "x", "function": {"name": "f", "arguments": "{}"}}),
                json!({"id": "y", "function": {"name": "g"}}),
            ],
            vec!["|C x f|I {}|end", "|C y g|I {}|end"],
        ),
        // Arguments of two calls in turns.
        (
            vec![
                json!({"index": 0, "id": "x", "function": {"name": "f", "arguments": "["}}),
                json!({"index": 1, "id": "y", "function": {"name": "g", "arguments": "{"}}),
                json!({"index": 0, "function": {"arguments": "]"}}),
                json!({"index": 1, "function": {"arguments": "}"}}),
            ],
            vec!["|C x f|I [|I ]|end", "|C y g|I {|I }|end"],
        ),
    ] {
        let mut all: Vec<Value> = calls.into_iter().map(call).collect();
        all.push(end.clone());
        let found = chunks(&all).await;
        let (blocks, others) = folded(&found);
        assert_eq!(blocks.values().collect::<Vec<_>>(), expected);
        assert_eq!(
            others.last(),
            Some(&ModelEvent::Finished(FinishReason::ToolCalls))
        );
    }
}

#[tokio::test]
async fn call_without_id_gets_one() {
    let found = chunks(&[
        json!({"choices": [{"delta": {"tool_calls": [{"function": {"name": "f", "arguments": "{}"}}]}}]}),
        json!({"choices": [{"delta": {}, "finish_reason": "tool_calls"}]}),
    ])
    .await;
    let id = found.iter().find_map(|event| match event {
        ModelEvent::ToolStart { call_id, .. } => Some(call_id.clone()),
        _ => None,
    });
    assert!(id.unwrap().starts_with("call_"));
}

#[tokio::test]
async fn redacted_reasoning_and_unknown_blocks_of_anthropic() {
    let events_of = [
        json!({"type": "message_start", "message": {"usage": {"input_tokens": 1}}}),
        json!({"type": "content_block_start", "index": 0, "content_block": {"type": "redacted_thinking", "data": "opaque"}}),
        json!({"type": "content_block_stop", "index": 0}),
        json!({"type": "content_block_start", "index": 1, "content_block": {"type": "server_tool_use", "id": "s", "name": "search"}}),
        json!({"type": "content_block_delta", "index": 1, "delta": {"type": "input_json_delta", "partial_json": "{}"}}),
        json!({"type": "content_block_stop", "index": 1}),
        json!({"type": "content_block_start", "index": 2, "content_block": {"type": "tool_use", "id": "x", "name": "f", "input": {"a": 1}}}),
        json!({"type": "content_block_stop", "index": 2}),
        json!({"type": "message_delta", "delta": {"stop_reason": "refusal"}, "usage": {"output_tokens": 3,
            "output_tokens_details": {"thinking_tokens": 2}}}),
        json!({"type": "message_stop"}),
    ];
    // The types are in the data; the names of the events may be absent.
    let body: String = events_of
        .iter()
        .map(|it| format!("data: {it}\n\n"))
        .collect();
    let found = events(Wire::Anthropic, Script::events(body)).await;
    let proof = ReasoningProof::Redacted("opaque".to_owned());
    assert!(found.contains(&ModelEvent::ReasoningProof { block: 0, proof }));
    let (blocks, others) = folded(&found);
    assert_eq!(
        blocks.values().collect::<Vec<_>>(),
        ["|R |end", "|C x f|I {\"a\":1}|end"]
    );
    let usage = ModelUsage {
        input_tokens: Some(1),
        output_tokens: Some(3),
        reasoning_tokens: Some(2),
        ..ModelUsage::default()
    };
    assert_eq!(
        others[1..],
        [
            ModelEvent::Usage(usage),
            ModelEvent::Finished(FinishReason::ContentFilter)
        ]
    );
}

#[tokio::test]
async fn complete_returns_the_text_cut_at_a_character() {
    for wire in WIRES {
        let server = ModelServer::start().await;
        server.otherwise(Script::events(answer(wire, &ModelAnswer::full())));
        let provider = provider(&server, wire);
        let (text, usage) = provider.complete(&question(), 1000).await.unwrap();
        assert_eq!(text, "café 😀!\n");
        assert_eq!(usage.output_tokens, Some(7));
        let (text, _) = provider.complete(&question(), 8).await.unwrap();
        assert_eq!(text, "café ");
    }
}

#[tokio::test]
async fn server_that_does_not_stream_is_read_as_well() {
    let mut script = Script::events(
        json!({"id": "x", "model": "m", "choices": [{"message": {"content": "whole"}, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 1, "completion_tokens": 2}})
        .to_string(),
    );
    script.headers = vec![("content-type", "application/json".to_owned())];
    let found = events(Wire::ChatCompletions, script).await;
    assert_eq!(text(&found), "whole");
}
