//! Bearer credentials (RFC 6750, section 2.1).

/// Returns the credential of an `Authorization` value with the scheme `Bearer`. It may be empty.
pub fn credential(authorization: &str) -> Option<&str> {
    let (scheme, credential) = authorization.split_once(' ')?;
    let is_bearer = scheme.eq_ignore_ascii_case("bearer");
    is_bearer.then_some(credential.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credential_follows_the_bearer_scheme_in_any_case() {
        assert_eq!(credential("bEARER  x "), Some("x"));
        assert_eq!(credential("Bearer "), Some(""));
        assert_eq!(credential("Basic x"), None);
        assert_eq!(credential("Bearer"), None);
    }
}
