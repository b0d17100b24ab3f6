//! The check of `llmos doctor` for the signing keys at `AUTH_JWKS_URL`.

use llmos::auth::Authenticator;
use llmos::config::Config;
use llmos::local::report::Report;

/// Fetches the keys. Prints nothing if no URL is configured.
pub(super) async fn check(config: &Config, report: &mut Report) {
    let authenticator = Authenticator::new(&config.access.auth);
    let Some(probed) = authenticator.probe_keys().await else {
        return;
    };
    let count = probed.map(|keys| match keys {
        1 => "1 signing key".to_owned(),
        keys => format!("{keys} signing keys"),
    });
    report.outcome("AUTH_JWKS_URL", count);
}
