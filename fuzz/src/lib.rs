//! Helpers of the fuzz targets.

pub mod api;
pub mod redis;
pub mod tree;

/// Splits an input at its last NUL, which neither JSON nor a document contains.
pub fn halves(input: &[u8]) -> Option<(&[u8], &[u8])> {
    let index = input.iter().rposition(|byte| *byte == 0)?;
    Some((&input[..index], &input[index + 1..]))
}
