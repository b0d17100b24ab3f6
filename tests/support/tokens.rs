//! An issuer of JSON Web Tokens with its own keys.

use std::process::Command;
use std::sync::OnceLock;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use chrono::Utc;
use ring::hmac;
use ring::rand::SystemRandom;
use ring::rsa::PublicKeyComponents;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256,
    RsaKeyPair,
};
use serde_json::{Map, Value, json};

/// The default `iss` of tokens.
pub const ISSUER: &str = "https://issuer.example/";
/// The default `aud` of tokens.
pub const AUDIENCE: &str = "llmos";

/// The SPKI prefix of an RSA key of 2048 bits.
const RSA_SPKI_HEAD: [u8; 24] = [
    0x30, 0x82, 0x01, 0x22, 0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01,
    0x01, 0x05, 0x00, 0x03, 0x82, 0x01, 0x0f, 0x00,
];

/// The claims of a token.
#[derive(Clone, Debug)]
pub struct Claims(Map<String, Value>);

impl Claims {
    /// Returns the claims of a valid token that expires in an hour.
    pub fn of(user: &str) -> Self {
        Self(Map::new())
            .with("sub", user)
            .with("iss", ISSUER)
            .with("aud", AUDIENCE)
            .with("exp", in_seconds(3600))
    }

    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.0.insert(name.to_owned(), value.into());
        self
    }

    pub fn without(mut self, name: &str) -> Self {
        self.0.remove(name);
        self
    }
}

/// Returns a time in seconds from now, as a claim.
pub fn in_seconds(seconds: i64) -> i64 {
    Utc::now().timestamp() + seconds
}

/// Signs tokens with one key.
#[derive(Debug)]
pub struct Issuer {
    id: String,
    key: Key,
}

#[derive(Debug)]
enum Key {
    Secret(Vec<u8>),
    Rsa(Box<RsaKeyPair>),
    Ec(EcdsaKeyPair),
    Ed(Ed25519KeyPair),
}

impl Issuer {
    /// Creates an issuer with HS256 and a secret.
    pub fn hs256(secret: impl Into<Vec<u8>>) -> Self {
        Self::new("secret", Key::Secret(secret.into()))
    }

    /// Creates an issuer with RS256 and one of the two keys of this process.
    pub fn rs256(id: &str, index: usize) -> Self {
        let key = RsaKeyPair::from_pkcs8(&rsa_keys()[index]).unwrap();
        Self::new(id, Key::Rsa(Box::new(key)))
    }

    /// Creates an issuer with ES256 and a new key.
    pub fn es256(id: &str) -> Self {
        let (algorithm, random) = (&ECDSA_P256_SHA256_FIXED_SIGNING, SystemRandom::new());
        let document = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
        let key = EcdsaKeyPair::from_pkcs8(algorithm, document.as_ref(), &random).unwrap();
        Self::new(id, Key::Ec(key))
    }

    /// Creates an issuer with EdDSA and a new key.
    pub fn eddsa(id: &str) -> Self {
        let document = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
        let key = Ed25519KeyPair::from_pkcs8(document.as_ref()).unwrap();
        Self::new(id, Key::Ed(key))
    }

    fn new(id: &str, key: Key) -> Self {
        let id = id.to_owned();
        Self { id, key }
    }

    pub fn algorithm(&self) -> &'static str {
        match &self.key {
            Key::Secret(_) => "HS256",
            Key::Rsa(_) => "RS256",
            Key::Ec(_) => "ES256",
            Key::Ed(_) => "EdDSA",
        }
    }

    /// Returns the header of a valid token.
    pub fn header(&self) -> Value {
        json!({"alg": self.algorithm(), "typ": "JWT", "kid": self.id})
    }

    pub fn token(&self, claims: &Claims) -> String {
        self.token_with_header(&self.header(), claims)
    }

    /// Signs a token with any header; the signature is valid.
    pub fn token_with_header(&self, header: &Value, claims: &Claims) -> String {
        self.signed(&format!(
            "{}.{}",
            encoded(header.to_string()),
            encoded(Value::from(claims.0.clone()).to_string())
        ))
    }

    /// Appends the signature to a text.
    pub fn signed(&self, message: &str) -> String {
        let (bytes, random) = (message.as_bytes(), SystemRandom::new());
        let signature = match &self.key {
            Key::Secret(secret) => {
                let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
                hmac::sign(&key, bytes).as_ref().to_vec()
            }
            Key::Rsa(key) => {
                let mut signature = vec![0; key.public().modulus_len()];
                key.sign(&RSA_PKCS1_SHA256, &random, bytes, &mut signature)
                    .unwrap();
                signature
            }
            Key::Ec(key) => key.sign(&random, bytes).unwrap().as_ref().to_vec(),
            Key::Ed(key) => key.sign(bytes).as_ref().to_vec(),
        };
        format!("{message}.{}", encoded(signature))
    }

    /// Returns the key as a JWK, including a symmetric one, which no provider should publish.
    pub fn jwk(&self) -> Value {
        let mut jwk = match &self.key {
            Key::Secret(secret) => json!({"kty": "oct", "k": encoded(secret)}),
            Key::Rsa(key) => {
                let public: PublicKeyComponents<Vec<u8>> = key.public().into();
                json!({"kty": "RSA", "n": encoded(public.n), "e": encoded(public.e)})
            }
            Key::Ec(key) => {
                let (x, y) = key.public_key().as_ref()[1..].split_at(32);
                json!({"kty": "EC", "crv": "P-256", "x": encoded(x), "y": encoded(y)})
            }
            Key::Ed(key) => {
                json!({"kty": "OKP", "crv": "Ed25519", "x": encoded(key.public_key())})
            }
        };
        jwk["kid"] = self.id.clone().into();
        jwk["alg"] = self.algorithm().into();
        jwk["use"] = "sig".into();
        jwk
    }

    /// Returns the RSA public key in each encoding that a verifier could mistake for an HMAC secret.
    pub fn public_forms(&self) -> Vec<Vec<u8>> {
        let Key::Rsa(key) = &self.key else {
            panic!("only RSA keys have these forms");
        };
        let pkcs1 = key.public().as_ref().to_vec();
        let spki = [&RSA_SPKI_HEAD, &*pkcs1].concat();
        let pem = |kind: &str, der: &[u8]| {
            let text = STANDARD.encode(der);
            let lines = text.as_bytes().chunks(64).map(String::from_utf8_lossy);
            let lines: Vec<_> = lines.collect();
            format!(
                "-----BEGIN {kind}-----\n{}\n-----END {kind}-----\n",
                lines.join("\n")
            )
        };
        let spki_pem = pem("PUBLIC KEY", &spki);
        let pkcs1_pem = pem("RSA PUBLIC KEY", &pkcs1);
        let public: PublicKeyComponents<Vec<u8>> = key.public().into();
        vec![
            encoded(&public.n).into_bytes(),
            public.n,
            self.jwk().to_string().into_bytes(),
            spki_pem.trim_end().as_bytes().to_vec(),
            spki_pem.into_bytes(),
            pkcs1_pem.into_bytes(),
            spki,
            pkcs1,
        ]
    }
}

/// Encodes as base64url without padding.
pub fn encoded(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Two keys of 2048 bits, as PKCS#8, because `ring` cannot generate RSA keys.
fn rsa_keys() -> &'static [Vec<u8>] {
    static KEYS: OnceLock<Vec<Vec<u8>>> = OnceLock::new();
    KEYS.get_or_init(|| {
        let script = "for (let i = 0; i < 2; i++) console.log(require('node:crypto')\
            .generateKeyPairSync('rsa', {modulusLength: 2048})\
            .privateKey.export({type: 'pkcs8', format: 'der'}).toString('base64'))";
        let output = Command::new("node").args(["-e", script]).output();
        let output = output.expect("node is not installed: get it from https://nodejs.org");
        assert!(output.status.success(), "{output:?}");
        let lines = String::from_utf8(output.stdout).unwrap();
        lines
            .lines()
            .map(|line| STANDARD.decode(line).unwrap())
            .collect()
    })
}
