//! What is wrong with a part of the service, and what mends it, in plain words.

/// For the person who runs the deployment.
#[derive(Debug, PartialEq, Eq)]
pub struct Diagnosis {
    /// What happened.
    pub cause: String,
    /// What to do.
    pub remedy: &'static str,
}
