//! Claims of a verified token: user, teams, role.

use serde_json::{Map, Value};

use crate::domain::caller::{Caller, MAX_TEAMS};
use crate::domain::volume::VolumeId;

/// The role of admins.
const ADMIN: &str = "admin";

/// The claims of a token.
pub(super) type Claims = Map<String, Value>;

/// The names of the claims that differ between identity providers.
#[derive(Debug)]
pub(super) struct ClaimNames {
    pub(super) teams: String,
    pub(super) role: Option<String>,
}

/// Returns the caller that the claims describe.
///
/// # Errors
/// If `sub` or the teams are invalid. The text is shown to the caller.
pub(super) fn caller(claims: &Claims, names: &ClaimNames) -> Result<Caller, String> {
    let user = claims.get("sub").and_then(Value::as_str);
    let user = user.ok_or("`sub` is missing or not a string")?;
    let user = VolumeId::try_from(user.to_owned())
        .map_err(|_| "`sub` must be 1–128 characters of `A-Za-z0-9._-@|~+=`")?;
    if user == VolumeId::default() {
        return Err("`sub` must not be `default`, which is reserved".to_owned());
    }
    let teams = strings(find(claims, &names.teams));
    if teams.len() > MAX_TEAMS {
        return Err(format!("it has more than {MAX_TEAMS} teams"));
    }
    // A name that is not a valid volume id has no volume. The id `default` is reserved.
    let teams = teams
        .into_iter()
        .filter_map(|team| VolumeId::try_from(team.to_owned()).ok())
        .filter(|team| *team != VolumeId::default());
    let role = names.role.as_deref().and_then(|name| find(claims, name));
    let is_admin = strings(role).contains(&ADMIN);
    Ok(Caller::user(user, teams.collect(), is_admin))
}

/// Returns the claim with this name, or the nested claim with this dotted path. The full name comes first,
/// because Auth0's claim names are URLs and contain dots.
fn find<'a>(claims: &'a Claims, name: &str) -> Option<&'a Value> {
    if let Some(claim) = claims.get(name) {
        return Some(claim);
    }
    let (first, rest) = name.split_once('.')?;
    find(claims.get(first)?.as_object()?, rest)
}

/// Returns the strings of a list, or a single string.
fn strings(claim: Option<&Value>) -> Vec<&str> {
    match claim {
        Some(Value::String(text)) => vec![text],
        Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::volume::{Volume, VolumeKind};

    fn read(claims: &Value, teams: &str, role: Option<&str>) -> Result<Caller, String> {
        let names = ClaimNames {
            teams: teams.to_owned(),
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
            serde_json::json!({"sub": "a/b"}),
            serde_json::json!({"sub": "default"}),
            serde_json::json!({"sub": "a", "teams": vec!["t"; MAX_TEAMS + 1]}),
        ] {
            assert!(read(&claims, "teams", None).is_err(), "{claims}");
        }
    }
}
