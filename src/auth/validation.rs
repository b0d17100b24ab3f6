//! Validation of the registered claims of a token (RFC 7519, section 4.1): times, issuer and audience.

use serde_json::Value;

use super::claims::Claims;

/// The tolerated difference between the clocks of the issuer and this machine, in seconds.
const LEEWAY_SECONDS: f64 = 60.0;

/// The text for a token whose `iss` differs from `AUTH_ISSUER`.
const WRONG_ISSUER: &str = "`iss` does not match AUTH_ISSUER";

/// Checks the claims of a token at `now`, in seconds since 1970.
///
/// # Errors
/// The reason, as a text for the caller. It repeats no part of the token.
pub(super) fn check(
    claims: &Claims,
    issuer: Option<&str>,
    audiences: &[String],
    now: i64,
) -> Result<(), String> {
    check_times(claims, now)?;
    if let Some(issuer) = issuer {
        match claim(claims, "iss") {
            None => return Err("`iss` is missing".to_owned()),
            Some(claim) if claim.as_str() == Some(issuer) => {}
            Some(_) => return Err(WRONG_ISSUER.to_owned()),
        }
    }
    check_audience(claims, audiences)
}

#[expect(
    clippy::cast_precision_loss,
    reason = "seconds since 1970 fit into the 52 bits of a double"
)]
fn check_times(claims: &Claims, now: i64) -> Result<(), String> {
    let now = now as f64;
    let expires = time(claims, "exp")?.ok_or("`exp` is missing")?;
    if expires < now - LEEWAY_SECONDS {
        return Err("it has expired".to_owned());
    }
    match time(claims, "nbf")? {
        Some(start) if start > now + LEEWAY_SECONDS => Err("it is not valid yet".to_owned()),
        _ => Ok(()),
    }
}

/// Returns a NumericDate: seconds since 1970, also with a fraction.
fn time(claims: &Claims, name: &str) -> Result<Option<f64>, String> {
    let Some(claim) = claim(claims, name) else {
        return Ok(None);
    };
    let time = claim.as_f64();
    time.map(Some)
        .ok_or_else(|| format!("`{name}` is not a number"))
}

fn check_audience(claims: &Claims, accepted: &[String]) -> Result<(), String> {
    let audience = claim(claims, "aud");
    if accepted.is_empty() {
        return match audience {
            None => Ok(()),
            Some(_) => Err("it has an `aud` claim, and AUTH_AUDIENCE is not set".to_owned()),
        };
    }
    let is_accepted = |value: &Value| accepted.iter().any(|name| value == name.as_str());
    let matches = match audience {
        None => return Err("`aud` is missing".to_owned()),
        Some(Value::Array(list)) => {
            list.iter().all(Value::is_string) && list.iter().any(is_accepted)
        }
        Some(value) => is_accepted(value),
    };
    matches
        .then_some(())
        .ok_or_else(|| "`aud` does not match AUTH_AUDIENCE".to_owned())
}

/// Returns a claim; `null` counts as absent.
fn claim<'a>(claims: &'a Claims, name: &str) -> Option<&'a Value> {
    claims.get(name).filter(|claim| !claim.is_null())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW: i64 = 1_800_000_000;

    #[track_caller]
    fn assert_result(name: &str, value: Value, expected: Result<(), &str>) {
        let mut claims = json!({"exp": NOW, "iss": "https://a.example/", "aud": "llmos"});
        claims[name] = value;
        let audiences = ["other".to_owned(), "llmos".to_owned()];
        let result = check(
            claims.as_object().unwrap(),
            Some("https://a.example/"),
            &audiences,
            NOW,
        );
        assert_eq!(result, expected.map_err(str::to_owned), "{name}: {claims}");
    }

    #[test]
    fn times_are_checked_with_a_minute_of_tolerance() {
        assert_result("exp", json!(NOW - 60), Ok(()));
        assert_result("exp", json!(NOW as f64 - 59.5), Ok(()));
        assert_result("exp", json!(NOW - 61), Err("it has expired"));
        assert_result("exp", json!(-1), Err("it has expired"));
        assert_result("exp", Value::Null, Err("`exp` is missing"));
        assert_result("exp", json!("1800000000"), Err("`exp` is not a number"));
        assert_result("nbf", Value::Null, Ok(()));
        assert_result("nbf", json!(NOW + 60), Ok(()));
        assert_result("nbf", json!(NOW + 61), Err("it is not valid yet"));
        assert_result("nbf", json!(u64::MAX), Err("it is not valid yet"));
        assert_result("nbf", json!([NOW]), Err("`nbf` is not a number"));
    }

    #[test]
    fn issuer_and_audience_must_be_configured_ones() {
        let issuer = Err("`iss` does not match AUTH_ISSUER");
        for wrong in [
            json!("https://a.example"),
            json!(["https://a.example/"]),
            json!(1),
        ] {
            assert_result("iss", wrong, issuer);
        }
        assert_result("iss", Value::Null, Err("`iss` is missing"));
        assert_result("aud", json!(["x", "llmos"]), Ok(()));
        let audience = Err("`aud` does not match AUTH_AUDIENCE");
        for wrong in [
            json!("x"),
            json!([]),
            json!(["x"]),
            json!(["llmos", 1]),
            json!({"llmos": 1}),
        ] {
            assert_result("aud", wrong, audience);
        }
        assert_result("aud", Value::Null, Err("`aud` is missing"));
    }

    #[test]
    fn token_for_an_audience_is_rejected_if_none_is_configured() {
        let check = |aud: Value| {
            let claims = json!({"exp": NOW, "aud": aud});
            check(claims.as_object().unwrap(), None, &[], NOW)
        };
        assert_eq!(check(Value::Null), Ok(()));
        for aud in [json!("x"), json!([]), json!(1)] {
            let expected = "it has an `aud` claim, and AUTH_AUDIENCE is not set";
            assert_eq!(check(aud), Err(expected.to_owned()));
        }
    }
}
