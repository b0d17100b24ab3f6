//! Credentials: forged credentials are rejected, and a signed token results in a caller with its own volume or in an
//! error.

#![no_main]

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use libfuzzer_sys::fuzz_target;
use llmos::auth::{AuthConfig, Authenticator, new_key};
use llmos::domain::caller::Caller;
use llmos::domain::volume::{Volume, VolumeKind};
use llmos::util::secret::Secret;
use ring::hmac;
use tokio::runtime::{Builder, Runtime};

thread_local! {
    static CHECK: Check = Check::default();
}

struct Check {
    authenticator: Authenticator,
    secret: String,
    runtime: Runtime,
}

impl Default for Check {
    fn default() -> Self {
        let secret = "x".repeat(32);
        let (_, entry) = new_key("fuzz", "admin").unwrap();
        let config = AuthConfig {
            jwt_secret: Some(Secret::new(secret.clone())),
            role_claim: Some("a.role".to_owned()),
            teams_claim: Some("a.teams".to_owned()),
            api_keys: vec![entry.parse().unwrap()],
            ..AuthConfig::default()
        };
        Self {
            authenticator: Authenticator::new(&config),
            secret,
            runtime: Builder::new_current_thread().build().unwrap(),
        }
    }
}

impl Check {
    fn caller(&self, credential: &str) -> Option<Caller> {
        let authenticated = self.authenticator.authenticate(credential);
        self.runtime.block_on(authenticated).ok()
    }

    fn sign(&self, header: &[u8], claims: &[u8]) -> String {
        let encode = |part: &[u8]| URL_SAFE_NO_PAD.encode(part);
        let message = format!("{}.{}", encode(header), encode(claims));
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.secret.as_bytes());
        let signature = hmac::sign(&key, message.as_bytes());
        format!("{message}.{}", encode(signature.as_ref()))
    }
}

fuzz_target!(|input: &[u8]| {
    CHECK.with(|check| {
        if let Ok(text) = std::str::from_utf8(input) {
            assert!(check.caller(text).is_none());
        }
        let token = check.sign(br#"{"alg":"HS256","typ":"JWT"}"#, input);
        if let Some(caller) = check.caller(&token) {
            let own = caller.default_volume();
            assert_eq!(own.kind, VolumeKind::User);
            assert_ne!(own.id.as_str(), "default");
            assert_eq!(caller.may_write(&own), Ok(()));
            assert_eq!(caller.may_read(&Volume::system()), Ok(()));
        }
        // An arbitrary header with valid claims.
        let claims = br#"{"sub":"a","exp":99999999999}"#;
        let unsigned = check.sign(input, claims);
        if check.caller(&unsigned).is_some() {
            let header: serde_json::Value = serde_json::from_slice(input).unwrap();
            assert_eq!(header["alg"], "HS256");
        }
    });
});
