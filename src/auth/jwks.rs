//! The JSON Web Key Set of an identity provider (RFC 7517): fetched on demand, cached, and fetched again when a
//! token names an unknown key.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use once_cell::sync::OnceCell;

use super::algorithm::Algorithm;
use super::fetch::{self, FetchError};
use super::jwk::{PublishedKey, parse_set};
use super::signature::VerificationKey;
use crate::util::{http_client, log};

/// The age at which cached keys are fetched again.
const MAX_AGE: Duration = Duration::from_secs(10 * 60);
/// The shortest time between two fetches while keys are cached.
const FETCH_PAUSE: Duration = Duration::from_secs(60);
/// The shortest time between two fetches while no keys are cached.
pub(super) const FIRST_FETCH_PAUSE: Duration = Duration::from_secs(5);
/// The time limit of a fetch.
const FETCH_LIMIT: Duration = Duration::from_secs(3);
/// The time limit of a connection attempt.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// A published key set and its cache.
#[derive(Debug)]
pub(super) struct KeySet {
    url: String,
    http: OnceCell<reqwest::Client>,
    cached: Mutex<CachedKeys>,
    fetching: tokio::sync::Mutex<()>,
}

#[derive(Clone, Debug, Default)]
struct CachedKeys {
    keys: Arc<Vec<PublishedKey>>,
    fetched: Option<DateTime<Utc>>,
    /// The time of the last attempt, successful or not.
    tried: Option<DateTime<Utc>>,
    /// The error of the last attempt.
    failure: Option<FetchError>,
}

impl KeySet {
    /// Creates an empty cache of the set at `url`. Fetches nothing.
    pub(super) fn new(url: String) -> Self {
        Self {
            url,
            http: OnceCell::new(),
            cached: Mutex::default(),
            fetching: tokio::sync::Mutex::default(),
        }
    }

    /// Returns the keys that may have signed a token with this algorithm: the key with this id, or all keys of
    /// the algorithm if the token has no key id. Returns the reason for the caller if no key matches.
    ///
    /// # Errors
    /// The error of the last fetch, if no fetch succeeded so far.
    pub(super) async fn find(
        self: &Arc<Self>,
        algorithm: Algorithm,
        id: Option<&str>,
    ) -> Result<Result<Vec<VerificationKey>, String>, FetchError> {
        let cached = self.cached();
        let found = cached.matching(algorithm, id);
        let now = Utc::now();
        if !cached.needs_fetch(found.is_err(), now) {
            return cached.result(found);
        }
        // A caller whose key is cached does not wait for a fetch that another caller started.
        if found.is_ok() && self.fetching.try_lock().is_err() {
            return Ok(found);
        }
        self.fetch_in_task(cached.tried, now).await;
        let cached = self.cached();
        cached.result(cached.matching(algorithm, id))
    }

    /// Returns the number of usable keys. Fetches them like [`find`](Self::find) if they are due, or if the last fetch
    /// failed.
    ///
    /// # Errors
    /// The error of the last fetch, also while older keys are still valid, or that no key is usable.
    pub(super) async fn probe(self: &Arc<Self>) -> Result<usize, FetchError> {
        let cached = self.cached();
        let now = Utc::now();
        if cached.needs_fetch(cached.failure.is_some(), now) {
            self.fetch_in_task(cached.tried, now).await;
        }
        let cached = self.cached();
        if let Some(failure) = cached.failure {
            return Err(failure);
        }
        let usable = cached.keys.iter().filter(|it| it.key.is_ok()).count();
        if usable > 0 {
            return Ok(usable);
        }
        let unusable = cached.keys.iter().find_map(|it| it.key.as_ref().err());
        Err(FetchError::NoUsableKey(unusable.cloned()))
    }

    /// Fetches the keys in a task of its own, because a caller that hangs up would otherwise cancel the fetch, and each
    /// further caller would start it again.
    async fn fetch_in_task(self: &Arc<Self>, last_try: Option<DateTime<Utc>>, now: DateTime<Utc>) {
        let key_set = self.clone();
        let fetch = async move { key_set.fetch_once(last_try, now).await };
        // The task ends early only if the process ends.
        let _ = tokio::spawn(log::in_current_request(fetch)).await;
    }

    /// Fetches the keys, unless another task did since `last_try`.
    async fn fetch_once(&self, last_try: Option<DateTime<Utc>>, now: DateTime<Utc>) {
        let _fetching = self.fetching.lock().await;
        if self.cached().tried == last_try {
            let fetched = self.fetch().await;
            self.store(fetched, now);
        }
    }

    fn cached(&self) -> CachedKeys {
        let cached = self.cached.lock();
        cached.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Stores the result of a fetch. After a failure, the cached keys stay valid.
    fn store(&self, fetched: Result<Vec<PublishedKey>, FetchError>, now: DateTime<Utc>) {
        let mut cached = self.cached.lock().unwrap_or_else(PoisonError::into_inner);
        cached.tried = Some(now);
        match fetched {
            Ok(keys) => {
                cached.keys = Arc::new(keys);
                cached.fetched = Some(now);
                cached.failure = None;
            }
            Err(failure) => {
                tracing::warn!(
                    auth.jwks.error = %failure,
                    auth.jwks.cached_keys = cached.keys.len(),
                    "the signing keys cannot be fetched"
                );
                cached.failure = Some(failure);
            }
        }
    }

    async fn fetch(&self) -> Result<Vec<PublishedKey>, FetchError> {
        let http = self
            .http
            .get_or_try_init(|| http_client::client(CONNECT_TIMEOUT));
        let http = http.map_err(|error| FetchError::Transport(error.to_string()))?;
        let fetched = tokio::time::timeout(FETCH_LIMIT, fetch::fetch(http, &self.url)).await;
        parse_set(&fetched.map_err(|_| FetchError::Timeout(FETCH_LIMIT))??)
    }
}

impl CachedKeys {
    fn matching(
        &self,
        algorithm: Algorithm,
        id: Option<&str>,
    ) -> Result<Vec<VerificationKey>, String> {
        let mut named = self
            .keys
            .iter()
            .filter(|key| id.is_none() || key.id.as_deref() == id);
        let usable = named.clone().filter_map(|key| key.key.as_ref().ok());
        let keys = usable.filter(|key| key.algorithm() == algorithm);
        let keys: Vec<VerificationKey> = keys.cloned().collect();
        if !keys.is_empty() {
            return Ok(keys);
        }
        let name = algorithm.name();
        let published = named.next_back().map(|published| &published.key);
        Err(match (id, published) {
            (Some(_), Some(Err(reason))) => {
                format!(
                    "unknown signing key: the key with its `kid` cannot be used, because {reason}"
                )
            }
            (Some(_), Some(Ok(key))) => format!(
                "unknown signing key: the key with its `kid` is for {}, and the token is signed with {name}",
                key.algorithm().name()
            ),
            (Some(_), None) => {
                format!(
                    "unknown signing key: no key for {name} with its `kid` is published at AUTH_JWKS_URL"
                )
            }
            (None, _) => {
                format!("unknown signing key: no key for {name} is published at AUTH_JWKS_URL")
            }
        })
    }

    fn needs_fetch(&self, is_key_unknown: bool, now: DateTime<Utc>) -> bool {
        // A time in the future means that the clock was set back, and counts as due.
        let is_due = |since: Option<DateTime<Utc>>, pause| {
            since.is_none_or(|since| (now - since).to_std().map_or(true, |age| age >= pause))
        };
        let pause = match self.fetched {
            Some(_) => FETCH_PAUSE,
            None => FIRST_FETCH_PAUSE,
        };
        (is_key_unknown || is_due(self.fetched, MAX_AGE)) && is_due(self.tried, pause)
    }

    fn result<T>(&self, found: T) -> Result<T, FetchError> {
        match (&self.fetched, &self.failure) {
            (None, Some(failure)) => Err(failure.clone()),
            _ => Ok(found),
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    #[test]
    fn missing_key_is_explained() {
        let x = "A".repeat(43);
        let set = serde_json::json!({"keys": [
            {"kty": "EC", "kid": "ec", "crv": "P-256", "x": x, "y": x},
            {"kty": "OKP", "kid": "ed", "crv": "Ed25519", "x": x, "alg": "Ed25519"},
            {"kty": "RSA", "kid": "rsa", "n": "AQAB", "e": "AQAB", "alg": "RS512"},
            "not an object",
        ]});
        let cached = CachedKeys {
            keys: Arc::new(parse_set(set.to_string().as_bytes()).unwrap()),
            ..CachedKeys::default()
        };
        for (algorithm, id) in [
            (Algorithm::Es256, Some("ec")),
            (Algorithm::Es256, None),
            (Algorithm::Ed25519, Some("ed")),
        ] {
            assert_eq!(cached.matching(algorithm, id).unwrap().len(), 1);
        }
        for (algorithm, id, reason) in [
            (
                Algorithm::Rs256,
                Some("rsa"),
                "the key with its `kid` cannot be used, because its `alg` RS512 is not supported",
            ),
            (
                Algorithm::Es256,
                Some("ed"),
                "the key with its `kid` is for EdDSA, and the token is signed with ES256",
            ),
            (
                Algorithm::Es256,
                Some("other"),
                "no key for ES256 with its `kid` is published at AUTH_JWKS_URL",
            ),
            (
                Algorithm::Rs256,
                None,
                "no key for RS256 is published at AUTH_JWKS_URL",
            ),
        ] {
            let expected = format!("unknown signing key: {reason}");
            assert_eq!(cached.matching(algorithm, id).err(), Some(expected));
        }
    }

    #[test]
    fn unknown_key_causes_at_most_one_fetch_per_minute() {
        let now = Utc::now();
        let ago = |seconds| Some(now - TimeDelta::seconds(seconds));
        let cached = |fetched, tried| CachedKeys {
            fetched,
            tried,
            ..CachedKeys::default()
        };
        for (cached, is_unknown, needs_fetch) in [
            (cached(None, None), true, true),
            (cached(None, ago(4)), true, false),
            (cached(None, ago(6)), true, true),
            (cached(ago(30), ago(30)), true, false),
            (cached(ago(61), ago(61)), true, true),
            (cached(ago(61), ago(61)), false, false),
            (cached(ago(601), ago(601)), false, true),
            (cached(ago(601), ago(30)), false, false),
        ] {
            assert_eq!(
                cached.needs_fetch(is_unknown, now),
                needs_fetch,
                "{cached:?}"
            );
        }
    }
}
