//! The JSON Web Key Set of an identity provider (RFC 7517): fetched on demand, cached, and fetched again when a
//! token names an unknown key.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use once_cell::sync::OnceCell;
use serde::Deserialize;
use serde_json::Value;

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
/// The largest accepted key set, in bytes.
const MAX_SET_BYTES: usize = 256 * 1024;
/// The number of keys that are used; further keys of the set are ignored.
const MAX_KEYS: usize = 50;

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
    keys: Arc<Vec<Key>>,
    fetched: Option<DateTime<Utc>>,
    /// The time of the last attempt, successful or not.
    tried: Option<DateTime<Utc>>,
    /// The error of the last attempt.
    failure: Option<String>,
}

#[derive(Debug)]
struct Key {
    id: Option<String>,
    algorithm: Algorithm,
    key: DecodingKey,
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
    /// the algorithm if the token has no key id. The result is empty if the set has no such key.
    ///
    /// # Errors
    /// The error of the last fetch, if no fetch succeeded so far.
    pub(super) async fn find(
        self: &Arc<Self>,
        algorithm: Algorithm,
        id: Option<&str>,
    ) -> Result<Vec<DecodingKey>, String> {
        let cached = self.cached();
        let found = cached.matching(algorithm, id);
        let now = Utc::now();
        if !cached.needs_fetch(found.is_empty(), now) {
            return cached.result(found);
        }
        // A caller whose key is cached does not wait for a fetch that another caller started.
        if !found.is_empty() && self.fetching.try_lock().is_err() {
            return Ok(found);
        }
        // The fetch runs in its own task, because a caller that hangs up would otherwise cancel it, and each
        // further caller would start it again.
        let key_set = self.clone();
        let fetch = async move { key_set.fetch_once(cached.tried, now).await };
        let fetched = tokio::spawn(log::in_current_request(fetch));
        fetched.await.map_err(|error| error.to_string())?;
        let cached = self.cached();
        cached.result(cached.matching(algorithm, id))
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
    fn store(&self, fetched: Result<Vec<Key>, String>, now: DateTime<Utc>) {
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
                    auth.jwks.error = failure,
                    auth.jwks.cached_keys = cached.keys.len(),
                    "the signing keys cannot be fetched"
                );
                cached.failure = Some(failure);
            }
        }
    }

    async fn fetch(&self) -> Result<Vec<Key>, String> {
        let http = self
            .http
            .get_or_try_init(|| http_client::client(CONNECT_TIMEOUT));
        let request = http.map_err(|error| error.to_string())?.get(&self.url);
        let fetched = tokio::time::timeout(FETCH_LIMIT, read(request)).await;
        fetched.map_err(|_| format!("no response within {} s", FETCH_LIMIT.as_secs()))?
    }
}

impl CachedKeys {
    fn matching(&self, algorithm: Algorithm, id: Option<&str>) -> Vec<DecodingKey> {
        let keys = self.keys.iter().filter(|key| {
            key.algorithm == algorithm && id.is_none_or(|id| key.id.as_deref() == Some(id))
        });
        keys.map(|key| key.key.clone()).collect()
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

    fn result(&self, found: Vec<DecodingKey>) -> Result<Vec<DecodingKey>, String> {
        match (&self.fetched, &self.failure) {
            (None, Some(failure)) => Err(failure.clone()),
            _ => Ok(found),
        }
    }
}

async fn read(request: reqwest::RequestBuilder) -> Result<Vec<Key>, String> {
    let sent = request
        .send()
        .await
        .and_then(|response| response.error_for_status());
    let mut response = sent.map_err(|error| error.without_url().to_string())?;
    let mut text = Vec::new();
    while let Some(chunk) = response
        .chunk()
        .await
        .map_err(|error| error.without_url().to_string())?
    {
        text.extend_from_slice(&chunk);
        if text.len() > MAX_SET_BYTES {
            return Err(format!(
                "the JWKS is larger than {} KB",
                MAX_SET_BYTES / 1024
            ));
        }
    }
    parse(&text)
}

/// Parses a key set and returns its usable keys. One malformed key must not make the others unusable, so each
/// key is parsed by itself; `jsonwebtoken::jwk::JwkSet` fails as a whole.
fn parse(text: &[u8]) -> Result<Vec<Key>, String> {
    #[derive(Deserialize)]
    struct Set {
        keys: Vec<Value>,
    }
    let set: Set =
        serde_json::from_slice(text).map_err(|error| format!("invalid JWKS: {error}"))?;
    Ok(set
        .keys
        .into_iter()
        .filter_map(key)
        .take(MAX_KEYS)
        .collect())
}

/// Returns the signature key that a JWK describes; `None` for malformed keys, other algorithms, other uses, and
/// symmetric keys, because a published secret is not secret.
fn key(jwk: Value) -> Option<Key> {
    let jwk: Jwk = serde_json::from_value(jwk).ok()?;
    let (algorithm, name) = match &jwk.algorithm {
        AlgorithmParameters::RSA(_) => (Algorithm::RS256, KeyAlgorithm::RS256),
        AlgorithmParameters::EllipticCurve(key) if key.curve == EllipticCurve::P256 => {
            (Algorithm::ES256, KeyAlgorithm::ES256)
        }
        AlgorithmParameters::OctetKeyPair(key) if key.curve == EllipticCurve::Ed25519 => {
            (Algorithm::EdDSA, KeyAlgorithm::EdDSA)
        }
        _ => return None,
    };
    let common = &jwk.common;
    let is_for_signatures = common.public_key_use.as_ref();
    let is_for_signatures =
        is_for_signatures.is_none_or(|key_use| *key_use == PublicKeyUse::Signature);
    let has_algorithm = common
        .key_algorithm
        .is_none_or(|algorithm| algorithm == name);
    (is_for_signatures && has_algorithm).then_some(Key {
        key: DecodingKey::from_jwk(&jwk).ok()?,
        id: jwk.common.key_id,
        algorithm,
    })
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    #[test]
    fn only_supported_signature_keys_of_a_set_are_used() {
        let set = serde_json::json!({"keys": [
            {"kty": "RSA", "kid": "1", "n": "AQAB", "e": "AQAB"},
            {"kty": "RSA", "kid": "2", "n": "AQAB", "e": "AQAB", "use": "enc"},
            {"kty": "RSA", "kid": "3", "n": "AQAB", "e": "AQAB", "alg": "RS512"},
            {"kty": "EC", "kid": "4", "crv": "P-256", "x": "AQAB", "y": "AQAB", "alg": "ES256"},
            {"kty": "EC", "kid": "5", "crv": "P-384", "x": "AQAB", "y": "AQAB"},
            {"kty": "OKP", "kid": "6", "crv": "Ed25519", "x": "AQAB"},
            {"kty": "oct", "kid": "7", "k": "AQAB"},
            {"kty": "RSA", "kid": "8", "n": "!", "e": "AQAB"},
            {"kty": "RSA", "kid": "9"},
            {"kid": 10},
            "not an object",
            {"kty": "OKP", "kid": "11", "crv": "X25519", "x": "AQAB"},
            {"kty": "EC", "kid": "12", "crv": "secp256k1", "x": "AQAB", "y": "AQAB"},
        ]});
        let keys = parse(set.to_string().as_bytes()).unwrap();
        let ids: Vec<_> = keys.iter().map(|key| key.id.as_deref().unwrap()).collect();
        assert_eq!(ids, ["1", "4", "6"]);
        assert!(parse(b"{}").is_err() && parse(b"<html>").is_err());
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
