//! Explanations of failures for operators.

/// The cause and the remedy of a failure.
#[derive(Debug, PartialEq, Eq)]
pub struct Diagnosis {
    /// The failure.
    pub cause: String,
    /// The action that resolves it.
    pub remedy: &'static str,
}
