//! Credentials for a store: its read-write token, or the OIDC token of the deployment.

use super::BlobConfig;
use crate::util::secret::Secret;

/// The prefix of read-write tokens.
const READ_WRITE_PREFIX: &str = "vercel_blob_rw_";

/// A bearer token and the id of its store.
#[derive(Clone, Debug)]
pub(super) struct Credentials {
    pub(super) token: Secret,
    pub(super) store_id: String,
}

impl Credentials {
    /// Chooses as the official client does: an OIDC token if the store id is configured, preferably the token of the
    /// request; otherwise the read-write token.
    pub(super) fn choose(config: &BlobConfig, request_token: Option<&Secret>) -> Option<Self> {
        let oidc = request_token.or(config.oidc_token.as_ref());
        if let (Some(store_id), Some(token)) = (&config.store_id, oidc) {
            let store_id = store_id
                .strip_prefix("store_")
                .unwrap_or(store_id)
                .to_owned();
            return Some(Self {
                token: token.clone(),
                store_id,
            });
        }
        let token = config.read_write_token.clone()?;
        let store_id = store_id(token.reveal()).unwrap_or_default().to_owned();
        Some(Self { token, store_id })
    }
}

/// Returns the store id in a read-write token, `vercel_blob_rw_{store id}_{secret}`.
pub fn store_id(token: &str) -> Option<&str> {
    let (store_id, secret) = token.strip_prefix(READ_WRITE_PREFIX)?.split_once('_')?;
    (!store_id.is_empty() && !secret.is_empty()).then_some(store_id)
}

/// Returns a read-write token without its secret; `None` if it is malformed.
pub fn redacted_token(token: &str) -> Option<String> {
    store_id(token).map(|store_id| format!("{READ_WRITE_PREFIX}{store_id}_***"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(read_write: Option<&str>, store_id: Option<&str>, oidc: Option<&str>) -> BlobConfig {
        let secret = |text: &str| Secret::new(text.to_owned());
        BlobConfig {
            read_write_token: read_write.map(secret),
            store_id: store_id.map(ToOwned::to_owned),
            oidc_token: oidc.map(secret),
            ..BlobConfig::default()
        }
    }

    #[track_caller]
    fn check(config: &BlobConfig, request_token: Option<&str>, expected: Option<(&str, &str)>) {
        let request_token = request_token.map(|token| Secret::new(token.to_owned()));
        let chosen = Credentials::choose(config, request_token.as_ref());
        let chosen = chosen
            .as_ref()
            .map(|chosen| (chosen.token.reveal(), chosen.store_id.as_str()));
        assert_eq!(chosen, expected);
    }

    #[test]
    fn oidc_token_is_used_if_the_store_id_is_configured() {
        let token = "vercel_blob_rw_Abc_x_y";
        check(&config(None, None, None), None, None);
        check(&config(Some(token), None, None), None, Some((token, "Abc")));
        check(
            &config(Some(token), None, Some("env")),
            Some("request"),
            Some((token, "Abc")),
        );
        check(
            &config(Some(token), Some("store_Def"), None),
            None,
            Some((token, "Abc")),
        );
        check(
            &config(Some(token), Some("store_Def"), Some("env")),
            None,
            Some(("env", "Def")),
        );
        check(
            &config(None, Some("Def"), Some("env")),
            Some("request"),
            Some(("request", "Def")),
        );
    }

    #[test]
    fn redacted_token_contains_no_secret() {
        let check = |token, shown| assert_eq!(redacted_token(token).as_deref(), shown, "{token}");
        check("vercel_blob_rw_abc_hidden", Some("vercel_blob_rw_abc_***"));
        check("vercel_blob_rw_abc_hid_den", Some("vercel_blob_rw_abc_***"));
        for token in [
            "",
            "hidden",
            "vercel_blob_rw_",
            "vercel_blob_rw_hidden",
            "vercel_blob_rw__x",
        ] {
            check(token, None);
        }
    }
}
