//! What several targets share.

pub mod api;
pub mod redis;
pub mod tree;

/// The two halves of an input, which a NUL parts: neither JSON nor a document may hold one.
pub fn halves(input: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = input.iter().rposition(|byte| *byte == 0)?;
    Some((&input[..at], &input[at + 1..]))
}
