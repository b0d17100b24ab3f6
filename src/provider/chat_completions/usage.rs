//! Counts of tokens, and the provider's own figure of the cost.

use serde_json::Value;

use crate::provider::event::ModelUsage;

/// The largest plausible cost of an answer, in dollars.
const MAX_COST: f64 = 1e6;

/// Reads the counts of a chunk, if it has any.
pub(super) fn read(chunk: &Value) -> Option<ModelUsage> {
    let usage = &chunk["usage"];
    if !usage.is_object() {
        return None;
    }
    let count = |pointer: &str| usage.pointer(pointer).and_then(Value::as_u64);
    Some(ModelUsage {
        input_tokens: count("/prompt_tokens"),
        output_tokens: count("/completion_tokens"),
        cached_input_tokens: count("/prompt_tokens_details/cached_tokens"),
        reasoning_tokens: count("/completion_tokens_details/reasoning_tokens"),
        cost: decimal(&usage["cost"]),
    })
}

/// Reads the cost that the Vercel AI Gateway reports in the metadata of a provider.
pub(super) fn gateway_cost(chunk: &Value) -> Option<String> {
    let choice = &chunk["choices"][0];
    let places = [&choice["delta"], &choice["message"], choice, chunk];
    let metadata = places
        .into_iter()
        .flat_map(|place| [&place["provider_metadata"], &place["providerMetadata"]]);
    metadata
        .filter_map(|metadata| decimal(&metadata["gateway"]["cost"]))
        .next()
}

/// Returns a number, or text with one, as decimal text without exponent.
fn decimal(value: &Value) -> Option<String> {
    let number: f64 = match value {
        Value::Number(number) => number.as_f64()?,
        Value::String(text) => text.parse().ok()?,
        _ => return None,
    };
    // The shortest text of a number is the one that was sent, up to 15 digits.
    (0.0..=MAX_COST)
        .contains(&number)
        .then(|| number.abs().to_string())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn cost_is_decimal_text() {
        for (value, text) in [
            (json!(0.000_142_5), Some("0.0001425")),
            (json!(1.5e-9), Some("0.0000000015")),
            (json!("0.0045"), Some("0.0045")),
            (json!(3), Some("3")),
            (json!(-1), None),
            (json!(-0.0), Some("0")),
            (json!("NaN"), None),
            (json!(1e9), None),
            (json!(null), None),
        ] {
            assert_eq!(decimal(&value).as_deref(), text, "{value}");
        }
    }
}
