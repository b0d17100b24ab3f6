//! The HTTP client for requests of our own: to Blob, and to where an identity provider publishes its keys.

use std::time::Duration;

use reqwest::redirect;
use rustls::{ClientConfig, RootCertStore};

/// A client that trusts the public authorities, and follows no redirects: whoever answers otherwise is not the
/// one that was meant.
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

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The TLS library refuses.
    #[error(transparent)]
    Tls(#[from] rustls::Error),
    /// The HTTP library refuses.
    #[error(transparent)]
    Http(#[from] reqwest::Error),
}
