//! Claims of a verified token: user, teams, role.

use serde_json::{Map, Value};

use crate::domain::caller::{Caller, MAX_TEAMS};
use crate::domain::subject;
use crate::domain::volume::VolumeId;
use crate::util::once_per_minute::warn_once_a_minute;

/// The role of admins.
const ADMIN: &str = "admin";

/// The claims of a token.
pub(super) type Claims = Map<String, Value>;

/// The names of the claims that differ between identity providers.
#[derive(Debug)]
pub(super) struct ClaimNames {
    pub(super) teams: String,
    /// Whether `AUTH_TEAMS_CLAIM` names the claim, so that every token should have it.
    pub(super) requires_teams: bool,
    pub(super) role: Option<String>,
}

/// Returns the caller that the claims describe, with warnings about configured claims that cannot be read.
///
/// # Errors
/// If `sub` is invalid, or there are too many teams. The text is shown to the caller.
pub(super) fn caller(claims: &Claims, names: &ClaimNames) -> Result<Caller, String> {
    let user = claims.get("sub").and_then(Value::as_str);
    let user = user.ok_or("`sub` is missing or not a string")?;
    let user = subject::volume_id(user).map_err(|rule| format!("`sub` {rule}"))?;
    if user == VolumeId::default() {
        return Err("`sub` must not be `default`, which is reserved".to_owned());
    }
    let mut warnings = Vec::new();
    let teams = teams(claims, names, &mut warnings)?;
    let is_admin = is_admin(claims, names, &mut warnings);
    Ok(Caller::user(user, teams, is_admin).with_warnings(warnings))
}

/// Returns the teams of a user. Names that cannot be those of a team are ignored, with a warning.
fn teams(
    claims: &Claims,
    names: &ClaimNames,
    warnings: &mut Vec<String>,
) -> Result<Vec<VolumeId>, String> {
    let name = &names.teams;
    let listed = match strings(find(claims, name)) {
        Found::Strings(teams) => teams,
        Found::Missing if !names.requires_teams => Vec::new(),
        Found::Missing => {
            let warning = missing("AUTH_TEAMS_CLAIM", name, "the caller has no teams");
            warn_once_a_minute!(auth.claim = name, "{warning}");
            warnings.push(warning);
            Vec::new()
        }
        Found::Malformed => {
            let warning = malformed("AUTH_TEAMS_CLAIM", name, "the caller has no teams");
            warn_once_a_minute!(auth.claim = name, "{warning}");
            warnings.push(warning);
            Vec::new()
        }
    };
    if listed.len() > MAX_TEAMS {
        return Err(format!("it has more than {MAX_TEAMS} teams"));
    }
    // The id `default` is reserved.
    let usable = listed.iter().filter_map(|team| {
        let id = subject::volume_id((*team)?).ok();
        id.filter(|id| *id != VolumeId::default())
    });
    let usable: Vec<VolumeId> = usable.collect();
    if usable.len() < listed.len() {
        warnings.push(ignored(name, listed.len() - usable.len()));
    }
    Ok(usable)
}

fn ignored(name: &str, entries: usize) -> String {
    let warning = format!(
        "The claim `{name}` of the token (AUTH_TEAMS_CLAIM) has {entries} entries that are ignored: a team {}, and must \
         not be `default`.",
        subject::RULE
    );
    warn_once_a_minute!(auth.claim = name, "{warning}");
    warning
}

fn is_admin(claims: &Claims, names: &ClaimNames, warnings: &mut Vec<String>) -> bool {
    let Some(name) = &names.role else {
        return false;
    };
    match strings(find(claims, name)) {
        Found::Strings(roles) => roles.contains(&Some(ADMIN)),
        Found::Missing => {
            let warning = missing("AUTH_ROLE_CLAIM", name, "the caller is not an admin");
            warn_once_a_minute!(auth.claim = name, "{warning}");
            warnings.push(warning);
            false
        }
        Found::Malformed => {
            let warning = malformed("AUTH_ROLE_CLAIM", name, "the caller is not an admin");
            warn_once_a_minute!(auth.claim = name, "{warning}");
            warnings.push(warning);
            false
        }
    }
}

fn missing(variable: &str, name: &str, effect: &str) -> String {
    format!(
        "The token has no claim `{name}` ({variable}), so {effect}. Add the claim at the identity provider, or correct \
         {variable}."
    )
}

fn malformed(variable: &str, name: &str, effect: &str) -> String {
    format!(
        "The claim `{name}` of the token ({variable}) is neither a string nor a list of strings, so {effect}. Correct \
         the claim at the identity provider, or {variable}."
    )
}

/// Returns the claim with this name, or the nested claim with this path of names with dots between them. Names can
/// contain dots themselves, as the URLs of Auth0 do, so the longest name that exists comes first.
fn find<'a>(claims: &'a Claims, name: &str) -> Option<&'a Value> {
    if let Some(claim) = claims.get(name) {
        return Some(claim);
    }
    let dots = name.rmatch_indices('.');
    dots.map(|(dot, _)| (&name[..dot], &name[dot + 1..]))
        .find_map(|(first, rest)| find(claims.get(first)?.as_object()?, rest))
}

/// The value of a claim that should be a string or a list of strings.
enum Found<'a> {
    /// The strings; `None` for other entries of the list.
    Strings(Vec<Option<&'a str>>),
    Missing,
    Malformed,
}

fn strings(claim: Option<&Value>) -> Found<'_> {
    match claim {
        Some(Value::String(text)) => Found::Strings(vec![Some(text)]),
        Some(Value::Array(list)) => Found::Strings(list.iter().map(Value::as_str).collect()),
        None | Some(Value::Null) => Found::Missing,
        Some(_) => Found::Malformed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::volume::{Volume, VolumeKind};

    fn read(claims: &Value, teams: &str, role: Option<&str>) -> Result<Caller, String> {
        let names = ClaimNames {
            teams: teams.to_owned(),
            requires_teams: teams != "teams",
            role: role.map(ToOwned::to_owned),
        };
        caller(claims.as_object().unwrap(), &names)
    }

    fn team(id: &str) -> Volume {
        Volume {
            kind: VolumeKind::Team,
            id: VolumeId::try_from(id.to_owned()).unwrap(),
        }
    }

    #[test]
    fn teams_claim_is_found_by_name_and_by_path() {
        for (claims, name) in [
            (
                serde_json::json!({"sub": "a", "teams": ["red", "b u", 7]}),
                "teams",
            ),
            (
                serde_json::json!({"sub": "a", "app_metadata": {"teams": ["red"]}}),
                "app_metadata.teams",
            ),
            (
                serde_json::json!({"sub": "a", "https://a.example/teams": ["red"]}),
                "https://a.example/teams",
            ),
            (serde_json::json!({"sub": "a", "o": {"id": "red"}}), "o.id"),
            (
                serde_json::json!({"sub": "a", "https://x.example/claims": {"teams": ["red"]}}),
                "https://x.example/claims.teams",
            ),
            (
                serde_json::json!({"sub": "a", "resource_access": {"my.app": {"roles": ["red"]}}}),
                "resource_access.my.app.roles",
            ),
            (
                serde_json::json!({"sub": "a", "a": {"b": {"c": ["blue"]}}, "a.b": {"c": ["red"]}}),
                "a.b.c",
            ),
            (
                serde_json::json!({"sub": "a", "a.b": {"d": "blue"}, "a": {"b.c": "red"}}),
                "a.b.c",
            ),
        ] {
            let caller = read(&claims, name, None).unwrap();
            assert_eq!(caller.may_read(&team("red")), Ok(()), "{claims}");
            assert!(caller.may_read(&team("blue")).is_err(), "{claims}");
        }
    }

    #[test]
    fn team_named_default_is_ignored() {
        let claims = serde_json::json!({"sub": "a", "teams": ["default"]});
        let caller = read(&claims, "teams", None).unwrap();
        assert!(caller.may_read(&team("default")).is_err());
    }

    #[test]
    fn configured_claim_that_cannot_be_read_gives_a_warning() {
        let warnings = |claims: Value, teams: &str, role: Option<&str>| {
            let caller = read(&claims, teams, role).unwrap();
            let warnings = caller.warnings().iter();
            let first_words = warnings.map(|it| it.split_once(" (").unwrap().0.to_owned());
            first_words.collect::<Vec<_>>()
        };
        let none: [&str; 0] = [];
        let claims = serde_json::json!({"sub": "a", "groups": ["red"], "role": "user"});
        assert_eq!(warnings(claims.clone(), "teams", None), none);
        assert_eq!(warnings(claims.clone(), "groups", Some("role")), none);
        assert_eq!(
            warnings(claims, "app.groups", Some("app.role")),
            [
                "The token has no claim `app.groups`",
                "The token has no claim `app.role`"
            ]
        );
        let claims =
            serde_json::json!({"sub": "a", "groups": {"red": 1}, "role": true, "none": null});
        assert_eq!(
            warnings(claims.clone(), "groups", Some("role")),
            [
                "The claim `groups` of the token",
                "The claim `role` of the token"
            ]
        );
        let expected = ["The token has no claim `none`"];
        assert_eq!(warnings(claims, "none", None), expected);
        let claims = serde_json::json!({"sub": "a", "teams": ["red", "b u", 7, "default"]});
        let caller = read(&claims, "teams", None).unwrap();
        assert!(caller.warnings()[0].contains("3 entries"), "{caller:?}");
        assert_eq!(caller.teams().len(), 1);
    }

    #[test]
    fn only_the_configured_role_claim_makes_an_admin() {
        let claims = serde_json::json!({"sub": "a", "role": "admin", "user_metadata": {"role": "admin"}, "roles": ["x", "admin"], "other": "administrator"});
        let is_admin = |role| {
            let caller = read(&claims, "teams", role).unwrap();
            caller.volumes().is_none()
        };
        assert!(is_admin(Some("role")) && is_admin(Some("roles")));
        assert!(!is_admin(None) && !is_admin(Some("other")) && !is_admin(Some("none.role")));
    }

    #[test]
    fn invalid_subject_or_too_many_teams_is_rejected() {
        for claims in [
            serde_json::json!({}),
            serde_json::json!({"sub": null}),
            serde_json::json!({"sub": 7}),
            serde_json::json!({"sub": ""}),
            serde_json::json!({"sub": ".."}),
            serde_json::json!({"sub": "a b"}),
            serde_json::json!({"sub": "x".repeat(256)}),
            serde_json::json!({"sub": "default"}),
            serde_json::json!({"sub": "a", "teams": vec!["t"; MAX_TEAMS + 1]}),
        ] {
            assert!(read(&claims, "teams", None).is_err(), "{claims}");
        }
    }
}
