//! Creating, reading, changing and deleting skills, and the stored documents.

use axum::http::Method;
use futures_util::future::join_all;
use serde_json::{Value, json};

use super::super::support::{Response, SkillsApp};
use super::{SYSTEM, USER, document, ids, new_skill, without_content};

/// A knowledge document with unknown keys and comments.
const KNOWLEDGE: &str = "---\n# a comment\nname: Data Cleaning # why\ncategory: knowledge\n\
    description: How to clean data\nkeywords: [clean, tidy]\nx_custom: {a: 1, b: [2, 3]}\n---\n# Data\n\nText.\n";
/// A document of an executable node.
const NODE: &str = "---\nskill_id: plot-chart\nname: Plot a chart\ndescription: Plots\ntype: node\n\
    execution_mode: browser\ncategory: plotting\ntags: [plot]\nversion: 1.10\nauthor: anna\n\
    estimated_time_ms: 20\nmemory_mb: 64\ninputs:\n  - {name: rows, type: array, description: Rows, required: true}\n\
    outputs:\n  - name: image\n    type: string\n    description: An image\n---\n# Plot\n\n## Code\n\n\
    ```javascript\nplot(rows)\n```\n";
/// The document that a `POST` of JSON writes.
const SIMPLE: &str = "---\nname: Hello World\ndescription: Greets\nlanguage: python\ntags: [x]\n---\n\n\
    # Skill: Hello World\n\nGreets\n\n## Code\n\n```python\nprint('hi')\n```\n";

async fn send_markdown(app: &SkillsApp, method: Method, path: &str, text: &str) -> Response {
    let api = app.api.with_header("content-type", "text/markdown");
    api.send(method, path, text.into()).await
}

async fn read_document(app: &SkillsApp, path: &str) -> Response {
    let api = app.api.with_header("accept", "text/markdown");
    let response = api.get(path).await.assert_status(200);
    assert_eq!(
        response.header("content-type"),
        Some("text/markdown; charset=utf-8")
    );
    assert_eq!(response.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(response.header("vary"), Some("accept"));
    response
}

#[tokio::test]
async fn created_skill_is_the_same_in_create_get_and_list() {
    let app = SkillsApp::start().await;

    let created = app.api.post("/api/skills", &new_skill("Hello World")).await;
    let created = created.assert_status(201);

    let skill = created.json();
    let etag = skill["etag"].as_str().unwrap();
    let path = "/api/skills/hello-world?volume=user&volume_id=default";
    assert_eq!(created.header("location"), Some(path));
    assert_eq!(created.header("etag"), Some(format!("\"{etag}\"").as_str()));
    assert_eq!(created.header("idempotency-replayed"), None);
    let time = skill["created_at"].as_str().unwrap();
    assert!(time.ends_with(".000000Z") && time.len() == 27, "{time}");
    assert_eq!(
        skill,
        json!({
            "id": "hello-world", "name": "Hello World", "description": "Greets", "code": "print('hi')\n",
            "language": "python", "tags": ["a", "b"], "category": null, "keywords": [], "version": null,
            "author": null, "type": null, "execution_mode": null, "inputs": [], "outputs": [],
            "volume": "user", "volume_id": "default", "usage_count": 0, "success_rate": null,
            "size_bytes": app.content(&format!("{USER}hello-world.md")).await.unwrap().len(),
            "etag": etag, "warnings": [], "created_at": time, "updated_at": time,
        })
    );

    let found = app.api.get(path).await.assert_status(200);
    assert_eq!(found.header("etag"), created.header("etag"));
    let content = found.json()["content"].as_str().unwrap().to_owned();
    assert_eq!(without_content(found.json()), skill);
    let nearest = app.api.get("/api/skills/hello-world").await;
    assert_eq!(nearest.assert_status(200).json(), found.json());
    let list = app.api.get("/api/skills?volume=user").await;
    let list = list.assert_status(200).json();
    assert_eq!(list, json!({"skills": [skill], "next_cursor": null}));

    let exact = read_document(&app, path).await;
    assert_eq!(exact.body, content.as_bytes());
    assert_eq!(exact.header("etag"), created.header("etag"));
    let stored = app.content(&format!("{USER}hello-world.md")).await.unwrap();
    assert_eq!(exact.body, stored);
    assert_eq!(app.pathnames().await, [format!("{USER}hello-world.md")]);
}

#[tokio::test]
async fn get_with_a_matching_etag_is_304() {
    let app = SkillsApp::start().await;
    let created = app.api.post("/api/skills", &new_skill("x")).await;
    let etag = created
        .assert_status(201)
        .header("etag")
        .unwrap()
        .to_owned();

    for known in [
        etag.clone(),
        format!("W/{etag}"),
        format!("\"old\", {etag}"),
    ] {
        for accept in ["application/json", "text/markdown"] {
            let api = app.api.with_header("if-none-match", known.clone());
            let api = api.with_header("accept", accept);
            let response = api.get("/api/skills/x").await.assert_status(304);
            assert_eq!(response.header("etag"), Some(etag.as_str()));
            assert_eq!(response.header("vary"), Some("accept"));
            assert!(response.body.is_empty());
        }
    }
    let api = app.api.with_header("if-none-match", "\"old\"");
    let found = api.get("/api/skills/x").await.assert_status(200).json();
    assert_eq!(found["id"], "x");
}

#[tokio::test]
async fn patch_keeps_unknown_keys_and_comments() {
    let app = SkillsApp::start().await;
    app.put(&format!("{USER}data-cleaning.md"), KNOWLEDGE).await;
    let path = "/api/skills/data-cleaning";

    let before = app.api.get(path).await.assert_status(200).json();
    let change = json!({"description": "A: new # one", "tags": ["x"]});
    let changed = app.api.put(path, &change).await.assert_status(200);
    let found = app.api.get(path).await.assert_status(200);

    assert_eq!(changed.header("etag"), found.header("etag"));
    assert_eq!(changed.json(), without_content(found.json()));
    assert_ne!(changed.json()["etag"], before["etag"]);
    assert_eq!(changed.json()["description"], "A: new # one");
    assert_eq!(changed.json()["tags"], json!(["x"]));
    for field in ["name", "category", "keywords", "code", "id", "created_at"] {
        assert_eq!(changed.json()[field], before[field], "{field}");
    }
    let text = String::from_utf8(read_document(&app, path).await.body).unwrap();
    for line in [
        "# a comment\n",
        "name: Data Cleaning # why\n",
        "x_custom: {a: 1, b: [2, 3]}\n",
        "keywords: [clean, tidy]\n",
        "---\n# Data\n\nText.\n",
    ] {
        assert!(text.contains(line), "{line:?} is missing in {text}");
    }

    let patched = app.api.patch(path, &json!({"category": null})).await;
    let patched = patched.assert_status(200).json();
    assert_eq!(
        (&patched["category"], &patched["description"]),
        (&Value::Null, &"A: new # one".into())
    );
    let text = String::from_utf8(read_document(&app, path).await.body).unwrap();
    assert!(!text.contains("category") && text.contains("# a comment\n"));

    let unchanged = app.api.patch(path, &json!({})).await.assert_status(200);
    assert_eq!(unchanged.json(), patched);
    assert_eq!(app.pathnames().await.len(), 1);
}

#[tokio::test]
async fn put_replaces_the_document_verbatim() {
    let app = SkillsApp::start().await;
    let created = app.api.post("/api/skills", &new_skill("x")).await;
    let created = created.assert_status(201).json();
    let path = "/api/skills/x";

    for method in [Method::PUT, Method::PATCH] {
        for text in [
            KNOWLEDGE.to_owned(),
            NODE.replace('\n', "\r\n"),
            SIMPLE.into(),
        ] {
            let response = send_markdown(&app, method.clone(), path, &text).await;
            let replaced = response.assert_status(200);
            let exact = read_document(&app, path).await;
            assert_eq!(exact.body, text.as_bytes());
            assert_eq!(exact.header("etag"), replaced.header("etag"));
            let found = app.api.get(path).await.assert_status(200).json();
            assert_eq!(replaced.json(), without_content(found));
            assert_eq!(replaced.json()["id"], "x");
            assert_eq!(replaced.json()["created_at"], created["created_at"]);
            assert_eq!(replaced.json()["size_bytes"], text.len());
        }
    }
    let refused = send_markdown(&app, Method::PUT, path, "no front matter").await;
    refused.assert_invalid("document");
    assert_eq!(read_document(&app, path).await.body, SIMPLE.as_bytes());
}

#[tokio::test]
async fn deleted_skill_is_404() {
    let app = SkillsApp::start().await;
    let created = app.api.post("/api/skills", &new_skill("x")).await;
    let etag = created
        .assert_status(201)
        .header("etag")
        .unwrap()
        .to_owned();

    let stale = app.api.with_header("if-match", "\"old\"");
    let problem = stale.delete("/api/skills/x").await;
    assert_eq!(problem.header("etag"), Some(&*etag));
    let problem = problem.assert_error(412, "precondition_failed");
    assert_eq!(problem["current"]["id"], "x");
    let api = app.api.with_header("if-match", etag);
    let deleted = api.delete("/api/skills/x").await.assert_status(200).json();
    assert_eq!(deleted, json!({"message": "Skill x deleted"}));

    for method in [Method::GET, Method::PUT, Method::PATCH, Method::DELETE] {
        let response = app.api.send_json(method, "/api/skills/x", "{}").await;
        response.assert_error(404, "not_found");
    }
    let list = app
        .api
        .get("/api/skills?volume=user")
        .await
        .assert_status(200);
    assert_eq!(list.json(), json!({"skills": [], "next_cursor": null}));
    assert_eq!(app.pathnames().await, Vec::<String>::new());
    app.api
        .post("/api/skills", &new_skill("x"))
        .await
        .assert_status(201);
}

#[tokio::test]
async fn creation_with_an_existing_id_is_a_conflict() {
    let app = SkillsApp::start().await;
    app.api
        .post("/api/skills", &new_skill("Hello World"))
        .await
        .assert_status(201);
    let before = app
        .api
        .get("/api/skills/hello-world")
        .await
        .assert_status(200)
        .json();

    let response = app.api.post("/api/skills", &new_skill("Hello World")).await;
    response.assert_error(409, "conflict");
    for (name, id) in [
        ("hello-world", "hello-world-2"),
        ("HELLO  world!", "hello-world-3"),
    ] {
        let other = app.api.post("/api/skills", &new_skill(name)).await;
        assert_eq!(other.assert_status(201).json()["id"], id);
    }
    let response = send_markdown(&app, Method::POST, "/api/skills", SIMPLE).await;
    response.assert_error(409, "conflict");
    let after = app
        .api
        .get("/api/skills/hello-world")
        .await
        .assert_status(200)
        .json();
    assert_eq!(before, after);
    let path = "/api/skills?volume=user&volume_id=bert";
    let other = app.api.post(path, &new_skill("Hello World")).await;
    assert_eq!(other.assert_status(201).json()["volume_id"], "bert");
}

#[tokio::test]
async fn repeated_creation_returns_the_first_response() {
    let app = SkillsApp::start().await;
    let api = app.api.with_header("idempotency-key", "key-1");

    let first = api
        .post("/api/skills", &new_skill("x"))
        .await
        .assert_status(201);
    let again = api
        .post("/api/skills", &new_skill("x"))
        .await
        .assert_status(201);

    assert_eq!(
        (
            first.header("idempotency-replayed"),
            again.header("idempotency-replayed")
        ),
        (None, Some("true"))
    );
    assert_eq!(first.json(), again.json());
    for header in ["location", "etag"] {
        assert_eq!(first.header(header), again.header(header));
    }
    assert_eq!(app.pathnames().await, [format!("{USER}x.md")]);
    let mut other = new_skill("x");
    other["code"] = "other".into();
    api.post("/api/skills", &other)
        .await
        .assert_error(409, "conflict");
}

#[tokio::test]
async fn concurrent_creations_of_one_id_create_one_skill() {
    let app = SkillsApp::start().await;
    let bodies: Vec<Value> = (0..8)
        .map(|index| json!({"name": "x", "description": format!("{index}"), "code": "", "language": "c"}))
        .collect();

    let answers = join_all(bodies.iter().map(|body| app.api.post("/api/skills", body))).await;

    let (done, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(|it| it.status == 201);
    assert_eq!((done.len(), refused.len()), (1, 7));
    for answer in refused {
        answer.assert_error(409, "conflict");
    }
    let found = app.api.get("/api/skills/x").await.assert_status(200).json();
    assert_eq!(without_content(found), done[0].json());
}

#[tokio::test]
async fn documents_of_each_format_are_stored_verbatim() {
    let app = SkillsApp::start().await;

    for (text, id) in [
        (KNOWLEDGE, "data-cleaning"),
        (NODE, "plot-chart"),
        (SIMPLE, "hello-world"),
        // An id that is invalid for new skills is replaced by one made from the name.
        (
            "---\nskill_id: ../Evil_1\nname: Good Name\ndescription: d\n---\n",
            "good-name",
        ),
    ] {
        let created = send_markdown(
            &app,
            Method::POST,
            "/api/skills?volume=team&volume_id=acme",
            text,
        );
        let created = created.await.assert_status(201);
        let path = format!("/api/skills/{id}?volume=team&volume_id=acme");
        assert_eq!(created.header("location"), Some(path.as_str()));
        assert_eq!(read_document(&app, &path).await.body, text.as_bytes());
        let found = app.api.get(&path).await.assert_status(200).json();
        assert_eq!(without_content(found), created.json());
        assert_eq!(created.json()["id"], id);
    }
    let node = app
        .api
        .get("/api/skills/plot-chart?volume=team&volume_id=acme")
        .await
        .assert_status(200);
    let node = node.json();
    for (field, expected) in [
        ("name", json!("Plot a chart")),
        ("description", json!("Plots")),
        ("type", json!("node")),
        ("execution_mode", json!("browser")),
        ("category", json!("plotting")),
        ("tags", json!(["plot"])),
        ("version", json!("1.10")),
        ("author", json!("anna")),
        (
            "inputs",
            json!([{"name": "rows", "type": "array", "description": "Rows", "required": true}]),
        ),
        (
            "outputs",
            json!([{"name": "image", "type": "string", "description": "An image"}]),
        ),
        ("code", json!("plot(rows)")),
        ("language", json!("javascript")),
        ("warnings", json!([])),
    ] {
        assert_eq!(node[field], expected, "{field}");
    }
    let list = app
        .api
        .get("/api/skills?volume=team&volume_id=acme")
        .await
        .assert_status(200)
        .json();
    assert_eq!(
        ids(&list),
        ["data-cleaning", "good-name", "hello-world", "plot-chart"]
    );
    assert_eq!(list["skills"][3], without_content(node));
}

#[tokio::test]
async fn skill_without_code_has_no_code_member() {
    let app = SkillsApp::start().await;
    let created = app
        .api
        .post(
            "/api/skills",
            &json!({"name": "Plain language", "description": "Short sentences"}),
        )
        .await
        .assert_status(201)
        .json();
    assert_eq!(
        [&created["code"], &created["language"], &created["warnings"]],
        [&json!(null), &json!(null), &json!([])]
    );
    let found = app
        .api
        .get("/api/skills/plain-language")
        .await
        .assert_status(200)
        .json();
    assert_eq!(
        found["content"],
        "---\nname: Plain language\ndescription: Short sentences\ntags: []\n---\n\n# Skill: Plain language\n\nShort sentences\n"
    );
}

#[tokio::test]
async fn invalid_documents_are_rejected() {
    let app = SkillsApp::start().await;

    for text in [
        "",
        "text",
        "---\nname: x\n",
        "---\nname: [\n---\n",
        "---\ndescription: x\n---\n",
        "---\nname: ' '\n---\n",
    ] {
        send_markdown(&app, Method::POST, "/api/skills", text)
            .await
            .assert_invalid("document");
    }
    let api = app.api.with_header("content-type", "text/markdown");
    let latin = b"---\nname: gr\xf6\xdfe\n---\n".to_vec();
    api.send(Method::POST, "/api/skills", latin)
        .await
        .assert_invalid("document");
    let large = document("x") + &"x".repeat(1 << 20);
    send_markdown(&app, Method::POST, "/api/skills", &large)
        .await
        .assert_invalid("document");
    for (field, value) in [
        ("name", json!("")),
        ("name", json!("n".repeat(201))),
        ("description", json!("d".repeat(8193))),
        ("code", json!(7)),
        ("language", json!("a b")),
        ("language", json!("x\n```")),
        ("tags", json!([""])),
    ] {
        let mut body = new_skill("x");
        body[field] = value;
        let problem = app
            .api
            .post("/api/skills", &body)
            .await
            .assert_error(422, "validation_failed");
        let named = problem["errors"][0]["field"].as_str().unwrap();
        assert!(named.starts_with(field), "{problem}");
    }
    for field in ["name", "description"] {
        let mut body = new_skill("x");
        body.as_object_mut().unwrap().remove(field);
        app.api
            .post("/api/skills", &body)
            .await
            .assert_invalid(field);
    }
    let xml = app.api.with_header("content-type", "text/xml");
    let response = xml
        .send(Method::POST, "/api/skills", b"<x/>".to_vec())
        .await;
    response.assert_error(415, "unsupported_media_type");
    assert_eq!(app.pathnames().await, Vec::<String>::new());
}

#[tokio::test]
async fn skills_with_legacy_ids_are_listed_read_changed_and_deleted() {
    let app = SkillsApp::start().await;
    let all = [
        ("My_Old Skill", "My_Old%20Skill"),
        ("größe", "gr%C3%B6%C3%9Fe"),
        ("skill_001", "skill_001"),
    ];
    for (id, _) in all {
        app.put(&format!("{SYSTEM}{id}.md"), document(id)).await;
    }

    let list = app.api.get("/api/skills").await.assert_status(200).json();
    assert_eq!(ids(&list), ["My_Old Skill", "größe", "skill_001"]);
    for (index, (id, encoded)) in all.into_iter().enumerate() {
        let path = format!("/api/skills/{encoded}?volume=system");
        let found = app.api.get(&path).await.assert_status(200).json();
        assert_eq!(found["content"], document(id));
        assert_eq!(without_content(found.clone()), list["skills"][index]);
        let changed = app
            .api
            .put(&path, &json!({"version": "2"}))
            .await
            .assert_status(200)
            .json();
        assert_eq!(
            (&changed["version"], &changed["id"]),
            (&"2".into(), &id.into())
        );
        let used = app
            .api
            .post(
                &format!("/api/skills/{encoded}/usage"),
                &json!({"success": true}),
            )
            .await;
        assert_eq!(used.assert_status(200).json()["usage_count"], 1);
        let text = String::from_utf8(read_document(&app, &path).await.body).unwrap();
        assert_eq!(text.replace("version: \"2\"\n", ""), document(id));
        let deleted = app.api.delete(&path).await.assert_status(200).json();
        assert_eq!(deleted["message"], format!("Skill {id} deleted"));
        app.api.get(&path).await.assert_error(404, "not_found");
    }
    assert_eq!(app.pathnames().await, Vec::<String>::new());
}

#[tokio::test]
async fn concurrent_writers_with_one_etag_succeed_once() {
    let app = SkillsApp::start().await;
    let created = app.api.post("/api/skills", &new_skill("x")).await;
    let etag = created
        .assert_status(201)
        .header("etag")
        .unwrap()
        .to_owned();
    let api = app.api.with_header("if-match", etag);

    let (one, two) = (json!({"description": "one"}), json!({"description": "two"}));
    let (one, two) = tokio::join!(
        api.put("/api/skills/x", &one),
        api.put("/api/skills/x", &two)
    );

    let (won, lost) = if one.status == 200 {
        (one, two)
    } else {
        (two, one)
    };
    let won = won.assert_status(200).json();
    let problem = lost.assert_error(412, "precondition_failed");
    assert_eq!(problem["current"], won);
    let found = app.api.get("/api/skills/x").await.assert_status(200).json();
    assert_eq!(without_content(found), won);
}

#[tokio::test]
async fn concurrent_patches_of_different_fields_are_all_kept() {
    let app = SkillsApp::start().await;
    app.api
        .post("/api/skills", &new_skill("x"))
        .await
        .assert_status(201);
    let changes = json!({
        "name": "y", "description": "d", "code": "c\n", "language": "rust", "tags": ["t"], "category": "k",
        "keywords": ["w"], "version": "3", "author": "a", "type": "p", "execution_mode": "m",
        "inputs": [{"name": "i"}], "outputs": [{"name": "o"}],
    });
    // Some tags come twice, which makes 20.
    let fields = changes.as_object().unwrap();
    let twenty = fields.iter().chain(fields).take(20);
    let bodies: Vec<Value> = twenty.map(|(field, value)| json!({field: value})).collect();
    assert_eq!(bodies.len(), 20);

    let answers = join_all(bodies.iter().map(|body| app.api.put("/api/skills/x", body))).await;

    for answer in answers {
        answer.assert_status(200);
    }
    let found = app.api.get("/api/skills/x").await.assert_status(200).json();
    for (field, value) in fields {
        assert_eq!(found[field], *value, "{field}");
    }
    assert_eq!(found["warnings"], json!([]));
}

#[tokio::test]
async fn validation_does_not_store_the_document() {
    let app = SkillsApp::start().await;

    let validate =
        |text: &'static str| send_markdown(&app, Method::POST, "/api/skills/validate", text);
    let fine = validate(NODE).await.assert_status(200).json();
    assert_eq!(
        fine,
        json!({"valid": true, "id": "plot-chart", "warnings": []})
    );
    let odd = validate("---\nname: x\n---\n")
        .await
        .assert_status(200)
        .json();
    assert_eq!((&odd["valid"], &odd["id"]), (&true.into(), &"x".into()));
    assert_eq!(odd["warnings"].as_array().unwrap().len(), 1, "{odd}");
    for text in ["", "x", "---\nname: [\n---\n", "---\ndescription: x\n---\n"] {
        let bad = validate(text).await.assert_status(200).json();
        assert_eq!((&bad["valid"], &bad["id"]), (&false.into(), &Value::Null));
        assert!(!bad["warnings"].as_array().unwrap().is_empty(), "{bad}");
    }
    let json = app
        .api
        .post("/api/skills/validate", &new_skill("Hello World"))
        .await;
    let json = json.assert_status(200).json();
    assert_eq!(
        json,
        json!({"valid": true, "id": "hello-world", "warnings": []})
    );
    assert_eq!(app.pathnames().await, Vec::<String>::new());
    assert_eq!(app.blobs.requests().len(), 1);
}

#[tokio::test]
async fn skill_named_like_a_route_is_served() {
    let app = SkillsApp::start().await;
    let created = app.api.post("/api/skills", &new_skill("Validate")).await;
    let path = created
        .assert_status(201)
        .header("location")
        .unwrap()
        .to_owned();
    assert_eq!(
        app.api.get(&path).await.assert_status(200).json()["name"],
        "Validate"
    );
    let changed = app.api.put(&path, &json!({"description": "x"})).await;
    assert_eq!(changed.assert_status(200).json()["description"], "x");
    app.api.delete(&path).await.assert_status(200);
}

#[tokio::test]
async fn accept_header_selects_json_or_markdown() {
    let app = SkillsApp::start().await;
    app.put(&format!("{USER}x.md"), NODE).await;
    for (accept, content_type) in [
        ("text/markdown", "text/markdown; charset=utf-8"),
        (
            "application/json;q=0.5, text/markdown",
            "text/markdown; charset=utf-8",
        ),
        ("application/json, text/markdown;q=0.5", "application/json"),
        ("text/markdown;q=0", "application/json"),
        ("*/*", "application/json"),
        ("image/png", "application/json"),
    ] {
        let api = app.api.with_header("accept", accept);
        let found = api.get("/api/skills/x").await.assert_status(200);
        assert_eq!(found.header("content-type"), Some(content_type), "{accept}");
        assert_eq!(found.header("vary"), Some("accept"));
    }
}

#[tokio::test]
async fn skill_is_exported_in_other_formats() {
    let app = SkillsApp::start().await;
    app.put(&format!("{USER}Plot_It.md"), NODE).await;

    let exported = app
        .api
        .get("/api/skills/Plot_It?format=agentskills")
        .await
        .assert_status(200);
    assert_eq!(
        exported.header("content-type"),
        Some("text/markdown; charset=utf-8")
    );
    let text = String::from_utf8(exported.body).unwrap();
    let (front_matter, body) = text
        .strip_prefix("---\n")
        .unwrap()
        .split_once("\n---\n")
        .unwrap();
    let keys: Vec<&str> = front_matter
        .lines()
        .filter(|line| !line.starts_with(' '))
        .map(|line| line.split(':').next().unwrap())
        .collect();
    assert_eq!(keys, ["name", "description", "metadata"]);
    assert!(
        front_matter.starts_with("name: plot-it\n"),
        "{front_matter}"
    );
    assert!(front_matter.contains("Plot a chart") && front_matter.contains("1.10"));
    assert_eq!(body, NODE.split_once("\n---\n").unwrap().1);

    let plain = app
        .api
        .get("/api/skills/Plot_It?format=markdown")
        .await
        .assert_status(200);
    assert_eq!(plain.body, NODE.as_bytes());
    let api = app.api.with_header("accept", "text/markdown");
    let json = api.get("/api/skills/Plot_It?format=json").await;
    assert_eq!(json.assert_status(200).json()["content"], NODE);
    app.api
        .get("/api/skills/Plot_It?format=xml")
        .await
        .assert_invalid("format");
}

#[tokio::test]
async fn malformed_front_matter_is_rejected_with_the_corrected_line() {
    let app = SkillsApp::start().await;
    for (front_matter, line, reason) in [
        (
            "name: x\ndescription: a: b",
            3,
            "the value of `description` contains a colon before a space, which ends a key. Put it in quotes: \
             description: \"a: b\"",
        ),
        (
            "name: @x\ndescription: y",
            2,
            "the value of `name` begins with `@`, which has a meaning in YAML. Put it in quotes: name: \"@x\"",
        ),
        (
            "name:x\ndescription: y",
            2,
            "a space is missing after `name:`. Write: name: x",
        ),
        (
            "name: x\nmetadata:\n\ta: 1",
            4,
            "a tab cannot indent a line. Use spaces: a: 1",
        ),
        (
            "name: 'it's'\ndescription: y",
            2,
            "the quotes of the value of `name` do not match, or contain a wrong escape. Write: name: \"it's\"",
        ),
    ] {
        let document = format!("---\n{front_matter}\n---\n");
        let path = "/api/skills/x?volume=user";
        let rejected = send_markdown(&app, Method::PUT, path, &document).await;
        let problem = rejected.assert_error(422, "validation_failed");
        let detail = problem["detail"].as_str().unwrap();
        let expected = format!("line {line}: the front matter is malformed: {reason}");
        assert!(detail.contains(&expected), "{detail}");
    }
}

#[tokio::test]
async fn surrogate_pairs_in_front_matter_are_characters() {
    let app = SkillsApp::start().await;
    let document = "---\nname: \"\\ud83d\\ude80 start\"\ndescription: \"\\uD83D\\uDE80\" # \\ud83d\\ude80\n---\ntext\n";
    let path_of_all = "/api/skills?volume=user";
    let stored = send_markdown(&app, Method::POST, path_of_all, document).await;
    let stored = stored.assert_status(201);
    let path = stored.header("location").unwrap();
    let skill = stored.json();
    assert_eq!(
        (&skill["name"], &skill["description"]),
        (&json!("🚀 start"), &json!("🚀"))
    );
    assert_eq!(skill["warnings"], json!([]));
    assert_eq!(read_document(&app, path).await.body, document.as_bytes());
    // An edit keeps the notation of the other values.
    let edited = app.api.patch(path, &json!({"description": "x"})).await;
    assert_eq!(edited.assert_status(200).json()["name"], "🚀 start");
    let expected = document.replace("\"\\uD83D\\uDE80\" # \\ud83d\\ude80", "x");
    assert_eq!(read_document(&app, path).await.body, expected.as_bytes());
}
