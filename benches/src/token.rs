//! Tokens of users, signed with a shared secret (RFC 7519, `HS256`).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::hmac;
use serde_json::json;

/// The end of all tokens: the year 2100, in seconds since 1970.
const EXPIRES: u64 = 4_102_444_800;

/// Returns the token of a user with these teams.
pub fn of_user(secret: &str, teams: &[String]) -> String {
    let encode = |value: serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let header = encode(json!({"alg": "HS256", "typ": "JWT"}));
    let claims = encode(json!({"sub": "measured", "teams": teams, "exp": EXPIRES}));
    let signed = format!("{header}.{claims}");
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let signature = URL_SAFE_NO_PAD.encode(hmac::sign(&key, signed.as_bytes()));
    format!("{signed}.{signature}")
}
