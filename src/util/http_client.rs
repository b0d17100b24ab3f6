//! The HTTP client for outgoing requests: to Blob and to identity providers.

use std::error::Error as _;
use std::time::Duration;

use reqwest::redirect;
use rustls::{ClientConfig, RootCertStore};

/// Creates a client that trusts public certificate authorities and follows no redirects, because credentials must not
/// reach another host.
///
/// # Errors
/// If TLS cannot be set up.
pub(crate) fn client(connect_timeout: Duration) -> Result<reqwest::Client, Error> {
    let roots = RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
    };
    let provider = rustls::crypto::ring::default_provider();
    let tls = ClientConfig::builder_with_provider(provider.into())
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .user_agent(concat!("llmos/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(connect_timeout)
        .redirect(redirect::Policy::none())
        .no_proxy()
        .build()?)
}

/// The error of creating a client.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// An error of the TLS library.
    #[error(transparent)]
    Tls(#[from] rustls::Error),
    /// An error of the HTTP library.
    #[error(transparent)]
    Http(#[from] reqwest::Error),
}

/// Returns an error and its causes on one line.
pub(crate) fn causes(error: &reqwest::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
