//! Names of data: a slash at the end of a path, and distinct names with one id.

use axum::http::Method;
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::{Response, SkillsApp};

const VOLUME: &str = "volume=user&volume_id=default";

#[tokio::test]
async fn file_path_with_a_slash_at_its_end_never_names_the_file() {
    let app = SkillsApp::start().await;
    let put = async |path: &str, body: &[u8]| app.api.send(Method::PUT, path, body.to_vec()).await;
    put("/api/files/a", b"1").await.assert_status(200);
    put("/api/files/link", b"1").await.assert_status(200);

    for path in [
        "/api/files/a/",
        "/api/files/a//",
        "/api/files/a/?volume=user",
        "/api/files/a%2F",
        "/api/files/link/",
    ] {
        put(path, b"2").await.assert_invalid("path");
        app.api.delete(path).await.assert_invalid("path");
        app.api.get(path).await.assert_error(404, "not_found");
        let head = app.api.send(Method::HEAD, path, Vec::new()).await;
        head.assert_status(404);
    }
    for path in ["/api/files/a", "/api/files/link"] {
        assert_eq!(app.api.get(path).await.assert_status(200).body, b"1");
    }
    let list = app.api.get("/api/files/").await.assert_status(200).json();
    assert_eq!(list["files"].as_array().unwrap().len(), 2);
    // A route is not a name of data.
    let link = app
        .api
        .post("/api/files/link/", &json!({"path": "a"}))
        .await;
    link.assert_status(200);
    let link = app
        .api
        .post("/api/files/link", &json!({"path": "a/"}))
        .await;
    link.assert_invalid("path");
}

async fn create(app: &SkillsApp, body: Value) -> Response {
    app.api.post("/api/skills", &body).await
}

fn named(name: &str) -> Value {
    json!({"name": name, "description": "d"})
}

/// Checks that the response is a 409 that names this id, its path and the remedy.
#[track_caller]
fn assert_taken(response: Response, id: &str) {
    let location = format!("/api/skills/{id}?{VOLUME}");
    assert_eq!(response.header("location"), Some(&*location));
    let problem = response.assert_error(409, "conflict");
    let detail = problem["detail"].as_str().unwrap();
    for part in [&*format!("`{id}`"), "Location", "`id`", "`skill_id`"] {
        assert!(detail.contains(part), "{detail}");
    }
}

#[tokio::test]
async fn distinct_names_with_one_id_get_numbers() {
    let app = SkillsApp::start().await;
    for (name, id) in [("C", "c"), ("C++", "c-2"), ("C#", "c-3")] {
        let created = create(&app, named(name)).await.assert_status(201);
        assert_eq!(created.json()["id"], id);
        let location = format!("/api/skills/{id}?{VOLUME}");
        assert_eq!(created.header("location"), Some(&*location));
    }
    for (name, id) in [("C", "c"), ("C++", "c-2"), (" C# ", "c-3")] {
        assert_taken(create(&app, named(name)).await, id);
    }
    let markdown = app.api.with_header("content-type", "text/markdown");
    let document = b"---\nname: \"C?\"\n---\n".to_vec();
    let created = markdown.send(Method::POST, "/api/skills", document).await;
    assert_eq!(created.assert_status(201).json()["id"], "c-4");

    let list = app.api.get(&format!("/api/skills?{VOLUME}")).await.json();
    let skills = list["skills"].as_array().unwrap().iter();
    let mut names: Vec<&str> = skills
        .map(|skill| skill["name"].as_str().unwrap())
        .collect();
    names.sort_unstable();
    assert_eq!(names, ["C", "C#", "C++", "C?"]);
}

#[tokio::test]
async fn name_in_another_normal_form_is_the_same_name() {
    let app = SkillsApp::start().await;
    create(&app, named("Café")).await.assert_status(201);
    assert_taken(create(&app, named("Cafe\u{301}")).await, "cafe");
}

#[tokio::test]
async fn chosen_id_is_used_as_it_is() {
    let app = SkillsApp::start().await;
    let with_id = |id: Value| json!({"id": id, "name": "C++", "description": "d"});
    let created = create(&app, with_id(json!("cpp"))).await.assert_status(201);
    assert_eq!(created.json()["id"], "cpp");
    let mut other = with_id(json!("cpp"));
    other["name"] = "D".into();
    assert_taken(create(&app, other).await, "cpp");
    let derived = create(&app, with_id(Value::Null)).await.assert_status(201);
    assert_eq!(derived.json()["id"], "c");
    for id in ["C", "c_d", "", "../x", &"x".repeat(65)] {
        create(&app, with_id(json!(id))).await.assert_invalid("id");
    }
    create(&app, with_id(json!(5))).await.assert_invalid("id");

    let markdown = app.api.with_header("content-type", "text/markdown");
    let document = b"---\nskill_id: cpp\nname: E\n---\n".to_vec();
    assert_taken(
        markdown.send(Method::POST, "/api/skills", document).await,
        "cpp",
    );
    let validated = app
        .api
        .post("/api/skills/validate", &with_id(json!("mine")))
        .await;
    assert_eq!(validated.assert_status(200).json()["id"], "mine");
}

#[tokio::test]
async fn repeated_creation_with_a_numbered_id_is_replayed() {
    let app = SkillsApp::start().await;
    create(&app, named("C")).await.assert_status(201);
    let keyed = app.api.with_header("idempotency-key", "k");
    let first = keyed
        .post("/api/skills", &named("C++"))
        .await
        .assert_status(201);
    let again = keyed
        .post("/api/skills", &named("C++"))
        .await
        .assert_status(201);
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!(
        (first.json(), first.json()["id"].clone()),
        (again.json(), json!("c-2"))
    );
    assert_eq!(app.pathnames().await.len(), 2);
}

#[tokio::test]
async fn concurrent_creations_of_distinct_names_get_distinct_ids() {
    let app = SkillsApp::start().await;
    let names = ["C", "C+", "C++", "C#", "(C)"];
    let created = join_all(names.map(|name| create(&app, named(name)))).await;
    let mut ids: Vec<String> = created
        .into_iter()
        .map(|created| {
            created.assert_status(201).json()["id"]
                .as_str()
                .unwrap()
                .to_owned()
        })
        .collect();
    ids.sort();
    assert_eq!(ids, ["c", "c-2", "c-3", "c-4", "c-5"]);
}

#[tokio::test]
async fn creation_after_the_last_number_is_409() {
    let app = SkillsApp::start().await;
    for number in 1..=10 {
        let name = format!("C{}", "+".repeat(number));
        create(&app, named(&name)).await.assert_status(201);
    }
    assert_taken(create(&app, named("C#")).await, "c");
}
