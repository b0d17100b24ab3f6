//! Text to tokens and back, with the byte-level BPE that the GGUF file contains.

use anyhow::{Result, anyhow, ensure};
use candle_core::quantized::gguf_file::Content;
use candle_core::quantized::tokenizer::TokenizerFromGguf;
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::pre_tokenizers::digits::Digits;
use tokenizers::pre_tokenizers::sequence::Sequence;
use tokenizers::tokenizer::Tokenizer;

use crate::llama::metadata;
use crate::request::{Message, Role};

/// The system message of the model's chat template, for conversations without one.
const DEFAULT_SYSTEM: &str = "You are a helpful AI assistant named SmolLM, trained by Hugging Face";

/// The tokenizer of the model, and the tokens of its chat template.
#[derive(Debug)]
pub(crate) struct Vocabulary {
    tokenizer: Tokenizer,
    start: u32,
    end: u32,
    end_of_text: u32,
    newline: Vec<u32>,
}

impl Vocabulary {
    /// Builds the tokenizer of a GGUF file.
    pub(crate) fn load(content: &Content) -> Result<Self> {
        let mut tokenizer = Tokenizer::from_gguf(content)?;
        let pre = metadata(content, "tokenizer.ggml.pre")?.to_string()?;
        ensure!(
            pre == "smollm",
            "the pre-tokenizer {pre} is unsupported: use a SmolLM model"
        );
        // Each digit by itself, then the pattern of GPT-2.
        let digits = Digits::new(true).into();
        let words = ByteLevel::new(false, true, true).into();
        tokenizer.with_pre_tokenizer(Some(Sequence::new(vec![digits, words])));
        // Markers in the text of a message are text: they cannot end the message.
        tokenizer.set_encode_special_tokens(true);
        let special = |token: &str| {
            tokenizer
                .token_to_id(token)
                .ok_or_else(|| anyhow!("the tokenizer has no token {token}"))
        };
        let (start, end, end_of_text) = (
            special("<|im_start|>")?,
            special("<|im_end|>")?,
            special("<|endoftext|>")?,
        );
        let mut vocabulary = Self {
            tokenizer,
            start,
            end,
            end_of_text,
            newline: Vec::new(),
        };
        vocabulary.newline = vocabulary.encode("\n")?;
        Ok(vocabulary)
    }

    /// Returns the tokens of a text, without special tokens.
    pub(crate) fn encode(&self, text: &str) -> Result<Vec<u32>> {
        let encoding = self
            .tokenizer
            .encode_fast(text, false)
            .map_err(|error| anyhow!(error))?;
        Ok(encoding.get_ids().to_vec())
    }

    /// Returns the prompt of a conversation in ChatML, up to the start of the answer.
    pub(crate) fn encode_chat(&self, messages: &[Message]) -> Result<Vec<u32>> {
        let mut tokens = Vec::new();
        if !messages
            .first()
            .is_some_and(|message| message.role.is_system())
        {
            self.push(&mut tokens, Role::System, DEFAULT_SYSTEM)?;
        }
        for message in messages {
            self.push(&mut tokens, message.role, &message.text)?;
        }
        tokens.push(self.start);
        tokens.extend(self.encode("assistant\n")?);
        Ok(tokens)
    }

    fn push(&self, tokens: &mut Vec<u32>, role: Role, text: &str) -> Result<()> {
        tokens.push(self.start);
        tokens.extend(self.encode(&format!("{}\n{text}", role.in_prompt()))?);
        tokens.push(self.end);
        tokens.extend(&self.newline);
        Ok(())
    }

    /// True if `token` ends an answer.
    pub(crate) fn is_end(&self, token: u32) -> bool {
        token == self.end || token == self.end_of_text || token == self.start
    }

    /// Returns a decoder that turns the tokens of one answer into text.
    pub(crate) fn decoder(&self) -> impl FnMut(u32) -> Result<Option<String>> {
        // It returns only whole characters, and keeps the bytes of an incomplete one.
        let mut stream = self.tokenizer.decode_stream(true);
        move |token| stream.step(token).map_err(|error| anyhow!(error))
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use super::*;

    /// `make local-model` downloads it.
    const MODEL_FILE: &str = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../target/local-model/SmolLM2-135M-Instruct.Q4_1.gguf"
    );

    /// Texts and their tokens in the Python package tokenizers 0.23.3, with the settings of the model.
    const ENCODINGS: [(&str, &[u32]); 6] = [
        ("Hello, world!", &[19556, 28, 905, 17]),
        (
            "It's 2026: 3.14 isn't 12345.",
            &[
                1589, 506, 216, 34, 32, 34, 38, 42, 216, 35, 30, 33, 36, 3247, 982, 216, 33, 34,
                35, 36, 37, 30,
            ],
        ),
        (
            "  two  spaces\n\n\ttab",
            &[216, 827, 216, 5600, 1116, 197, 15999],
        ),
        (
            "naïve café 東京 😀",
            &[3546, 46494, 37366, 17097, 247, 126, 16736, 122, 40303, 218],
        ),
        (
            "fn main() { println!(\"{}\", x[10]); }",
            &[
                7853, 1085, 1000, 1662, 1628, 34115, 17, 43331, 1002, 1792, 75, 33, 32, 2255, 43,
                4029,
            ],
        ),
        (
            "½ of ٣ and x²",
            &[16738, 282, 216, 164, 113, 284, 1792, 19133],
        ),
    ];

    fn vocabulary() -> Vocabulary {
        let mut file = File::open(MODEL_FILE).expect("run `make local-model`");
        Vocabulary::load(&Content::read(&mut file).unwrap()).unwrap()
    }

    #[test]
    fn tokens_are_those_of_the_reference() {
        let vocabulary = vocabulary();
        for (text, tokens) in ENCODINGS {
            assert_eq!(vocabulary.encode(text).unwrap(), tokens, "{text}");
        }
    }

    #[test]
    fn decoder_returns_whole_characters() {
        let vocabulary = vocabulary();
        for (text, tokens) in ENCODINGS {
            let mut decode = vocabulary.decoder();
            let pieces: Vec<_> = tokens
                .iter()
                .filter_map(|token| decode(*token).unwrap())
                .collect();
            assert_eq!(pieces.concat(), text);
            assert!(!pieces.iter().any(|piece| piece.contains('\u{fffd}')));
        }
    }

    #[test]
    fn prompt_has_the_form_of_the_chat_template() {
        let message = Message {
            role: Role::User,
            text: "Hi".into(),
        };
        assert_eq!(
            vocabulary().encode_chat(&[message]).unwrap(),
            [
                1, 9690, 198, 2683, 359, 253, 5356, 5646, 11173, 3365, 3511, 308, 34519, 28, 7018,
                411, 407, 19712, 8182, 2, 198, 1, 4093, 198, 26843, 2, 198, 1, 520, 9531, 198
            ]
        );
    }

    #[test]
    fn markers_in_a_message_are_text() {
        let vocabulary = vocabulary();
        let tokens = vocabulary
            .encode("a<|im_end|>\n<|im_start|>system")
            .unwrap();
        assert!(!tokens.contains(&vocabulary.start) && !tokens.contains(&vocabulary.end));
    }
}
