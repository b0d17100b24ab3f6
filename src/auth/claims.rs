//! What a token says of its holder, once its signature holds: user, teams, role.

use serde_json::{Map, Value};

use crate::domain::caller::{Caller, MAX_TEAMS};
use crate::domain::volume::VolumeId;

/// The role that may do everything.
const ADMIN: &str = "admin";

/// The claims of a token.
pub(super) type Claims = Map<String, Value>;

/// Where to look for what is not in a claim that every provider has.
#[derive(Debug)]
pub(super) struct ClaimNames {
    pub(super) teams: String,
    pub(super) role: Option<String>,
}

/// Who the holder is.
pub(super) fn caller(claims: &Claims, names: &ClaimNames) -> Result<Caller, &'static str> {
    let user = claims.get("sub").and_then(Value::as_str);
    let user = user.ok_or("it has no sub")?;
    let user = VolumeId::try_from(user.to_owned())
        .map_err(|_| "its sub is no id: 1 to 128 of A-Z a-z 0-9 . _ - @ | ~ + =")?;
    if user == VolumeId::default() {
        return Err("its sub is default, which belongs to nobody");
    }
    let teams = strings(find(claims, &names.teams));
    if teams.len() > MAX_TEAMS {
        return Err("it names more than 100 teams");
    }
    // A team that cannot be the name of a volume has none, and one called default has not what is nobody's.
    let teams = teams
        .into_iter()
        .filter_map(|team| VolumeId::try_from(team.to_owned()).ok())
        .filter(|team| *team != VolumeId::default());
    let role = names.role.as_deref().and_then(|name| find(claims, name));
    let is_admin = strings(role).contains(&ADMIN);
    Ok(Caller::user(user, teams.collect(), is_admin))
}

/// The claim of this name, or the one that a dotted path leads to. Names may hold dots themselves: Auth0's are
/// addresses.
fn find<'a>(claims: &'a Claims, name: &str) -> Option<&'a Value> {
    if let Some(claim) = claims.get(name) {
        return Some(claim);
    }
    let (first, rest) = name.split_once('.')?;
    find(claims.get(first)?.as_object()?, rest)
}

/// The strings of a list, or a single one.
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

    fn read(claims: &Value, teams: &str, role: Option<&str>) -> Result<Caller, &'static str> {
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
    fn teams_are_found_where_each_provider_puts_them() {
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
    fn a_team_called_default_is_none() {
        let claims = serde_json::json!({"sub": "a", "teams": ["default"]});
        let caller = read(&claims, "teams", None).unwrap();
        assert!(caller.may_read(&team("default")).is_err());
    }

    #[test]
    fn only_the_named_role_makes_an_admin() {
        let claims = serde_json::json!({"sub": "a", "role": "admin", "user_metadata": {"role": "admin"}, "roles": ["x", "admin"], "other": "administrator"});
        let is_admin = |role| {
            let caller = read(&claims, "teams", role).unwrap();
            caller.volumes().is_none()
        };
        assert!(is_admin(Some("role")) && is_admin(Some("roles")));
        assert!(!is_admin(None) && !is_admin(Some("other")) && !is_admin(Some("none.role")));
    }

    #[test]
    fn a_holder_without_a_name_is_nobody() {
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
