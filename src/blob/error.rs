//! Why Blob could not do what it was asked.

use std::error::Error as _;

use reqwest::StatusCode;

use crate::util::diagnosis::Diagnosis;

/// A failure below HTTP. That something is not there is none: the client answers `None` for it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Neither `BLOB_READ_WRITE_TOKEN` nor an OIDC token with `BLOB_STORE_ID` is there.
    #[error("BLOB_READ_WRITE_TOKEN is not set")]
    NotConfigured,
    /// The service cannot be reached, or the connection broke.
    #[error("Blob: {}", causes(.0))]
    Transport(#[source] reqwest::Error),
    /// The service did not answer in time.
    #[error("Blob: no answer in time")]
    Timeout,
    /// The service refused, and this is what it said.
    #[error("Blob: {status} {code}: {message}")]
    Refused {
        /// The status of its answer.
        status: StatusCode,
        /// Its code, such as `forbidden`; empty where the answer was not in the form of its errors.
        code: String,
        /// Its words.
        message: String,
    },
    /// What answered does not speak the protocol.
    #[error("Blob: {0}")]
    Unreadable(String),
    /// There is more than is read. The number is how many bytes are.
    #[error("Blob: an answer of more than {0} bytes")]
    TooLarge(usize),
    /// The body that was to be stored broke off, so nothing is stored.
    #[error("the body broke off")]
    BodyBroke(#[source] axum::Error),
}

/// The result of a call to Blob.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// Whether there is no such blob. A store that is not there is another matter.
    pub(super) fn is_not_found(&self) -> bool {
        matches!(self, Self::Refused { code, .. } if code == "not_found")
    }

    /// Whether the blob is not in the state that the call was meant for.
    pub(super) fn is_precondition_failure(&self) -> bool {
        matches!(self, Self::Refused { status, code, .. }
            if code == "precondition_failed" || *status == StatusCode::PRECONDITION_FAILED)
    }

    /// Returns whether Blob rejected the request as malformed.
    pub(crate) fn is_bad_request(&self) -> bool {
        matches!(self, Self::Refused { status, .. } if *status == StatusCode::BAD_REQUEST)
    }

    /// Whether a call that was not to overwrite found something there.
    pub(super) fn is_conflict(&self) -> bool {
        matches!(self, Self::Refused { message, .. } if message.contains("already exists"))
    }

    /// Whether the call certainly did nothing.
    pub(super) fn never_arrived(&self) -> bool {
        match self {
            Self::Transport(error) => error.is_connect(),
            Self::Refused { status, .. } => *status == StatusCode::TOO_MANY_REQUESTS,
            Self::NotConfigured
            | Self::Timeout
            | Self::Unreadable(_)
            | Self::TooLarge(_)
            | Self::BodyBroke(_) => false,
        }
    }

    /// Whether the same call may well succeed in a moment.
    pub(super) fn is_transient(&self) -> bool {
        match self {
            // A request that cannot even be built is not built the next time.
            Self::Transport(error) => !error.is_builder(),
            Self::Timeout | Self::Unreadable(_) => true,
            // What is not in the form of an error comes from something in between.
            Self::Refused { status, code, .. } => {
                status.is_server_error()
                    || *status == StatusCode::TOO_MANY_REQUESTS
                    || code.is_empty()
            }
            Self::NotConfigured | Self::TooLarge(_) | Self::BodyBroke(_) => false,
        }
    }
}

impl From<reqwest::Error> for Error {
    fn from(error: reqwest::Error) -> Self {
        if error.is_timeout() && !error.is_connect() {
            return Self::Timeout;
        }
        // The address of a content is the pathname of a caller's file: not for the log.
        Self::Transport(error.without_url())
    }
}

impl From<Error> for Diagnosis {
    fn from(error: Error) -> Self {
        diagnose(&error)
    }
}

/// An error with what caused it, on one line.
fn causes(error: &reqwest::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

/// Explains a failure to the person who runs the deployment.
pub fn diagnose(error: &Error) -> Diagnosis {
    let remedy = match error {
        Error::NotConfigured => {
            "set BLOB_READ_WRITE_TOKEN to the token of a Blob store, or connect one to the Vercel project"
        }
        Error::Transport(error) if causes(error).contains("certificate") => {
            "check the certificate behind VERCEL_BLOB_API_URL: it must be signed by a public authority"
        }
        Error::Transport(_) => "check VERCEL_BLOB_API_URL and BLOB_CONTENT_URL, and the network",
        Error::Timeout => "try again; if it stays so, see vercel-status.com",
        Error::Unreadable(_) => {
            "check VERCEL_BLOB_API_URL and BLOB_CONTENT_URL: what answers there is not a Blob store"
        }
        Error::TooLarge(_) => "look at the blob: it was not written by this service",
        Error::BodyBroke(_) => "send the whole body",
        Error::Refused { code, message, .. } => match code.as_str() {
            _ if message.contains("access") && !message.contains("Access denied") => {
                "set BLOB_ACCESS to what the store is: private or public"
            }
            "forbidden" | "oidc_environment_not_allowed" | "client_token_not_allowed" => {
                "copy the token again from the store's page, for this environment; with OIDC, allow this \
                 environment there and check BLOB_STORE_ID"
            }
            "store_suspended" => {
                "the store is suspended: see its page on Vercel, its plan may be used up"
            }
            "store_not_found" => "the store does not exist any more: connect another one",
            "rate_limited" => "wait: the store gets more requests than its plan allows",
            _ => "try again; if it stays so, see vercel-status.com",
        },
    };
    Diagnosis {
        cause: error.to_string(),
        remedy,
    }
}
