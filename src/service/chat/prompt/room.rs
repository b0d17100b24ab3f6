//! How much a model has room for.

/// The context of a model that is not in the table, in tokens.
pub const DEFAULT_CONTEXT_TOKENS: usize = 128_000;
/// The most output of a model that has no limit of its own, in tokens: the room that the history leaves, and the limit of
/// requests where tokens or costs are limited.
pub const DEFAULT_OUTPUT_TOKENS: u32 = 8192;
/// The characters of a token, about.
const CHARS_PER_TOKEN: usize = 4;

/// Beginnings of the names of models, without the name of a provider before them, and their context in tokens.
const CONTEXTS: [(&str, usize); 16] = [
    ("claude", 200_000),
    ("gpt-5", 400_000),
    ("gpt-4.1", 1_000_000),
    ("gpt-4o", 128_000),
    ("gpt-4-turbo", 128_000),
    ("gpt-4", 8_192),
    ("gpt-3.5", 16_385),
    ("o1", 200_000),
    ("o3", 200_000),
    ("o4", 200_000),
    ("gemini", 1_000_000),
    ("grok-4", 256_000),
    ("deepseek", 128_000),
    ("qwen3", 128_000),
    ("gemma-2", 8_192),
    ("smollm2", 8_192),
];

/// Returns the approximate number of tokens of this number of characters.
pub fn tokens(chars: usize) -> usize {
    chars.div_ceil(CHARS_PER_TOKEN)
}

/// Returns the approximate number of characters of this number of tokens.
pub fn chars(tokens: usize) -> usize {
    tokens.saturating_mul(CHARS_PER_TOKEN)
}

/// Returns the context of a model in tokens; `default` for one that is not known.
pub fn context_tokens(model: &str, default: usize) -> usize {
    let name = model
        .rsplit('/')
        .next()
        .unwrap_or(model)
        .to_ascii_lowercase();
    let known = CONTEXTS.iter().find(|(start, _)| name.starts_with(start));
    known.map_or(default, |(_, tokens)| *tokens)
}

/// Returns the tokens that are left for the conversation: the context without the output, instructions and tools of so many
/// characters, and a tenth for the error of the estimate.
pub fn room(context: usize, output: usize, other_chars: usize) -> usize {
    let output = output.min(context / 2);
    (context - context / 10).saturating_sub(output + tokens(other_chars))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn context_is_that_of_the_longest_known_name() {
        for (model, expected) in [
            ("anthropic/claude-opus-4.5", 200_000),
            ("gpt-4.1-mini", 1_000_000),
            ("GPT-4", 8_192),
            ("SmolLM2-135M-Instruct", 8_192),
            ("mine", 5),
        ] {
            assert_eq!(context_tokens(model, 5), expected, "{model}");
        }
    }

    #[test]
    fn room_is_never_negative() {
        assert_eq!(room(100_000, 8_000, 4_000), 81_000);
        assert_eq!(room(1_000, 8_000, 0), 400);
        assert_eq!(room(1_000, 8_000, 1_000_000), 0);
    }
}
