//! The access table: the status of each route for each kind of caller and volume.

use axum::http::Method;
use llmos::auth::AuthConfig;
use llmos::config::Config;
use serde_json::{Value, json};

use super::super::support::{
    BlobServer, Claims, Client, Issuer, Redis, Response, blob_config, in_process, in_seconds, put,
};
use super::{admin, closed, create, issuer, keys, signed_in, with, with_secret};

/// The callers. `owner`, `mate` and `rival` are users of the teams red, red and blue; `user:read`
/// is a key for the owner's volume, and `admin:read` one for all.
const CALLERS: &str =
    "none bad expired other mate rival user:read admin:read admin admin-key owner";

/// The table of the owner's volume.
const USER: &str = "
list-sessions    401 401 401   404 404 404   200 200   200 200 200
create-session   401 401 401   404 404 404   403 403   201 201 201
find-session     401 401 401   404 404 404   200 200   200 200 200
put-session      401 401 401   404 404 404   403 403   200 200 200
patch-session    401 401 401   404 404 404   403 403   200 200 200
delete-session   401 401 401   404 404 404   403 403   200 200 200
append-messages  401 401 401   404 404 404   403 403   200 200 200
list-messages    401 401 401   404 404 404   200 200   200 200 200
list-skills      401 401 401   404 404 404   200 200   200 200 200
create-skill     401 401 401   404 404 404   403 403   201 201 201
find-skill       401 401 401   404 404 404   200 200   200 200 200
put-skill        401 401 401   404 404 404   403 403   200 200 200
patch-skill      401 401 401   404 404 404   403 403   200 200 200
delete-skill     401 401 401   404 404 404   403 403   200 200 200
use-skill        401 401 401   404 404 404   403 403   200 200 200
list-files       401 401 401   404 404 404   200 200   200 200 200
put-file         401 401 401   404 404 404   403 403   200 200 200
get-file         401 401 401   404 404 404   200 200   200 200 200
get-file-link    401 401 401   404 404 404   200 200   200 200 200
head-file        401 401 401   404 404 404   200 200   200 200 200
delete-file      401 401 401   404 404 404   403 403   200 200 200
upload-file      401 401 401   404 404 404   403 403   200 200 200
";

/// The table of the volume of the team red.
const TEAM: &str = "
list-sessions    401 401 401   404 200 404   404 200   200 200 200
create-session   401 401 401   404 201 404   404 403   201 201 201
find-session     401 401 401   404 200 404   404 200   200 200 200
put-session      401 401 401   404 200 404   404 403   200 200 200
patch-session    401 401 401   404 200 404   404 403   200 200 200
delete-session   401 401 401   404 200 404   404 403   200 200 200
append-messages  401 401 401   404 200 404   404 403   200 200 200
list-messages    401 401 401   404 200 404   404 200   200 200 200
list-skills      401 401 401   404 200 404   404 200   200 200 200
create-skill     401 401 401   404 201 404   404 403   201 201 201
find-skill       401 401 401   404 200 404   404 200   200 200 200
put-skill        401 401 401   404 200 404   404 403   200 200 200
patch-skill      401 401 401   404 200 404   404 403   200 200 200
delete-skill     401 401 401   404 200 404   404 403   200 200 200
use-skill        401 401 401   404 200 404   404 403   200 200 200
list-files       401 401 401   404 200 404   404 200   200 200 200
put-file         401 401 401   404 200 404   404 403   200 200 200
get-file         401 401 401   404 200 404   404 200   200 200 200
get-file-link    401 401 401   404 200 404   404 200   200 200 200
head-file        401 401 401   404 200 404   404 200   200 200 200
delete-file      401 401 401   404 200 404   404 403   200 200 200
upload-file      401 401 401   404 200 404   404 403   200 200 200
";

/// The table of the system volume.
const SYSTEM: &str = "
list-sessions    401 401 401   200 200 200   200 200   200 200 200
create-session   401 401 401   403 403 403   403 403   201 201 403
find-session     401 401 401   200 200 200   200 200   200 200 200
put-session      401 401 401   403 403 403   403 403   200 200 403
patch-session    401 401 401   403 403 403   403 403   200 200 403
delete-session   401 401 401   403 403 403   403 403   200 200 403
append-messages  401 401 401   403 403 403   403 403   200 200 403
list-messages    401 401 401   200 200 200   200 200   200 200 200
list-skills      401 401 401   200 200 200   200 200   200 200 200
create-skill     401 401 401   403 403 403   403 403   201 201 403
find-skill       401 401 401   200 200 200   200 200   200 200 200
put-skill        401 401 401   403 403 403   403 403   200 200 403
patch-skill      401 401 401   403 403 403   403 403   200 200 403
delete-skill     401 401 401   403 403 403   403 403   200 200 403
use-skill        401 401 401   200 200 200   403 403   200 200 200
list-files       401 401 401   200 200 200   200 200   200 200 200
put-file         401 401 401   403 403 403   403 403   200 200 403
get-file         401 401 401   200 200 200   200 200   200 200 200
get-file-link    401 401 401   200 200 200   200 200   200 200 200
head-file        401 401 401   200 200 200   200 200   200 200 200
delete-file      401 401 401   403 403 403   403 403   200 200 403
upload-file      401 401 401   403 403 403   403 403   200 200 403
validate         401 401 401   200 200 200   200 200   200 200 200
me               401 401 401   200 200 200   200 200   200 200 200
health           200 200 200   200 200 200   200 200   200 200 200
";

/// The service with its storage and a client for each kind of caller.
struct Service {
    redis: Redis,
    blobs: BlobServer,
    callers: Vec<(&'static str, Client)>,
}

impl Service {
    async fn start() -> Self {
        let (keys, of_keys) = keys(&["user/alice:read", "admin:read", "admin"]);
        let redis = Redis::start().await;
        let blobs = BlobServer::start().await;
        let auth = AuthConfig {
            api_keys: of_keys.api_keys,
            ..with_secret()
        };
        let api = in_process(Config {
            blob: blob_config(&blobs),
            ..closed(&redis, auth)
        });
        let alice = Claims::of("alice").with("teams", ["red"]);
        let bad = Issuer::hs256("another".repeat(8)).token(&alice);
        let expired = issuer().token(&alice.with("exp", in_seconds(-61)));
        let callers = [
            api.clone(),
            with(&api, &bad),
            with(&api, &expired),
            signed_in(&api, "bob", &[]),
            signed_in(&api, "carol", &["red"]),
            signed_in(&api, "dave", &["blue"]),
            with(&api, &keys[0]),
            with(&api, &keys[1]),
            admin(&api),
            with(&api, &keys[2]),
            signed_in(&api, "alice", &["red"]),
        ];
        Self {
            redis,
            blobs,
            callers: CALLERS.split(' ').zip(callers).collect(),
        }
    }

    /// Returns all stored data.
    async fn snapshot(&self) -> (Vec<(Vec<u8>, Vec<u8>)>, Value) {
        let keys = self.redis.dump();
        (keys, self.blobs.list().await)
    }

    /// Replaces all data by one session, one skill and one file in a volume and returns the session's id.
    async fn prepare(&self, volume: &str, id: &str) -> String {
        let () = self.redis.command(&["FLUSHALL"]);
        let root = format!("volumes/{volume}/{id}");
        let skill = "---\nname: kept\ndescription: Stays\n---\n# Kept\n";
        put(&self.blobs, &format!("{root}/skills/kept.md"), skill).await;
        put(&self.blobs, &format!("{root}/files/kept.txt"), "kept").await;
        let (_, admin) = &self.callers[8];
        let _ = admin
            .delete(&format!(
                "/api/skills/created?volume={volume}&volume_id={id}"
            ))
            .await;
        create(admin, volume, id).await
    }
}

async fn send(api: &Client, route: &str, volume: &str, id: &str, session: &str) -> Response {
    let query = format!("volume={volume}&volume_id={id}");
    let sessions = format!("/api/sessions/{session}");
    let skill = format!("/api/skills/kept?{query}");
    let file = format!("/api/files/kept.txt?{query}");
    let nothing = Vec::new();
    match route {
        "list-sessions" => api.get(&format!("/api/sessions?{query}")).await,
        "create-session" => {
            let body = json!({"name": "x", "volume": volume, "volume_id": id});
            api.post("/api/sessions", &body).await
        }
        "find-session" => api.get(&sessions).await,
        "put-session" => api.put(&sessions, &json!({"name": "changed"})).await,
        "patch-session" => api.patch(&sessions, &json!({"name": "changed"})).await,
        "delete-session" => api.delete(&sessions).await,
        "append-messages" => api.append(session, "changed").await,
        "list-messages" => api.get(&format!("{sessions}/messages")).await,
        "list-skills" => api.get(&format!("/api/skills?{query}")).await,
        "create-skill" => {
            let body =
                json!({"name": "Created", "description": "New", "code": "x", "language": "python"});
            api.post(&format!("/api/skills?{query}"), &body).await
        }
        "find-skill" => api.get(&skill).await,
        "put-skill" => api.put(&skill, &json!({"description": "Changed"})).await,
        "patch-skill" => api.patch(&skill, &json!({"description": "Changed"})).await,
        "delete-skill" => api.delete(&skill).await,
        "use-skill" => {
            let path = format!("/api/skills/kept/usage?{query}");
            api.post(&path, &json!({"success": true})).await
        }
        "list-files" => api.get(&format!("/api/files?{query}")).await,
        "put-file" => api.send(Method::PUT, &file, b"changed".to_vec()).await,
        "get-file" => api.get(&file).await,
        "get-file-link" => {
            let path = format!("/api/files/link?{query}");
            api.post(&path, &json!({"path": "kept.txt"})).await
        }
        "head-file" => api.send(Method::HEAD, &file, nothing).await,
        "delete-file" => api.delete(&file).await,
        "upload-file" => api.post("/api/files/upload", &upload(volume, id)).await,
        "validate" => {
            let body = json!({"name": "x", "description": "y", "code": "x", "language": "python"});
            api.post("/api/skills/validate", &body).await
        }
        "me" => api.get("/api/me").await,
        "health" => api.get("/api/health").await,
        other => panic!("unknown route {other}"),
    }
}

fn upload(volume: &str, id: &str) -> Value {
    let pathname = format!("volumes/{volume}/{id}/files/kept.txt");
    json!({"type": "blob.generate-client-token", "payload": {"pathname": pathname, "clientPayload": null}})
}

/// Sends the request of every cell and checks that rejected ones change nothing.
async fn check(table: &str, volume: &str, id: &str) {
    const WITHOUT_TRACE: [&str; 4] = ["head-", "get-", "list-", "find-"];
    let service = Service::start().await;
    // Data is prepared again only after a request has changed it.
    let mut prepared = None;
    for row in table.trim().lines() {
        let mut cells = row.split_whitespace();
        let route = cells.next().unwrap();
        let statuses: Vec<u16> = cells.map(|it| it.parse().unwrap()).collect();
        assert_eq!(statuses.len(), service.callers.len(), "{row}");
        for ((caller, api), status) in service.callers.iter().zip(statuses) {
            let (session, before) = match prepared.take() {
                Some(prepared) => prepared,
                None => {
                    let session = service.prepare(volume, id).await;
                    (session, service.snapshot().await)
                }
            };
            let response = send(api, route, volume, id, &session).await;
            let what = format!("{caller}, {route}, {volume}: {response:?}");
            assert_eq!(response.status, status, "{what}");
            let after = service.snapshot().await;
            let is_read = WITHOUT_TRACE.iter().any(|it| route.starts_with(it));
            if status >= 400 {
                assert!(before == after, "something changed: {what}");
            } else if !is_read && !["upload-file", "validate", "me", "health"].contains(&route) {
                assert!(before != after, "nothing changed: {what}");
            }
            if before == after {
                prepared = Some((session, before));
            }
            let code = match status {
                401 => "unauthorized",
                403 => "forbidden",
                404 => "not_found",
                _ => continue,
            };
            if route != "head-file" {
                response.assert_error(status, code);
            }
        }
    }
}

#[tokio::test]
async fn user_volume_is_accessible_to_its_user_only() {
    check(USER, "user", "alice").await;
}

#[tokio::test]
async fn team_volume_is_accessible_to_its_members_only() {
    check(TEAM, "team", "red").await;
}

#[tokio::test]
async fn system_volume_is_readable_by_every_caller() {
    check(SYSTEM, "system", "system").await;
}

/// Returns the paths of all routes with values for their parameters.
fn paths() -> Vec<String> {
    let document = llmos::openapi::document();
    let paths = document["paths"].as_object().unwrap().keys();
    paths
        .map(|path| {
            path.replace("{id}", "x")
                .replace("{message_id}", "y")
                .replace("{path}", "x")
        })
        .collect()
}

#[tokio::test]
async fn every_method_of_every_route_requires_credentials() {
    let service = Service::start().await;
    let (_, stranger) = &service.callers[0];
    let stranger = stranger.with_header("content-type", "application/json");
    let body = upload("user", "alice").to_string();
    let mut asked = 0;
    for path in paths() {
        let refused = stranger.send(Method::TRACE, &path, Vec::new()).await;
        let allowed = refused.header("allow").unwrap().to_owned();
        for method in allowed.split(',') {
            let method: Method = method.parse().unwrap();
            let answer = stranger.send(method, &path, body.clone().into()).await;
            let status = if path == "/api/health" { 200 } else { 401 };
            answer.assert_status(status);
            asked += 1;
        }
    }
    assert!(asked >= 30, "only {asked} methods were found");
}
