//! Adds the examples of `examples.json`, which are keyed by operation id.

use serde_json::{Map, Value, json};

/// Examples of parameters, requests and responses, by operation id.
const EXAMPLES: &str = include_str!("examples.json");

/// Parses the examples.
pub(super) fn examples() -> Value {
    serde_json::from_str(EXAMPLES).expect("examples.json is JSON")
}

/// Adds the examples of an operation to its parameters, its request, and its responses.
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
        .map(|body| &mut body["content"]);
    add_content_examples(request, &examples["request"]);
    for (status, example) in examples["responses"].as_object().into_iter().flatten() {
        let content = operation["responses"]
            .get_mut(status)
            .map(|response| &mut response["content"]);
        add_content_examples(content, example);
    }
}

/// Adds examples to the media types that they fit: strings are text, all other values are JSON.
fn add_content_examples(content: Option<&mut Value>, examples: &Value) {
    let named: Map<String, Value> = match examples {
        Value::Array(examples) => {
            let number = |index: usize| format!("{}", index + 1);
            examples
                .iter()
                .enumerate()
                .map(|(index, example)| (number(index), example.clone()))
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
