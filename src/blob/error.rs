//! Errors of Vercel Blob, and their diagnosis for operators.

use std::time::Duration;

use reqwest::StatusCode;

use crate::util::diagnosis::Diagnosis;
use crate::util::http_client::causes;

/// An error of a call to Blob. A missing blob is not an error: the client returns `None` for it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Neither `BLOB_READ_WRITE_TOKEN` nor an OIDC token with `BLOB_STORE_ID` is set.
    #[error("BLOB_READ_WRITE_TOKEN is not set")]
    NotConfigured,
    /// The service is unreachable, or the connection broke.
    #[error("Blob: {}", causes(.0))]
    Transport(#[source] reqwest::Error),
    /// The service did not respond in time.
    #[error("Blob: timeout")]
    Timeout,
    /// The service responded with an error.
    #[error("Blob: {status} {code}: {message}")]
    ErrorResponse {
        /// The HTTP status.
        status: StatusCode,
        /// The error code, such as `forbidden`; empty if the response is not an error of the Blob API.
        code: String,
        /// The error message.
        message: String,
    },
    /// The response does not follow the protocol.
    #[error("Blob: {0}")]
    Unreadable(String),
    /// The response is larger than this limit, in bytes.
    #[error("Blob: the response is larger than {0} bytes")]
    TooLarge(usize),
    /// The streamed body ended early, so nothing is stored.
    #[error("the body ended early")]
    IncompleteBody(#[source] BoxError),
}

/// An error of a streamed body.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The result of a call to Blob.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// Returns whether the blob does not exist. A missing store has another code.
    pub(super) fn is_not_found(&self) -> bool {
        matches!(self, Self::ErrorResponse { code, .. } if code == "not_found")
    }

    /// Returns whether a precondition failed.
    pub(super) fn is_precondition_failure(&self) -> bool {
        matches!(self, Self::ErrorResponse { status, code, .. }
            if code == "precondition_failed" || *status == StatusCode::PRECONDITION_FAILED)
    }

    /// Returns whether Blob rejected the request as malformed.
    pub(crate) fn is_bad_request(&self) -> bool {
        matches!(self, Self::ErrorResponse { status, .. } if *status == StatusCode::BAD_REQUEST)
    }

    /// Returns whether a call without overwriting found an existing blob.
    pub(super) fn is_conflict(&self) -> bool {
        matches!(self, Self::ErrorResponse { message, .. } if message.contains("already exists"))
    }

    /// Returns whether the call certainly had no effect.
    pub(super) fn had_no_effect(&self) -> bool {
        match self {
            Self::Transport(error) => error.is_connect(),
            Self::ErrorResponse { status, .. } => *status == StatusCode::TOO_MANY_REQUESTS,
            Self::NotConfigured
            | Self::Timeout
            | Self::Unreadable(_)
            | Self::TooLarge(_)
            | Self::IncompleteBody(_) => false,
        }
    }

    /// Returns whether a retry may succeed.
    pub(super) fn is_transient(&self) -> bool {
        match self {
            // An error in building the request is permanent.
            Self::Transport(error) => !error.is_builder(),
            Self::Timeout | Self::Unreadable(_) => true,
            // A response without an error code comes from an intermediary.
            Self::ErrorResponse { status, code, .. } => {
                status.is_server_error()
                    || *status == StatusCode::TOO_MANY_REQUESTS
                    || code.is_empty()
            }
            Self::NotConfigured | Self::TooLarge(_) | Self::IncompleteBody(_) => false,
        }
    }
}

/// A failed attempt of a call.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) error: Error,
    /// The `Retry-After` of the response.
    pub(super) retry_after: Option<Duration>,
}

impl<E: Into<Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self {
            error: error.into(),
            retry_after: None,
        }
    }
}

impl From<reqwest::Error> for Error {
    fn from(error: reqwest::Error) -> Self {
        if error.is_timeout() && !error.is_connect() {
            return Self::Timeout;
        }
        // The URL contains the pathname of a caller's file, which must not be logged.
        Self::Transport(error.without_url())
    }
}

impl From<Error> for Diagnosis {
    fn from(error: Error) -> Self {
        diagnose(&error)
    }
}

/// Returns the cause of an error and its remedy, for the operator.
pub fn diagnose(error: &Error) -> Diagnosis {
    let remedy = match error {
        Error::NotConfigured => {
            "set BLOB_READ_WRITE_TOKEN to the token of a Blob store, or connect one to the Vercel project"
        }
        Error::Transport(error) if causes(error).contains("certificate") => {
            "check the certificate at VERCEL_BLOB_API_URL: a public authority must have signed it"
        }
        Error::Transport(_) => "check VERCEL_BLOB_API_URL and BLOB_CONTENT_URL, and the network",
        Error::Timeout => "try again; if the error persists, see vercel-status.com",
        Error::Unreadable(_) => {
            "check VERCEL_BLOB_API_URL and BLOB_CONTENT_URL: the server there is not a Blob store"
        }
        Error::TooLarge(_) => "inspect the blob: this service did not write it",
        Error::IncompleteBody(_) => "send the whole body",
        Error::ErrorResponse { code, message, .. } => match code.as_str() {
            _ if message.contains("access") && !message.contains("Access denied") => {
                "set BLOB_ACCESS to the access of the store: private or public"
            }
            "forbidden" | "oidc_environment_not_allowed" | "client_token_not_allowed" => {
                "copy the token of this environment from the store's page again; with OIDC, allow this environment \
                 there and check BLOB_STORE_ID"
            }
            "store_suspended" => {
                "the store is suspended: see its page on Vercel; the quota of its plan may be used up"
            }
            "store_not_found" => "the store was deleted: connect another one",
            "rate_limited" => "wait: the store receives more requests than its plan allows",
            _ => "try again; if the error persists, see vercel-status.com",
        },
    };
    Diagnosis {
        cause: error.to_string(),
        remedy,
    }
}
