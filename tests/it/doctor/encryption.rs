//! TLS: missing, misdirected, or not trusted.

use super::{doctor, doctor_with};
use crate::support::{Redis, TlsRedis, free_port};

#[tokio::test]
async fn tls_where_there_is_none_and_none_where_there_is_tls_are_said() {
    let port = free_port();
    let _redis = Redis::start_with(&["--port", &port.to_string()]).await;
    let run = doctor(&format!("rediss://127.0.0.1:{port}")).await;
    run.assert_cannot_connect(
        "no reply in time",
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
async fn a_certificate_that_is_not_trusted_or_does_not_fit_is_said() {
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
    assert!(run.from('✓', "TLS")[0].contains("on, trusting REDIS_CA_CERT only"));
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
async fn a_ca_certificate_that_is_none_is_said_and_one_that_is_not_needed_is_not_used() {
    let server = TlsRedis::start().await;
    let nonsense = "-----BEGIN CERTIFICATE-----\nbm9uZQ==\n-----END CERTIFICATE-----";
    let run = doctor_with(
        &[("REDIS_URL", &server.url()), ("REDIS_CA_CERT", nonsense)],
        "",
    )
    .await;
    run.assert_cannot_connect("REDIS_CA_CERT is not a certificate", "PEM");

    let plain = Redis::start().await;
    let environment = [("REDIS_URL", &*plain.url()), ("REDIS_CA_CERT", nonsense)];
    let run = doctor_with(&environment, "").await;
    assert_eq!(run.code, Some(0), "{}", run.output);
}

#[tokio::test]
async fn no_tls_to_another_machine_is_a_warning() {
    let port = free_port();
    let _redis = Redis::start_with(&["--port", &port.to_string()]).await;
    // This is 127.0.0.1 to the system, and a name like any other to us.
    let run = doctor(&format!("redis://127.1:{port}")).await;
    assert!(
        run.from('!', "TLS")[1].contains("use rediss://"),
        "{}",
        run.output
    );
    assert_eq!((run.code, run.count('!')), (Some(0), 1), "{}", run.output);
}
