//! Tokens: valid ones are accepted, and all others are rejected in the same way.

use llmos::auth::AuthConfig;
use llmos::util::secret::Secret;
use serde_json::{Value, json};

use super::super::support::{
    Claims, Client, Issuer, KeyServer, Redis, encoded, in_process, in_seconds,
};
use super::{
    assert_rejected, call, closed, issuer, keys, secret, start, with, with_keys, with_secret,
};

/// Checks that each bad token is rejected and a good one is accepted, repeatedly. The soak compares the durations.
async fn check_rejected(api: &Client, good: &str, bad: &[(&str, String)]) {
    call(&with(api, good)).await.assert_status(200);
    for (what, token) in bad {
        for _ in 0..5 {
            let answer = call(&with(api, token)).await;
            assert_eq!(answer.status, 401, "{what}: {answer:?}");
            assert_rejected(answer, true);
        }
    }
}

fn good() -> Claims {
    Claims::of("alice")
}

#[tokio::test]
async fn valid_tokens_of_each_algorithm_are_accepted_and_forged_ones_rejected() {
    let issuers = [
        Issuer::rs256("rsa", 0),
        Issuer::es256("ec"),
        Issuer::eddsa("ed"),
    ];
    let others = [
        Issuer::rs256("rsa", 1),
        Issuer::es256("ec"),
        Issuer::eddsa("ed"),
    ];
    let server = KeyServer::start(&issuers.each_ref()).await;
    let auth = AuthConfig {
        jwt_secret: Some(Secret::new(secret())),
        ..with_keys(&server)
    };
    let (api, _redis) = start(auth).await;
    for issuer in issuers.iter().chain([&issuer()]) {
        let token = issuer.token(&good());
        call(&with(&api, &token)).await.assert_status(200);
        let mut header = issuer.header();
        header.as_object_mut().unwrap().remove("kid");
        let token = issuer.token_with_header(&header, &good());
        call(&with(&api, &token)).await.assert_status(200);
    }

    let mut bad = Vec::new();
    for other in others.iter().chain([&Issuer::hs256("another".repeat(8))]) {
        bad.push(("another key", other.token(&good())));
        let mut header = other.header();
        header["jwk"] = other.jwk();
        header["jku"] = "http://127.0.0.1:1/keys".into();
        header["x5u"] = "http://127.0.0.1:1/keys".into();
        bad.push((
            "a key of its own",
            other.token_with_header(&header, &good()),
        ));
        header["kid"] = "unknown".into();
        bad.push(("an unknown key", other.token_with_header(&header, &good())));
    }
    for public in issuers[0].public_forms() {
        let forger = Issuer::hs256(public);
        for id in ["rsa", "secret"] {
            let header = json!({"alg": "HS256", "typ": "JWT", "kid": id});
            let token = forger.token_with_header(&header, &good());
            bad.push(("a public key as the secret", token));
        }
    }
    for (issuer, other) in issuers.iter().zip(["ES256", "EdDSA", "RS256"]) {
        for algorithm in [other, "HS256", "RS384", "PS256", "ES384"] {
            let header = json!({"alg": algorithm, "kid": issuer.header()["kid"]});
            let token = issuer.token_with_header(&header, &good());
            bad.push(("another algorithm", token));
        }
    }
    check_rejected(&api, &issuers[1].token(&good()), &bad).await;
    assert_eq!(server.requests(), 1);
}

#[tokio::test]
async fn ed25519_is_accepted_under_both_names_in_keys_and_tokens() {
    let issuer = Issuer::eddsa("ed");
    let other = Issuer::eddsa("ed");
    let server = KeyServer::start(&[]).await;
    let redis = Redis::start().await;
    for key_algorithm in [json!("EdDSA"), json!("Ed25519"), Value::Null] {
        let mut jwk = issuer.jwk();
        jwk["alg"] = key_algorithm;
        server.publish_values(vec![jwk]);
        let api = in_process(closed(&redis, with_keys(&server)));
        for algorithm in ["EdDSA", "Ed25519"] {
            let header = json!({"alg": algorithm, "kid": "ed"});
            let token = issuer.token_with_header(&header, &good());
            call(&with(&api, &token)).await.assert_status(200);
            let forged = other.token_with_header(&header, &good());
            let detail = assert_rejected(call(&with(&api, &forged)).await, true);
            assert!(detail.contains("invalid signature"), "{detail}");
        }
        for algorithm in ["ed25519", "Ed448", "ES256", "HS256"] {
            let header = json!({"alg": algorithm, "kid": "ed"});
            let token = issuer.token_with_header(&header, &good());
            assert_rejected(call(&with(&api, &token)).await, true);
        }
    }
}

#[tokio::test]
async fn rejection_names_the_algorithm() {
    let server = KeyServer::start(&[&Issuer::es256("ec")]).await;
    let auth = AuthConfig {
        jwt_secret: Some(Secret::new(secret())),
        ..with_keys(&server)
    };
    let redis = Redis::start().await;
    let both = in_process(closed(&redis, auth));
    let published = in_process(closed(&redis, with_keys(&server)));
    let shared = in_process(closed(&redis, with_secret()));
    let is_not_accepted = |algorithm: &str, accepted: &str| {
        format!(
            "The token or API key is not valid: the signature algorithm{algorithm} is not accepted: tokens must be \
             signed with {accepted}."
        )
    };
    for (api, algorithm, expected) in [
        (&both, "RS512", is_not_accepted(" RS512", "RS256, ES256 or EdDSA (Ed25519), or HS256")),
        (&published, "HS256", is_not_accepted(" HS256", "RS256, ES256 or EdDSA (Ed25519)")),
        (&shared, "PS256", is_not_accepted(" PS256", "HS256")),
        (&shared, "none", is_not_accepted(" none", "HS256")),
        (&shared, "Ed25519", is_not_accepted(" Ed25519", "HS256")),
        (&shared, "<script>", is_not_accepted("", "HS256")),
        (&shared, &"A".repeat(17), is_not_accepted("", "HS256")),
        (
            &published,
            "RS256",
            "The token or API key is not valid: unknown signing key: the key with its `kid` is for ES256, and the token \
             is signed with RS256."
                .to_owned(),
        ),
    ] {
        let header = json!({"alg": algorithm, "kid": "ec"});
        let token = issuer().token_with_header(&header, &good());
        let detail = assert_rejected(call(&with(api, &token)).await, true);
        assert_eq!(detail, expected, "{algorithm}");
    }
}

#[tokio::test]
async fn unusable_key_is_named_in_the_rejection() {
    let server = KeyServer::start(&[]).await;
    let mut jwk = Issuer::rs256("old", 0).jwk();
    jwk["alg"] = "RS512".into();
    server.publish_values(vec![jwk, Issuer::es256("new").jwk()]);
    let (api, _redis) = start(with_keys(&server)).await;
    let token = Issuer::rs256("old", 0).token(&good());
    let detail = assert_rejected(call(&with(&api, &token)).await, true);
    let expected = "The token or API key is not valid: unknown signing key: the key with its `kid` cannot be used, \
                    because its `alg` RS512 is not supported.";
    assert_eq!(detail, expected);
}

#[tokio::test]
async fn credential_of_another_kind_is_described() {
    let (api, redis) = start(with_secret()).await;
    let (_, only_keys) = keys(&["admin"]);
    let only_keys = in_process(closed(&redis, only_keys));
    let token = issuer().token(&good());
    let ask = "ask the identity provider for a signed JSON Web Token (JWT) for the audience of this service";
    for (api, credential, expected) in [
        (&api, "eyJhbGciOiJkaXIifQ..aXY.dGV4dA.dGFn", format!("it is an encrypted token (JWE): {ask}")),
        (&api, "2YotnFZFEjr1zCsicMWpAA", format!("it is an opaque token, or an unknown API key: {ask}")),
        (&api, "llmos_x", "unknown API key".to_owned()),
        (&only_keys, "opaque", "unknown API key".to_owned()),
        (
            &only_keys,
            &token,
            "it is a JSON Web Token, and only API keys are accepted: set AUTH_JWKS_URL or AUTH_JWT_SECRET to accept \
             tokens"
                .to_owned(),
        ),
    ] {
        let detail = assert_rejected(call(&with(api, credential)).await, true);
        let expected = format!("The token or API key is not valid: {expected}.");
        assert_eq!(detail, expected, "{credential}");
    }
}

#[tokio::test]
async fn algorithm_confusion_is_rejected() {
    let rsa = Issuer::rs256("rsa", 0);
    let server = KeyServer::start(&[&rsa]).await;
    let (api, _redis) = start(with_keys(&server)).await;
    let forged = rsa.public_forms().into_iter().map(|public| {
        let header = json!({"alg": "HS256", "typ": "JWT", "kid": "rsa"});
        let token = Issuer::hs256(public).token_with_header(&header, &good());
        ("a public key as the secret", token)
    });
    let mut bad: Vec<_> = forged.collect();
    bad.push(("HS256 without a secret", issuer().token(&good())));
    check_rejected(&api, &rsa.token(&good()), &bad).await;

    let (api, _redis) = start(with_secret()).await;
    let bad = [("RS256 without keys", rsa.token(&good()))];
    check_rejected(&api, &issuer().token(&good()), &bad).await;
}

#[tokio::test]
async fn tokens_with_invalid_claims_are_rejected() {
    let (api, _redis) = start(with_secret()).await;
    let issuer = issuer();
    for claims in [
        good().with("exp", in_seconds(-50)),
        good().with("nbf", in_seconds(50)),
        good().with("nbf", in_seconds(-50)),
        good().with("aud", ["other", "llmos"]),
        good().with("sub", "auth0|6f1a"),
        good().with("sub", "alice/x"),
        good().with("sub", "x".repeat(255)),
    ] {
        let answer = call(&with(&api, &issuer.token(&claims))).await;
        answer.assert_status(200);
    }

    let bad = [
        ("expired", good().with("exp", in_seconds(-62))),
        ("not valid yet", good().with("nbf", in_seconds(65))),
        ("no exp", good().without("exp")),
        ("exp is a text", good().with("exp", "never")),
        (
            "another issuer",
            good().with("iss", "https://other.example/"),
        ),
        ("no issuer", good().without("iss")),
        ("another audience", good().with("aud", "other")),
        ("other audiences", good().with("aud", ["other"])),
        ("no audience", good().without("aud")),
        ("no sub", good().without("sub")),
        ("sub is a number", good().with("sub", 7)),
        ("sub is a list", good().with("sub", ["alice"])),
        ("sub is null", good().with("sub", Value::Null)),
        ("sub is empty", good().with("sub", "")),
        ("sub is a step", good().with("sub", "..")),
        ("sub has a blank", good().with("sub", "alice x")),
        ("sub has 256 characters", good().with("sub", "x".repeat(256))),
        ("sub is default", good().with("sub", "default")),
        ("too many teams", good().with("teams", vec!["t"; 101])),
    ];
    let bad = bad.map(|(what, claims)| (what, issuer.token(&claims)));
    check_rejected(&api, &issuer.token(&good()), &bad).await;
}

#[tokio::test]
async fn token_for_another_audience_is_rejected() {
    let auth = AuthConfig {
        audiences: Vec::new(),
        issuer: None,
        ..with_secret()
    };
    let (api, _redis) = start(auth).await;
    let bad = [("an audience", issuer().token(&good()))];
    let without = issuer().token(&good().without("aud").without("iss"));
    check_rejected(&api, &without, &bad).await;
}

#[tokio::test]
async fn malformed_tokens_are_rejected() {
    let (api, _redis) = start(with_secret()).await;
    let issuer = issuer();
    let token = issuer.token(&good());
    let parts: Vec<&str> = token.split('.').collect();
    let (header, claims, signature) = (parts[0], parts[1], parts[2]);
    let bob = issuer.token(&Claims::of("bob"));
    let other_claims = bob.split('.').nth(1).unwrap();
    let other_header = encoded(r#"{"alg":"HS256","typ":"JWT","kid":"other"}"#);
    let mut bad = vec![
        (
            "changed claims",
            format!("{header}.{other_claims}.{signature}"),
        ),
        (
            "a changed header",
            format!("{other_header}.{claims}.{signature}"),
        ),
        ("cut off", token[..token.len() - 1].to_owned()),
        ("no signature", format!("{header}.{claims}.")),
        ("two parts", format!("{header}.{claims}")),
        ("four parts", format!("{token}.{signature}")),
        ("no header", format!(".{claims}.{signature}")),
        ("no claims", issuer.signed(&format!("{header}."))),
        ("only dots", "..".to_owned()),
        (
            "no base64",
            format!("!{}.{claims}.{signature}", &header[1..]),
        ),
        ("padded", format!("{token}=")),
        (
            "lists",
            issuer.signed(&format!("{}.{}", encoded("[]"), encoded("[]"))),
        ),
        (
            "a list",
            issuer.signed(&format!("{header}.{}", encoded("[]"))),
        ),
        (
            "no JSON",
            issuer.signed(&format!("{header}.{}", encoded("{"))),
        ),
        (
            "17 KB",
            issuer.token(&good().with("x", "x".repeat(17 << 10))),
        ),
        (
            "deep",
            issuer.signed(&format!("{header}.{}", encoded("[".repeat(8000)))),
        ),
    ];
    for algorithm in ["none", "None", "NONE", "nOnE", ""] {
        let header = json!({"alg": algorithm, "typ": "JWT"});
        let signed = issuer.token_with_header(&header, &good());
        let (unsigned, _) = signed.rsplit_once('.').unwrap();
        bad.push(("alg none", format!("{unsigned}.")));
        bad.push(("alg none, signed", signed));
    }
    let mut critical = issuer.header();
    critical["crit"] = json!(["exp"]);
    bad.push(("crit", issuer.token_with_header(&critical, &good())));
    check_rejected(&api, &token, &bad).await;
}

#[tokio::test]
async fn oversized_token_is_rejected() {
    let (api, _redis) = start(with_secret()).await;
    let long = issuer().token(&good().with("x", "x".repeat(1 << 20)));
    for credential in [long, ".".repeat(1 << 20)] {
        let detail = assert_rejected(call(&with(&api, &credential)).await, true);
        assert!(detail.contains("16 KB"), "{detail}");
    }
}

#[tokio::test]
async fn authorization_must_be_one_bearer_header() {
    let (api, _redis) = start(with_secret()).await;
    let token = issuer().token(&good());
    let authorized = |value: String| api.with_header("authorization", value);

    for scheme in ["Bearer", "bearer", "BEARER", "Bearer "] {
        let answer = call(&authorized(format!("{scheme} {token}"))).await;
        answer.assert_status(200);
    }
    assert_rejected(call(&api).await, false);
    for value in [
        format!("Basic {token}"),
        token.clone(),
        "Bearer".to_owned(),
        "Bearer ".to_owned(),
        String::new(),
        format!("Bearer {token} {token}"),
        format!("Bearer {token}, Bearer {token}"),
    ] {
        assert_rejected(call(&authorized(value)).await, true);
    }
    let twice = with(&with(&api, &token), &token);
    assert_rejected(call(&twice).await, true);
}

#[tokio::test]
async fn rejection_contains_no_part_of_the_token() {
    let (api, _redis) = start(with_secret()).await;
    let claims = good().with("iss", "https://hidden.example/");
    let token = issuer().token(&claims);
    let detail = assert_rejected(call(&with(&api, &token)).await, true);
    assert!(
        !detail.contains("hidden") && !detail.contains(&token),
        "{detail}"
    );
}
