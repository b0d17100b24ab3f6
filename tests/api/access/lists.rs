//! Lists and their pages contain only the sessions that the caller can read, in order.

use llmos::auth::AuthConfig;

use super::super::support::{Client, MAX_ROUND_TRIPS, Response};
use super::{admin, create, keys, signed_in, start, text, with, with_secret};

/// Returns the ids of a page.
fn ids(page: &Response) -> Vec<String> {
    let page = page.json();
    let sessions = page["sessions"].as_array().unwrap().iter();
    sessions.map(|it| text(&it["id"])).collect()
}

/// Reads a whole list in pages of `limit` and checks the round trips of each.
pub(super) async fn read_all(api: &Client, query: &str, limit: usize) -> Vec<String> {
    let (mut all, mut cursor) = (Vec::new(), String::new());
    loop {
        let path = format!("/api/sessions?limit={limit}&cursor={cursor}{query}");
        let page = api.get(&path).await.assert_status(200);
        assert!(page.round_trips() <= MAX_ROUND_TRIPS, "{page:?}");
        let found = ids(&page);
        assert!(found.len() <= limit);
        all.extend(found);
        match page.json()["next_cursor"].as_str() {
            Some(next) => next.clone_into(&mut cursor),
            None => return all,
        }
    }
}

/// Creates `rounds` sessions in each of many volumes in turn and returns their places and ids.
async fn fill(api: &Client, rounds: usize) -> Vec<(&'static str, String)> {
    let admin = admin(api);
    let mut created = Vec::new();
    for _ in 0..rounds {
        for place in [
            "user/alice",
            "team/red",
            "team/blue",
            "team/green",
            "team/alice",
            "user/bob",
            "user/red",
            "user/default",
            "system/system",
            "system/default",
            "system/x",
        ] {
            let (volume, id) = place.split_once('/').unwrap();
            created.push((place, create(&admin, volume, id).await));
        }
    }
    created.reverse();
    created
}

fn of(created: &[(&'static str, String)], places: &[&str]) -> Vec<String> {
    let own = created.iter().filter(|(place, _)| places.contains(place));
    own.map(|(_, id)| id.clone()).collect()
}

const SYSTEM: [&str; 3] = ["system/system", "system/default", "system/x"];

#[tokio::test]
async fn list_without_a_volume_contains_only_readable_sessions() {
    let (keys, of_keys) = keys(&["team/red:read", "admin:read"]);
    let auth = AuthConfig {
        api_keys: of_keys.api_keys,
        ..with_secret()
    };
    let (api, _redis) = start(auth).await;
    let created = fill(&api, 3).await;
    let everything: Vec<String> = created.iter().map(|(_, id)| id.clone()).collect();
    for (who, caller, places) in [
        (
            "alice",
            signed_in(&api, "alice", &["red", "blue"]),
            vec!["user/alice", "team/red", "team/blue"],
        ),
        ("bob", signed_in(&api, "bob", &[]), vec!["user/bob"]),
        ("the team's key", with(&api, &keys[0]), vec!["team/red"]),
        (
            "a user named as a team",
            signed_in(&api, "red", &["alice"]),
            vec!["user/red", "team/alice"],
        ),
    ] {
        let expected = of(&created, &[&places[..], &SYSTEM].concat());
        for limit in [1, 2, 5, 200] {
            assert_eq!(
                read_all(&caller, "", limit).await,
                expected,
                "{who}, {limit}"
            );
        }
        let active = read_all(&caller, "&status=active", 4).await;
        assert_eq!(active, expected, "{who}");
        assert!(read_all(&caller, "&status=paused", 4).await.is_empty());
    }
    for caller in [admin(&api), with(&api, &keys[1])] {
        for limit in [7, 200] {
            assert_eq!(read_all(&caller, "", limit).await, everything);
        }
        let of_bob = read_all(&caller, "&volume=user&volume_id=bob", 2).await;
        assert_eq!(of_bob, of(&created, &["user/bob"]));
    }
}

#[tokio::test]
async fn duplicate_team_in_a_token_is_listed_once() {
    let (api, _redis) = start(with_secret()).await;
    let created = fill(&api, 2).await;
    let alice = signed_in(&api, "alice", &["red", "red", "blue", "red"]);
    let places = [&["user/alice", "team/red", "team/blue"], &SYSTEM[..]].concat();
    assert_eq!(read_all(&alice, "", 1).await, of(&created, &places));
}

#[tokio::test]
async fn sessions_of_many_teams_are_listed_in_order_without_duplicates() {
    let (api, _redis) = start(with_secret()).await;
    let admin = admin(&api);
    let teams: Vec<String> = (0..100).map(|number| format!("t{number}")).collect();
    let mut expected = Vec::new();
    for team in teams.iter().step_by(4) {
        expected.insert(0, create(&admin, "team", team).await);
    }
    let names: Vec<&str> = teams.iter().map(String::as_str).collect();
    let member = signed_in(&api, "alice", &names);
    for limit in [3, 200] {
        assert_eq!(read_all(&member, "", limit).await, expected);
    }
}

#[tokio::test]
async fn cursor_of_another_caller_is_rejected() {
    let (keys, of_keys) = keys(&["team/red", "admin"]);
    let auth = AuthConfig {
        api_keys: of_keys.api_keys,
        ..with_secret()
    };
    let (api, _redis) = start(auth).await;
    fill(&api, 2).await;
    let callers = [
        signed_in(&api, "alice", &["red"]),
        signed_in(&api, "bob", &["red"]),
        with(&api, &keys[0]),
        with(&api, &keys[1]),
        admin(&api),
    ];
    for query in [
        "",
        "&volume=team&volume_id=red",
        "&volume=system",
        "&volume=system&volume_id=x",
    ] {
        for (index, owner) in callers.iter().enumerate() {
            let page = owner.get(&format!("/api/sessions?limit=1{query}")).await;
            let cursor = text(&page.assert_status(200).json()["next_cursor"]);
            let path = format!("/api/sessions?limit=1{query}&cursor={cursor}");
            owner.get(&path).await.assert_status(200);
            for other in callers[..index].iter().chain(&callers[index + 1..]) {
                other.get(&path).await.assert_error(400, "invalid_request");
            }
            // A cursor is valid only for the list that returned it.
            let path = format!("/api/sessions?limit=1&volume=system&volume_id=y&cursor={cursor}");
            owner.get(&path).await.assert_error(400, "invalid_request");
        }
    }
}
