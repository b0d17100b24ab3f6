//! Published keys (RFC 7517): the verification key of each, or the reason why it cannot be used.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::Value;

use super::algorithm::Algorithm;
use super::fetch::FetchError;
use super::signature::VerificationKey;

/// The number of bytes of a coordinate on P-256, and of a public key on Ed25519.
const CURVE_BYTES: usize = 32;
/// The sizes of RSA keys that `ring` accepts, in bits.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;
/// The number of keys that are used; further keys of the set are ignored.
const MAX_KEYS: usize = 50;
/// The number of unusable keys that are logged by name after a fetch.
const MAX_LOGGED_KEYS: usize = 10;
/// The longest member of a key that is repeated in a text, in characters.
const MAX_SHOWN_CHARS: usize = 64;

/// A key of a published key set.
#[derive(Clone, Debug)]
pub(super) struct PublishedKey {
    /// `kid`.
    pub(super) id: Option<String>,
    /// The key, or the reason why it cannot be used.
    pub(super) key: Result<VerificationKey, String>,
}

impl PublishedKey {
    /// Parses a key. This never fails: one malformed key must not make the others of its set unusable.
    fn parse(jwk: &Value) -> Self {
        Self {
            id: jwk.get("kid").and_then(Value::as_str).map(str::to_owned),
            key: verification_key(jwk),
        }
    }
}

/// Parses a key set, and logs its unusable keys.
pub(super) fn parse_set(text: &[u8]) -> Result<Vec<PublishedKey>, FetchError> {
    #[derive(Deserialize)]
    struct Set {
        keys: Vec<Value>,
    }
    let set: Set =
        serde_json::from_slice(text).map_err(|error| FetchError::invalid(text, &error))?;
    let (mut keys, mut unusable) = (Vec::new(), Vec::new());
    for jwk in &set.keys {
        let published = PublishedKey::parse(jwk);
        match &published.key {
            Ok(_) => keys.push(published),
            Err(reason) => {
                if unusable.len() < MAX_LOGGED_KEYS {
                    log_unusable(jwk, reason);
                }
                unusable.push(published);
            }
        }
    }
    keys.truncate(MAX_KEYS);
    if keys.len() < set.keys.len() {
        tracing::warn!(
            auth.jwks.keys = set.keys.len(),
            auth.jwks.usable_keys = keys.len(),
            "some published signing keys cannot be used"
        );
    }
    keys.extend(unusable.into_iter().take(MAX_KEYS));
    Ok(keys)
}

fn log_unusable(jwk: &Value, reason: &str) {
    tracing::warn!(
        auth.jwk.kid = shown(jwk, "kid"),
        auth.jwk.kty = shown(jwk, "kty"),
        auth.jwk.alg = shown(jwk, "alg"),
        auth.jwk.reason = reason,
        "a published signing key cannot be used: {reason}"
    );
}

/// Returns a member of a key for the log: absent and invalid ones are empty, and long ones are cut.
fn shown(jwk: &Value, name: &str) -> String {
    let text = jwk.get(name).and_then(Value::as_str).unwrap_or_default();
    text.chars().take(MAX_SHOWN_CHARS).collect()
}

/// Returns whether `key_ops` (RFC 7517, section 4.3) allows verifying signatures.
fn verifies(operations: &Value) -> bool {
    let operations = operations.as_array();
    operations.is_some_and(|operations| operations.iter().any(|operation| operation == "verify"))
}

fn verification_key(jwk: &Value) -> Result<VerificationKey, String> {
    if !jwk.is_object() {
        return Err("it is not a JSON object".to_owned());
    }
    optional(jwk, "kid")?;
    match optional(jwk, "use")? {
        None | Some("sig") => {}
        Some(_) => return Err(format!("its `use` is {}, not sig", shown(jwk, "use"))),
    }
    if jwk
        .get("key_ops")
        .is_some_and(|operations| !verifies(operations))
    {
        return Err("its `key_ops` does not contain verify".to_owned());
    }
    let named = optional(jwk, "alg")?.map(|name| {
        Algorithm::from_name(name)
            .ok_or_else(|| format!("its `alg` {} is not supported", shown(jwk, "alg")))
    });
    let named = named.transpose()?;
    let key = match required(jwk, "kty")? {
        "RSA" => rsa(jwk)?,
        "EC" => {
            check_curve(jwk, "P-256")?;
            let (x, y) = (coordinate(jwk, "x")?, coordinate(jwk, "y")?);
            VerificationKey::P256([&[4], &*x, &*y].concat())
        }
        "OKP" => {
            check_curve(jwk, "Ed25519")?;
            VerificationKey::Ed25519(coordinate(jwk, "x")?)
        }
        "oct" => return Err(
            "its `kty` oct is a shared secret, which must not be published: use AUTH_JWT_SECRET"
                .to_owned(),
        ),
        _ => return Err(format!("its `kty` {} is not supported", shown(jwk, "kty"))),
    };
    if named.is_some_and(|algorithm| algorithm != key.algorithm()) {
        let (alg, kty) = (shown(jwk, "alg"), shown(jwk, "kty"));
        return Err(format!("its `alg` {alg} does not fit its `kty` {kty}"));
    }
    Ok(key)
}

fn rsa(jwk: &Value) -> Result<VerificationKey, String> {
    // `ring` rejects leading zeros, which RFC 7518, section 6.3.1.1 forbids and some providers add.
    let without_zeros = |name| {
        let bytes = bytes(jwk, name)?;
        let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
        Ok::<_, String>(bytes[zeros..].to_vec())
    };
    let (n, e) = (without_zeros("n")?, without_zeros("e")?);
    let leading = n.first().map_or(0, |byte| byte.leading_zeros() as usize);
    let bits = n.len() * 8 - leading;
    if !RSA_BITS.contains(&bits) {
        let (least, most) = (RSA_BITS.start(), RSA_BITS.end());
        return Err(format!("it has {bits} bits, not {least} to {most}"));
    }
    Ok(VerificationKey::Rsa { n, e })
}

fn check_curve(jwk: &Value, supported: &str) -> Result<(), String> {
    if required(jwk, "crv")? == supported {
        return Ok(());
    }
    let crv = shown(jwk, "crv");
    Err(format!(
        "its `crv` {crv} is not supported, only {supported}"
    ))
}

fn coordinate(jwk: &Value, name: &str) -> Result<Vec<u8>, String> {
    let bytes = bytes(jwk, name)?;
    if bytes.len() != CURVE_BYTES {
        return Err(format!("its `{name}` is not {CURVE_BYTES} bytes long"));
    }
    Ok(bytes)
}

fn bytes(jwk: &Value, name: &str) -> Result<Vec<u8>, String> {
    let text = required(jwk, name)?;
    let decoded = URL_SAFE_NO_PAD.decode(text);
    decoded.map_err(|_| format!("its `{name}` is not base64url"))
}

fn required<'a>(jwk: &'a Value, name: &str) -> Result<&'a str, String> {
    optional(jwk, name)?.ok_or_else(|| format!("its `{name}` is missing"))
}

fn optional<'a>(jwk: &'a Value, name: &str) -> Result<Option<&'a str>, String> {
    match jwk.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(format!("its `{name}` is not a string")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn encoded(bytes: usize) -> String {
        URL_SAFE_NO_PAD.encode(vec![0x81; bytes])
    }

    fn with(mut jwk: Value, name: &str, value: impl Into<Value>) -> Value {
        jwk[name] = value.into();
        jwk
    }

    #[test]
    fn supported_keys_are_used_under_old_and_new_names_of_their_algorithm() {
        let (n, x) = (encoded(256), encoded(32));
        let zeros = URL_SAFE_NO_PAD.encode([vec![0, 0], vec![0x81; 256]].concat());
        for (jwk, algorithm) in [
            (json!({"kty": "RSA", "n": n, "e": "AQAB"}), Algorithm::Rs256),
            (
                json!({"kty": "RSA", "n": n, "e": "AQAB", "key_ops": ["verify"]}),
                Algorithm::Rs256,
            ),
            (
                json!({"kty": "RSA", "n": zeros, "e": "AQAB", "alg": "RS256", "use": "sig"}),
                Algorithm::Rs256,
            ),
            (
                json!({"kty": "EC", "crv": "P-256", "x": x, "y": x, "alg": "ES256"}),
                Algorithm::Es256,
            ),
            (
                json!({"kty": "OKP", "crv": "Ed25519", "x": x, "alg": "EdDSA"}),
                Algorithm::Ed25519,
            ),
            (
                json!({"kty": "OKP", "crv": "Ed25519", "x": x, "alg": "Ed25519"}),
                Algorithm::Ed25519,
            ),
        ] {
            let key = PublishedKey::parse(&jwk).key;
            assert_eq!(key.map(|key| key.algorithm()), Ok(algorithm), "{jwk}");
        }
    }

    #[test]
    fn each_unusable_key_has_its_reason() {
        let rsa = json!({"kty": "RSA", "kid": "k", "n": encoded(256), "e": "AQAB"});
        let ec = json!({"kty": "EC", "crv": "P-256", "x": encoded(32), "y": encoded(32)});
        let okp = json!({"kty": "OKP", "crv": "Ed25519", "x": encoded(32)});
        for (jwk, reason) in [
            (json!("text"), "it is not a JSON object"),
            (json!({}), "its `kty` is missing"),
            (json!({"kty": 1}), "its `kty` is not a string"),
            (json!({"kty": "AKP"}), "its `kty` AKP is not supported"),
            (
                json!({"kty": "oct", "k": "AQAB"}),
                "its `kty` oct is a shared secret, which must not be published: use AUTH_JWT_SECRET",
            ),
            (with(rsa.clone(), "kid", 10), "its `kid` is not a string"),
            (with(rsa.clone(), "use", "enc"), "its `use` is enc, not sig"),
            (
                with(rsa.clone(), "key_ops", "verify"),
                "its `key_ops` does not contain verify",
            ),
            (
                with(rsa.clone(), "alg", "RS512"),
                "its `alg` RS512 is not supported",
            ),
            (
                with(rsa.clone(), "alg", "ES256"),
                "its `alg` ES256 does not fit its `kty` RSA",
            ),
            (
                with(rsa.clone(), "n", encoded(128)),
                "it has 1024 bits, not 2048 to 8192",
            ),
            (with(rsa.clone(), "n", Value::Null), "its `n` is missing"),
            (with(rsa, "n", "!"), "its `n` is not base64url"),
            (
                with(ec.clone(), "crv", "P-384"),
                "its `crv` P-384 is not supported, only P-256",
            ),
            (with(ec, "y", encoded(31)), "its `y` is not 32 bytes long"),
            (
                with(okp.clone(), "crv", "Ed448"),
                "its `crv` Ed448 is not supported, only Ed25519",
            ),
            (
                with(okp, "alg", "Ed448"),
                "its `alg` Ed448 is not supported",
            ),
        ] {
            let key = PublishedKey::parse(&jwk).key;
            assert_eq!(key.err().as_deref(), Some(reason), "{jwk}");
        }
    }
}
