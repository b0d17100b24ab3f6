//! The same answer of a model on both wires.

use serde_json::{Value, json};

/// An answer: reasoning, text and calls of tools, in this order. Empty ones are absent.
#[derive(Clone, Debug, Default)]
pub struct ModelAnswer {
    pub reasoning: Vec<&'static str>,
    /// The signature of the reasoning, which only Anthropic has.
    pub signature: &'static str,
    /// The pieces of the text.
    pub text: Vec<String>,
    /// The id, name and pieces of the arguments of each call.
    pub calls: Vec<(&'static str, &'static str, Vec<&'static str>)>,
}

impl ModelAnswer {
    /// Text in one piece.
    pub fn text(text: &str) -> Self {
        Self::pieces(&[text])
    }

    /// Text in pieces.
    pub fn pieces(pieces: &[&str]) -> Self {
        Self {
            text: pieces.iter().map(|&piece| piece.to_owned()).collect(),
            ..Self::default()
        }
    }

    /// Everything: reasoning, text with é and 😀, and two calls.
    pub fn full() -> Self {
        Self {
            reasoning: vec!["Let me ", "think é."],
            signature: "sig+/=",
            text: vec!["caf\u{e9} ".to_owned(), "😀!\n".to_owned()],
            calls: vec![
                ("call_1", "weather", vec!["{\"city\":", "\"Zürich\"}"]),
                ("call_2", "time", vec!["{}"]),
            ],
        }
    }

    /// The events of Anthropic's Messages. Usage: 12 input tokens, of which 2 are cached, and 7 output tokens.
    pub fn anthropic(&self) -> String {
        let mut events = vec![json!({"type": "message_start", "message": {
            "id": "answer-1", "type": "message", "role": "assistant", "model": "test-model", "content": [],
            "usage": {"input_tokens": 10, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 2, "output_tokens": 1},
        }})];
        let mut blocks = Vec::new();
        if !self.reasoning.is_empty() {
            let deltas = self.reasoning.iter();
            let mut deltas: Vec<Value> = deltas
                .map(|text| json!({"type": "thinking_delta", "thinking": text}))
                .collect();
            deltas.push(json!({"type": "signature_delta", "signature": self.signature}));
            let start = json!({"type": "thinking", "thinking": "", "signature": ""});
            blocks.push((start, deltas));
        }
        if !self.text.is_empty() {
            let deltas = self.text.iter();
            let deltas = deltas.map(|text| json!({"type": "text_delta", "text": text}));
            blocks.push((json!({"type": "text", "text": ""}), deltas.collect()));
        }
        for (id, name, pieces) in &self.calls {
            let deltas = pieces.iter();
            let deltas = deltas.map(|it| json!({"type": "input_json_delta", "partial_json": it}));
            let start = json!({"type": "tool_use", "id": id, "name": name, "input": {}});
            blocks.push((start, deltas.collect()));
        }
        for (index, (start, deltas)) in blocks.into_iter().enumerate() {
            events.push(
                json!({"type": "content_block_start", "index": index, "content_block": start}),
            );
            events.extend(deltas.into_iter().map(
                |delta| json!({"type": "content_block_delta", "index": index, "delta": delta}),
            ));
            events.push(json!({"type": "content_block_stop", "index": index}));
        }
        let reason = if self.calls.is_empty() {
            "end_turn"
        } else {
            "tool_use"
        };
        events.push(
            json!({"type": "message_delta", "delta": {"stop_reason": reason, "stop_sequence": null},
            "usage": {"output_tokens": 7}}),
        );
        events.push(json!({"type": "message_stop"}));
        let lines = events.iter().map(|event| {
            let name = event["type"].as_str().unwrap();
            format!("event: {name}\ndata: {event}\n\n")
        });
        lines.collect()
    }

    /// The chunks of Chat Completions, with the same usage.
    pub fn chat_completions(&self) -> String {
        let mut deltas = vec![json!({"role": "assistant", "content": ""})];
        let reasoning = self.reasoning.iter();
        deltas.extend(reasoning.map(|text| json!({"reasoning_content": text})));
        deltas.extend(self.text.iter().map(|text| json!({"content": text})));
        for (index, (id, name, pieces)) in self.calls.iter().enumerate() {
            let function = json!({"name": name, "arguments": ""});
            let start = json!({"index": index, "id": id, "type": "function", "function": function});
            deltas.push(json!({"tool_calls": [start]}));
            for piece in pieces {
                let call = json!({"index": index, "function": {"arguments": piece}});
                deltas.push(json!({"tool_calls": [call]}));
            }
        }
        let mut chunks: Vec<Value> = deltas
            .into_iter()
            .map(|delta| json!([{"index": 0, "delta": delta, "finish_reason": null}]))
            .collect();
        let reason = if self.calls.is_empty() {
            "stop"
        } else {
            "tool_calls"
        };
        chunks.push(json!([{"index": 0, "delta": {}, "finish_reason": reason}]));
        chunks.push(json!([]));
        let last = chunks.len() - 1;
        let lines = chunks.into_iter().enumerate().map(|(index, choices)| {
            let mut chunk = json!({"id": "answer-1", "object": "chat.completion.chunk", "created": 1,
                "model": "test-model", "choices": choices});
            if index == last {
                chunk["usage"] = json!({"prompt_tokens": 12, "completion_tokens": 7, "total_tokens": 19,
                    "prompt_tokens_details": {"cached_tokens": 2}});
            }
            format!("data: {chunk}\n\n")
        });
        let body: String = lines.collect();
        body + "data: [DONE]\n\n"
    }
}
