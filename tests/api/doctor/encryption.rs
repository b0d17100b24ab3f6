//! Reports of the doctor about TLS: missing, unexpected, or untrusted.

use super::{doctor, doctor_with};
use crate::support::{Redis, ReservedPort, TlsRedis};

#[tokio::test]
async fn doctor_reports_a_tls_mismatch_in_both_directions() {
    let port = ReservedPort::new();
    let _redis = Redis::start_with(&["--port", &port.to_string()]).await;
    let run = doctor(&format!("rediss://127.0.0.1:{port}")).await;
    run.assert_cannot_connect(
        "no reply in time over TLS: ",
        "use redis:// there instead of rediss://",
    );

    let server = TlsRedis::start().await;
    let run = doctor(&server.url().replace("rediss", "redis")).await;
    run.assert_cannot_connect(
        "the server closed the connection",
        "use rediss:// instead of redis://",
    );
}

#[tokio::test]
async fn doctor_reports_an_untrusted_or_mismatched_certificate() {
    let server = TlsRedis::start().await;
    let run = doctor(&server.url()).await;
    run.assert_cannot_connect(
        "not signed by a trusted authority: invalid peer certificate: UnknownIssuer",
        "REDIS_CA_CERT",
    );

    let authority = server.authority.replace('\n', "\\n");
    let run = doctor_with(
        &[("REDIS_URL", &server.url()), ("REDIS_CA_CERT", &authority)],
        "",
    )
    .await;
    assert!(
        run.from('✓', "TLS")[0]
            .contains("on, trusting REDIS_CA_CERT only; certificate and host name are checked")
    );
    assert_eq!(run.code, Some(0), "{}", run.output);

    let other = TlsRedis::start_for("other.example").await;
    let run = doctor_with(
        &[
            ("REDIS_URL", &other.url()),
            ("REDIS_CA_CERT", &other.authority),
        ],
        "",
    )
    .await;
    run.assert_cannot_connect(
        "server is invalid: invalid peer certificate: certificate not valid for name",
        "host name",
    );
}

#[tokio::test]
async fn doctor_reports_an_invalid_ca_certificate_and_ignores_an_unneeded_one() {
    let server = TlsRedis::start().await;
    let nonsense = "-----BEGIN CERTIFICATE-----\nbm9uZQ==\n-----END CERTIFICATE-----";
    let run = doctor_with(
        &[("REDIS_URL", &server.url()), ("REDIS_CA_CERT", nonsense)],
        "",
    )
    .await;
    run.assert_cannot_connect("REDIS_CA_CERT is not a PEM certificate", "PEM text");

    let plain = Redis::start().await;
    let environment = [("REDIS_URL", &*plain.url()), ("REDIS_CA_CERT", nonsense)];
    let run = doctor_with(&environment, "").await;
    assert_eq!(run.code, Some(0), "{}", run.output);
}

#[tokio::test]
async fn doctor_warns_about_a_remote_redis_without_tls() {
    let port = ReservedPort::new();
    let _redis = Redis::start_with(&["--port", &port.to_string()]).await;
    // The system resolves this to 127.0.0.1; the service treats it as a host name.
    let run = doctor(&format!("redis://127.1:{port}")).await;
    assert!(
        run.from('!', "TLS")[1].contains("use rediss://"),
        "{}",
        run.output
    );
    assert_eq!((run.code, run.count('!')), (Some(0), 1), "{}", run.output);
}
