//! A redis-server that accepts only TLS, with a certificate of a test authority.

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use tempfile::TempDir;

use super::{Redis, ReservedPort};

/// A running redis-server behind TLS. The test itself uses the unix socket.
#[derive(Debug)]
pub struct TlsRedis {
    pub redis: Redis,
    pub port: ReservedPort,
    /// The authority's certificate as PEM.
    pub authority: String,
    _certificates: TempDir,
}

impl TlsRedis {
    /// Starts a server with a certificate for 127.0.0.1.
    pub async fn start() -> Self {
        Self::start_for("127.0.0.1").await
    }

    /// Starts a server with a certificate for `host`.
    pub async fn start_for(host: &str) -> Self {
        let authority_key = KeyPair::generate().unwrap();
        let mut parameters = CertificateParams::default();
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = parameters.self_signed(&authority_key).unwrap().pem();
        let issuer = Issuer::new(parameters, authority_key);
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new([host.to_owned()])
            .unwrap()
            .signed_by(&key, &issuer)
            .unwrap();

        let certificates = TempDir::new().unwrap();
        let write = |name: &str, text: String| {
            let path = certificates.path().join(name);
            std::fs::write(&path, text).unwrap();
            path.to_str().unwrap().to_owned()
        };
        let certificate_file = write("server.pem", certificate.pem());
        let key_file = write("server.key", key.serialize_pem());
        let port = ReservedPort::new();
        let redis = Redis::start_with(&[
            "--tls-port",
            &port.to_string(),
            "--tls-cert-file",
            &certificate_file,
            "--tls-key-file",
            &key_file,
            "--tls-auth-clients",
            "no",
        ])
        .await;
        Self {
            redis,
            port,
            authority,
            _certificates: certificates,
        }
    }

    pub fn url(&self) -> String {
        format!("rediss://127.0.0.1:{}", self.port)
    }
}
