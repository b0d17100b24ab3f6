//! Errors of `REDIS_URL`: the cause and the remedy, without any part of the value.

/// The remedy for a URL whose parts cannot be recognized.
pub(in crate::store) const MALFORMED_REMEDY: &str = "use redis://[user:password@]host[:port][/database], rediss:// for TLS, or \
                                           redis+unix:///path; for a Redis Cluster list several hosts with commas or \
                                           add ?cluster=true; percent-encode special characters in the password (/ as \
                                           %2F, ? as %3F, # as %23, @ as %40)";

/// The quotation marks that are copied with a URL.
const QUOTES: [char; 7] = ['"', '\'', '`', '“', '”', '‘', '’'];

/// A `REDIS_URL` that cannot be used. The text contains no part of a password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{problem}: {remedy}")]
pub struct UrlError {
    /// The cause, in a sentence about the URL ("it is …").
    pub problem: String,
    /// The action that resolves it.
    pub remedy: &'static str,
}

impl UrlError {
    pub(super) fn new(problem: String, remedy: &'static str) -> Self {
        Self { problem, remedy }
    }
}

/// Rejects texts that people paste in place of a URL.
pub(super) fn reject_other_forms(text: &str) -> Result<(), UrlError> {
    let lower = text.to_ascii_lowercase();
    let (problem, remedy) = if text.starts_with(QUOTES) || text.ends_with(QUOTES) {
        ("it is in quotes", "remove the quotes around the URL")
    } else if lower.starts_with("redis-cli") || lower.starts_with("valkey-cli") {
        (
            "it is a command",
            "use only the URL after -u; with --tls in the command, write rediss:// in place of redis://",
        )
    } else if lower.starts_with("redis_url") || lower.starts_with("export ") {
        (
            "it contains the name of the variable",
            "use only the URL, which starts with redis:// or rediss://",
        )
    } else if lower.starts_with("http://") || lower.starts_with("https://") {
        (
            "it is the address of an HTTP API",
            "copy the address for Redis clients from the provider, rediss://…, not that of its REST API",
        )
    } else if !lower.contains("://") {
        (
            "it has no scheme",
            "write redis:// in front of the host, or rediss:// for TLS",
        )
    } else {
        return Ok(());
    };
    Err(UrlError::new(problem.to_owned(), remedy))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pasted_forms_have_their_own_cause_and_remedy() {
        for (text, problem, remedy) in [
            (
                "\"redis://:hidden@h\"",
                "it is in quotes",
                "remove the quotes",
            ),
            (
                "'rediss://:hidden@h'",
                "it is in quotes",
                "remove the quotes",
            ),
            ("“redis://h”", "it is in quotes", "remove the quotes"),
            ("redis://h\"", "it is in quotes", "remove the quotes"),
            (
                "redis-cli -u redis://:hidden@h",
                "it is a command",
                "after -u",
            ),
            (
                "redis-cli --tls -u redis://:hidden@h",
                "it is a command",
                "rediss://",
            ),
            (
                "REDIS_URL=redis://h",
                "it contains the name",
                "only the URL",
            ),
            (
                "export REDIS_URL=redis://h",
                "it contains the name",
                "only the URL",
            ),
            (
                "https://hidden.upstash.io",
                "it is the address of an HTTP API",
                "rediss://",
            ),
            (
                "http://:hidden@h",
                "it is the address of an HTTP API",
                "rediss://",
            ),
            ("hidden.example:6379", "it has no scheme", "redis://"),
            (":hidden@h", "it has no scheme", "redis://"),
            ("redis:/hidden", "it has no scheme", "redis://"),
            ("hidden", "it has no scheme", "redis://"),
            ("", "it has no scheme", "redis://"),
        ] {
            let error = reject_other_forms(text).expect_err(text);
            assert!(error.problem.starts_with(problem), "{text}: {error}");
            assert!(error.remedy.contains(remedy), "{text}: {error}");
            assert!(!error.to_string().contains("hidden"), "{text}: {error}");
        }
        for text in ["redis://h", "REDISS://'@h", "unix:///r", "other://h"] {
            assert_eq!(reject_other_forms(text), Ok(()), "{text}");
        }
    }
}
