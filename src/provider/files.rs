//! Files in a conversation: which ones models take.

/// What a model can do with a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FileKind {
    /// An image in a format that all providers read.
    Image,
    /// A PDF document.
    Pdf,
    /// Another file, of which only the name is sent.
    Other,
}

/// Returns the kind of a file.
pub(super) fn kind_of(media_type: &str) -> FileKind {
    match media_type.to_ascii_lowercase().as_str() {
        "image/gif" | "image/jpeg" | "image/png" | "image/webp" => FileKind::Image,
        "application/pdf" => FileKind::Pdf,
        _ => FileKind::Other,
    }
}

/// Returns the text that is sent instead of a file.
pub(super) fn placeholder(media_type: &str, name: Option<&str>) -> String {
    let name = name.unwrap_or("without a name");
    format!("[File: {name} ({media_type}), not readable here]")
}
