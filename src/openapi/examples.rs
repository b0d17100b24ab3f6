//! The examples, which `examples.json` holds by the names of handlers.

use serde_json::{Map, Value, json};

/// Requests and answers, by the names of handlers.
const EXAMPLES: &str = include_str!("examples.json");

/// All examples.
pub(super) fn examples() -> Value {
    serde_json::from_str(EXAMPLES).expect("examples.json is JSON")
}

/// Puts the examples of a handler where they belong: those of its request, of its parameters, and of its answers by
/// status.
pub(super) fn add_examples(operation: &mut Value, examples: &Value) {
    if let Some(parameters) = operation
        .get_mut("parameters")
        .and_then(Value::as_array_mut)
    {
        for parameter in parameters {
            let name = parameter["name"].as_str().unwrap_or_default();
            let example = &examples["parameters"][name];
            if !example.is_null() {
                parameter["example"] = example.clone();
            }
        }
    }
    let request = operation
        .get_mut("requestBody")
        .map(|it| &mut it["content"]);
    add_content_examples(request, &examples["request"]);
    for (status, example) in examples["answers"].as_object().into_iter().flatten() {
        let content = operation["responses"]
            .get_mut(status)
            .map(|it| &mut it["content"]);
        add_content_examples(content, example);
    }
}

/// A text is an example of text, all else of JSON.
fn add_content_examples(content: Option<&mut Value>, examples: &Value) {
    let named: Map<String, Value> = match examples {
        Value::Array(examples) => {
            let number = |index: usize| format!("{}", index + 1);
            examples
                .iter()
                .enumerate()
                .map(|(index, it)| (number(index), it.clone()))
                .collect()
        }
        Value::Null => return,
        example => [("1".to_owned(), example.clone())].into_iter().collect(),
    };
    let content = content.and_then(Value::as_object_mut);
    for (media_type, media) in content.into_iter().flatten() {
        let fitting: Map<String, Value> = named
            .iter()
            .filter(|(_, example)| example.is_string() != media_type.ends_with("json"))
            .map(|(name, example)| (name.clone(), json!({"value": example})))
            .collect();
        if !fitting.is_empty() {
            media["examples"] = Value::Object(fitting);
        }
    }
}
