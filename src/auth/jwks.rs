//! The keys that an identity provider publishes (RFC 7517): fetched when they are needed, kept, fetched again
//! where a token names one that is not known.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::{Algorithm, DecodingKey};
use once_cell::sync::OnceCell;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::util::{http_client, log};

/// How long keys are used without a look whether they still hold.
const FRESH: TimeDelta = TimeDelta::minutes(10);
/// How often keys are fetched at most.
const FETCH_PAUSE: TimeDelta = TimeDelta::minutes(1);
/// The same while there are none.
pub const FIRST_FETCH_PAUSE: TimeDelta = TimeDelta::seconds(5);
/// How long fetching may take.
const FETCH_LIMIT: Duration = Duration::from_secs(3);
/// How long connecting may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// The largest set of keys that is read, in bytes.
const MAX_SET_BYTES: usize = 256 * 1024;
/// How many keys of a set are used.
const MAX_KEYS: usize = 50;

/// A published set of keys. Cloning it copies a pointer.
#[derive(Clone, Debug)]
pub(super) struct KeySet(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    url: String,
    http: OnceCell<reqwest::Client>,
    known: Mutex<Known>,
    fetching: tokio::sync::Mutex<()>,
}

#[derive(Clone, Debug, Default)]
struct Known {
    keys: Arc<Vec<Key>>,
    fetched: Option<DateTime<Utc>>,
    tried: Option<DateTime<Utc>>,
    /// Why the last try failed.
    failure: Option<String>,
}

#[derive(Debug)]
struct Key {
    id: Option<String>,
    algorithm: Algorithm,
    key: DecodingKey,
}

impl KeySet {
    /// The set at `url`; fetches nothing yet.
    pub(super) fn new(url: String) -> Self {
        Self(Arc::new(Shared {
            url,
            http: OnceCell::new(),
            known: Mutex::default(),
            fetching: tokio::sync::Mutex::default(),
        }))
    }

    /// The keys that a token of this algorithm may be signed with: the one it names, or all, where it names
    /// none. None at all where the set has no such key.
    ///
    /// # Errors
    /// Why the keys cannot be fetched, while there are none.
    pub(super) async fn find(
        &self,
        algorithm: Algorithm,
        id: Option<&str>,
    ) -> Result<Vec<DecodingKey>, String> {
        let known = self.0.known();
        let found = known.matching(algorithm, id);
        let now = Utc::now();
        if !known.is_to_be_fetched(found.is_empty(), now) {
            return known.answer(found);
        }
        // Whoever finds a key at hand does not wait for another one's fetching.
        if !found.is_empty() && self.0.fetching.try_lock().is_err() {
            return Ok(found);
        }
        // In a task of its own: whoever asked may hang up, and would ask again and again for nothing.
        let shared = self.0.clone();
        let fetch = async move { shared.fetch_once(known.tried, now).await };
        let fetched = tokio::spawn(log::in_current_request(fetch));
        fetched.await.map_err(|error| error.to_string())?;
        let known = self.0.known();
        known.answer(known.matching(algorithm, id))
    }
}

impl Shared {
    /// Fetches the keys, if nobody did since the last try that the caller knows of.
    async fn fetch_once(&self, last_try: Option<DateTime<Utc>>, now: DateTime<Utc>) {
        let _fetching = self.fetching.lock().await;
        if self.known().tried == last_try {
            let fetched = self.fetch().await;
            self.note(fetched, now);
        }
    }

    fn known(&self) -> Known {
        let known = self.known.lock();
        known.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Where fetching failed, the keys that were known go on to be used.
    fn note(&self, fetched: Result<Vec<Key>, String>, now: DateTime<Utc>) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.tried = Some(now);
        match fetched {
            Ok(keys) => {
                known.keys = Arc::new(keys);
                known.fetched = Some(now);
                known.failure = None;
            }
            Err(failure) => {
                tracing::warn!(
                    auth.jwks.error = failure,
                    auth.jwks.cached_keys = known.keys.len(),
                    "the signing keys cannot be fetched"
                );
                known.failure = Some(failure);
            }
        }
    }

    async fn fetch(&self) -> Result<Vec<Key>, String> {
        let http = self
            .http
            .get_or_try_init(|| http_client::client(CONNECT_TIMEOUT));
        let request = http.map_err(|error| error.to_string())?.get(&self.url);
        let fetched = tokio::time::timeout(FETCH_LIMIT, read(request)).await;
        fetched.map_err(|_| "the keys do not come within 3 s".to_owned())?
    }
}

impl Known {
    fn matching(&self, algorithm: Algorithm, id: Option<&str>) -> Vec<DecodingKey> {
        let keys = self.keys.iter().filter(|key| {
            key.algorithm == algorithm && id.is_none_or(|id| key.id.as_deref() == Some(id))
        });
        keys.map(|key| key.key.clone()).collect()
    }

    fn is_to_be_fetched(&self, is_key_unknown: bool, now: DateTime<Utc>) -> bool {
        let is_due = |since: Option<DateTime<Utc>>, pause| {
            since.is_none_or(|since| now - since >= pause || now < since)
        };
        let pause = match self.fetched {
            Some(_) => FETCH_PAUSE,
            None => FIRST_FETCH_PAUSE,
        };
        (is_key_unknown || is_due(self.fetched, FRESH)) && is_due(self.tried, pause)
    }

    fn answer(&self, found: Vec<DecodingKey>) -> Result<Vec<DecodingKey>, String> {
        match (&self.fetched, &self.failure) {
            (None, Some(failure)) => Err(failure.clone()),
            _ => Ok(found),
        }
    }
}

async fn read(request: reqwest::RequestBuilder) -> Result<Vec<Key>, String> {
    let sent = request.send().await.and_then(|it| it.error_for_status());
    let mut response = sent.map_err(|error| error.without_url().to_string())?;
    let mut text = Vec::new();
    while let Some(chunk) = response
        .chunk()
        .await
        .map_err(|it| it.without_url().to_string())?
    {
        text.extend_from_slice(&chunk);
        if text.len() > MAX_SET_BYTES {
            return Err("the set of keys is larger than 256 KB".to_owned());
        }
    }
    parse(&text)
}

/// The keys of a set that tokens can be signed with. Others may be in it, too.
fn parse(text: &[u8]) -> Result<Vec<Key>, String> {
    #[derive(Deserialize)]
    struct Set<'a> {
        #[serde(borrow)]
        keys: Vec<&'a RawValue>,
    }
    let set: Set<'_> =
        serde_json::from_slice(text).map_err(|error| format!("this is no set of keys: {error}"))?;
    let keys = set.keys.into_iter();
    Ok(keys
        .filter_map(|key| Published::key(serde_json::from_str(key.get()).ok()?))
        .take(MAX_KEYS)
        .collect())
}

/// A key as it is published. Secrets, which are shared by whoever can fetch them, are no keys.
#[derive(Deserialize)]
struct Published {
    kty: String,
    kid: Option<String>,
    alg: Option<String>,
    r#use: Option<String>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

impl Published {
    fn key(self) -> Option<Key> {
        let (algorithm, name, key) = match (self.kty.as_str(), self.crv.as_deref()) {
            ("RSA", _) => (
                Algorithm::RS256,
                "RS256",
                DecodingKey::from_rsa_components(&self.n?, &self.e?),
            ),
            ("EC", Some("P-256")) => (
                Algorithm::ES256,
                "ES256",
                DecodingKey::from_ec_components(&self.x?, &self.y?),
            ),
            ("OKP", Some("Ed25519")) => (
                Algorithm::EdDSA,
                "EdDSA",
                DecodingKey::from_ed_components(&self.x?),
            ),
            _ => return None,
        };
        let is_meant =
            self.alg.is_none_or(|alg| alg == name) && self.r#use.is_none_or(|usage| usage == "sig");
        is_meant.then_some(Key {
            id: self.kid,
            algorithm,
            key: key.ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_keys_that_can_sign_are_taken_from_a_set() {
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
            "no key",
        ]});
        let keys = parse(set.to_string().as_bytes()).unwrap();
        let ids: Vec<_> = keys.iter().map(|key| key.id.as_deref().unwrap()).collect();
        assert_eq!(ids, ["1", "4", "6"]);
        assert!(parse(b"{}").is_err() && parse(b"<html>").is_err());
    }

    #[test]
    fn an_unknown_key_is_asked_for_once_a_minute() {
        let now = Utc::now();
        let ago = |seconds| Some(now - TimeDelta::seconds(seconds));
        let known = |fetched, tried| Known {
            fetched,
            tried,
            ..Known::default()
        };
        for (known, is_unknown, is_fetched) in [
            (known(None, None), true, true),
            (known(None, ago(4)), true, false),
            (known(None, ago(6)), true, true),
            (known(ago(30), ago(30)), true, false),
            (known(ago(61), ago(61)), true, true),
            (known(ago(61), ago(61)), false, false),
            (known(ago(601), ago(601)), false, true),
            (known(ago(601), ago(30)), false, false),
        ] {
            assert_eq!(
                known.is_to_be_fetched(is_unknown, now),
                is_fetched,
                "{known:?}"
            );
        }
    }
}
