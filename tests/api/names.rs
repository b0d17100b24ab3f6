//! Unicode normal forms, and names that other programs stored.

use axum::http::Method;
use llmos::blob::client_token;
use llmos::util::percent::encode_path;
use serde_json::{Value, json};

use crate::support::{BlobServer, Client, SkillsApp, in_process, put};

/// `größe/café.txt` in normal forms C and D.
const FORM_C: &str = "gr\u{f6}\u{df}e/caf\u{e9}.txt";
const FORM_D: &str = "gro\u{308}\u{df}e/cafe\u{301}.txt";
/// Names that the service does not store, and the rule that each violates.
const ODD: [(&str, &str); 6] = [
    ("cafe\u{301}", "normal form C"),
    ("right\u{200f}", "bidirectional"),
    ("a\u{202e}gpj.exe", "bidirectional"),
    ("back\\slash", "\\"),
    ("line\nbreak", "control"),
    ("half%2fencoded", "percent-encoded"),
];

async fn start() -> (BlobServer, Client) {
    let store = BlobServer::start().await;
    let api = in_process(store.config());
    (store, api)
}

fn file(path: &str) -> String {
    format!("/api/files/{}", encode_path(path))
}

/// Returns the items of a member of a list, read page by page.
async fn list_all(api: &Client, query: &str, member: &str, limit: usize) -> Vec<Value> {
    let (mut items, mut cursor) = (Vec::new(), String::new());
    loop {
        let path = format!("/api/files?{query}&limit={limit}&cursor={cursor}");
        let page = api.get(&path).await.assert_status(200).json();
        items.extend(page[member].as_array().unwrap().clone());
        let Some(next) = page["next_cursor"].as_str() else {
            return items;
        };
        cursor = next.to_owned();
    }
}

async fn link(api: &Client, path: &str) -> String {
    let link = api.post("/api/files/link", &json!({"path": path})).await;
    link.assert_status(200).json()["url"]
        .as_str()
        .unwrap()
        .to_owned()
}

#[tokio::test]
async fn decomposed_path_names_the_same_file_on_every_route() {
    let (store, api) = start().await;
    let stored = api.send(Method::PUT, &file(FORM_D), b"x".to_vec()).await;
    assert_eq!(stored.assert_status(200).json()["path"], FORM_C);
    assert_eq!(
        store.pathnames().await,
        [format!("volumes/user/default/files/{FORM_C}")]
    );

    for path in [FORM_C, FORM_D] {
        let found = api.get(&file(path)).await.assert_status(200);
        assert_eq!(found.body, b"x");
        let head = api.send(Method::HEAD, &file(path), Vec::new()).await;
        assert_eq!(head.assert_status(200).header("content-length"), Some("1"));
        let linked = api.get(&link(&api, path).await).await;
        assert_eq!(linked.assert_status(200).body, b"x");
        let (folder, _) = path.split_once('/').unwrap();
        let prefix = format!("prefix={}", encode_path(folder));
        let listed = list_all(&api, &prefix, "files", 10).await;
        assert_eq!((listed.len(), &listed[0]["path"]), (1, &json!(FORM_C)));
        assert_eq!(listed[0].get("warning"), None);

        let pathname = format!("volumes/user/default/files/{path}");
        let event =
            json!({"type": "blob.generate-client-token", "payload": {"pathname": pathname}});
        let leave = api
            .post("/api/files/upload", &event)
            .await
            .assert_status(200)
            .json();
        let normal = format!("volumes/user/default/files/{FORM_C}");
        assert_eq!(leave["pathname"], normal);
        let token = leave["clientToken"].as_str().unwrap();
        let payload = client_token::verify(token, BlobServer::TOKEN).unwrap();
        assert_eq!(payload.pathname, normal);
    }
    api.delete(&file(FORM_D)).await.assert_status(200);
    assert_eq!(store.pathnames().await, [""; 0]);
}

#[tokio::test]
async fn files_of_other_programs_are_listed_with_a_warning_read_and_deleted() {
    let (store, api) = start().await;
    for (name, _) in ODD {
        put(&store, &format!("volumes/user/default/files/{name}"), name).await;
    }
    let listed = list_all(&api, "", "files", 2).await;
    assert_eq!(listed.len(), ODD.len());
    for (name, rule) in ODD {
        let entry = listed.iter().find(|entry| entry["path"] == name).unwrap();
        let warning = entry["warning"].as_str().unwrap();
        assert!(warning.contains(rule), "{name:?}: {warning}");
        let head = api
            .send(Method::HEAD, &file(name), Vec::new())
            .await
            .assert_status(200);
        let saved = head.header("content-disposition").unwrap();
        assert!(!saved.contains(['\\', '\u{202e}', '\n']), "{saved}");
        let found = api.get(&file(name)).await.assert_status(200);
        assert_eq!(found.body, name.as_bytes());
        let linked = api.get(&link(&api, name).await).await;
        assert_eq!(linked.assert_status(200).body, name.as_bytes());
    }
    for (name, _) in ODD {
        let stale = api
            .with_header("if-match", "\"x\"")
            .delete(&file(name))
            .await;
        let current = stale.assert_error(412, "precondition_failed")["current"].clone();
        assert_eq!(current["path"], name);
        api.delete(&file(name)).await.assert_status(200);
        api.get(&file(name)).await.assert_error(404, "not_found");
    }
    assert_eq!(store.pathnames().await, [""; 0]);

    // A link to a path that is neither valid nor stored.
    for path in ["back\\slash", "a/../b", "a\0"] {
        let link = api.post("/api/files/link", &json!({"path": path})).await;
        link.assert_invalid("path");
    }
}

#[tokio::test]
async fn file_in_both_normal_forms_is_two_listed_files() {
    let (store, api) = start().await;
    for path in [FORM_C, FORM_D] {
        put(&store, &format!("volumes/user/default/files/{path}"), path).await;
        let other = path.replace(".txt", "2.txt");
        put(&store, &format!("volumes/user/default/files/{other}"), path).await;
    }
    for path in [FORM_C, FORM_D] {
        assert_eq!(
            api.get(&file(path)).await.assert_status(200).body,
            path.as_bytes()
        );
    }
    // The prefix in form D begins the paths in both forms, on pages of any size.
    for limit in [1, 2, 3, 10] {
        let prefix = format!("prefix={}", encode_path("gro\u{308}\u{df}e/"));
        let listed = list_all(&api, &prefix, "files", limit).await;
        let paths = listed.iter().map(|entry| entry["path"].as_str().unwrap());
        let paths: Vec<&str> = paths.collect();
        let second = [FORM_D, FORM_C].map(|path| path.replace(".txt", "2.txt"));
        assert_eq!(paths, [FORM_D, &second[0], FORM_C, &second[1]]);
    }
    let folders = list_all(&api, "folded=true", "folders", 10).await;
    assert_eq!(
        folders,
        [json!("gro\u{308}\u{df}e/"), json!("gr\u{f6}\u{df}e/")]
    );
    api.delete(&file(FORM_D)).await.assert_status(200);
    assert_eq!(
        api.get(&file(FORM_C)).await.assert_status(200).body,
        FORM_C.as_bytes()
    );
}

#[tokio::test]
async fn marker_of_an_empty_folder_is_not_listed_as_a_file() {
    let (store, api) = start().await;
    put(&store, "volumes/user/default/files/empty/", "").await;
    assert_eq!(list_all(&api, "", "files", 10).await, [Value::Null; 0]);
    let folders = list_all(&api, "folded=true", "folders", 10).await;
    assert_eq!(folders, [json!("empty/")]);
    assert_eq!(
        list_all(&api, "folded=true&prefix=empty/", "files", 10).await,
        [Value::Null; 0]
    );
}

/// Ids that the service does not create.
const ODD_IDS: [&str; 7] = [
    "gr\u{f6}\u{df}e",
    "gro\u{308}\u{df}e-2",
    "right\u{200f}",
    "a\u{202e}b",
    "back\\slash",
    "blank ",
    "line\nbreak",
];

#[tokio::test]
async fn skills_of_other_programs_are_listed_with_a_warning_changed_and_deleted() {
    let app = SkillsApp::start().await;
    let document = |id: &str| format!("---\nname: Name\ndescription: {}\n---\nText.\n", id.len());
    let pathname = |id: &str| format!("volumes/user/default/skills/{id}.md");
    for id in ODD_IDS {
        app.put(&pathname(id), document(id)).await;
    }
    app.put(&pathname("data_analysis v1.2"), document("x"))
        .await;

    // From the documents, then from the cache.
    for _ in 0..2 {
        let list = app
            .api
            .get("/api/skills?volume=user")
            .await
            .assert_status(200)
            .json();
        let skills = list["skills"].as_array().unwrap();
        assert_eq!(skills.len(), ODD_IDS.len() + 1);
        for skill in skills {
            let is_odd = skill["id"] != "data_analysis v1.2";
            assert_eq!(
                skill["warnings"].as_array().unwrap().len(),
                usize::from(is_odd),
                "{skill}"
            );
        }
    }
    for id in ODD_IDS {
        let path = format!("/api/skills/{}", encode_path(id));
        let found = app.api.get(&path).await.assert_status(200).json();
        assert_eq!(
            (&found["id"], &found["content"]),
            (&json!(id), &json!(document(id)))
        );
        let used = app
            .api
            .post(&format!("{path}/usage"), &json!({"success": true}))
            .await;
        assert_eq!(used.assert_status(200).json()["usage_count"], 1);
        let changed = app
            .api
            .patch(&path, &json!({"description": "Changed"}))
            .await;
        assert_eq!(changed.assert_status(200).json()["description"], "Changed");
        app.api.delete(&path).await.assert_status(200);
        app.api.get(&path).await.assert_error(404, "not_found");
    }
    assert_eq!(app.pathnames().await, [pathname("data_analysis v1.2")]);
}

#[tokio::test]
async fn decomposed_skill_id_names_the_same_skill_on_every_route() {
    let app = SkillsApp::start().await;
    let pathname = "volumes/user/default/skills/caf\u{e9}.md";
    let path = format!("/api/skills/{}", encode_path("cafe\u{301}"));
    app.put(pathname, "---\nname: Cafe\u{301}\n---\n").await;

    let found = app.api.get(&path).await.assert_status(200).json();
    assert_eq!(found["id"], "caf\u{e9}");
    let used = app
        .api
        .post(&format!("{path}/usage"), &json!({"success": true}))
        .await;
    assert_eq!(used.assert_status(200).json()["usage_count"], 1);
    let changed = app
        .api
        .patch(&path, &json!({"category": "Gro\u{308}\u{df}e"}))
        .await;
    changed.assert_status(200);
    for query in [
        "q=caf%C3%A9",
        "q=CAFE%CC%81",
        "category=gr%C3%B6%C3%9Fe",
        "category=gro%CC%88%C3%9Fe",
    ] {
        let list = app
            .api
            .get(&format!("/api/skills?volume=user&{query}"))
            .await;
        assert_eq!(
            list.assert_status(200).json()["skills"]
                .as_array()
                .unwrap()
                .len(),
            1,
            "{query}"
        );
    }
    app.api.delete(&path).await.assert_status(200);
    assert_eq!(app.pathnames().await, [""; 0]);
}
