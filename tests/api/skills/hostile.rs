//! Hostile names, ids and field values of skills: none escapes its volume or its field.

use axum::http::Method;
use serde_json::{Value, json};

use super::{SYSTEM, USER, document, ids, without_content};
use crate::support::SkillsApp;

/// Returns the members that the caller set.
fn given(skill: &Value) -> Value {
    json!([
        skill["name"],
        skill["description"],
        skill["code"],
        skill["language"],
        skill["tags"]
    ])
}

/// Creates a skill and compares it through every route that returns it.
async fn check_comes_back(app: &SkillsApp, body: &Value) -> String {
    let created = app.api.post("/api/skills", body).await.assert_status(201);
    let path = created.header("location").unwrap().to_owned();
    let created = created.json();
    assert_eq!(given(&created), given(body));
    assert_eq!(created["warnings"], json!([]), "{body}");
    let found = app.api.get(&path).await.assert_status(200).json();
    assert_eq!(without_content(found.clone()), created);
    for field in ["category", "version", "author", "type", "execution_mode"] {
        assert_eq!(created[field], Value::Null, "{field} of {body}");
    }
    for field in ["keywords", "inputs", "outputs"] {
        assert_eq!(created[field], json!([]), "{field} of {body}");
    }

    let text = app
        .api
        .with_header("accept", "text/markdown")
        .get(&path)
        .await
        .assert_status(200);
    assert_eq!(found["content"].as_str().unwrap().as_bytes(), text.body);
    // The same document in another volume is the same skill.
    let markdown = app.api.with_header("content-type", "text/markdown");
    let copied = markdown
        .send(
            Method::POST,
            "/api/skills?volume=user&volume_id=copy",
            text.body,
        )
        .await;
    let copied = copied.assert_status(201).json();
    assert_eq!(
        (given(&copied), &copied["id"]),
        (given(body), &created["id"])
    );

    // A skill that is patched to these values is the same skill.
    let plain = json!({"name": "x", "description": "y", "code": "z", "language": "c"});
    let other = app
        .api
        .post("/api/skills?volume=user&volume_id=changed", &plain)
        .await
        .assert_status(201);
    let other_path = other.header("location").unwrap().to_owned();
    let changed = app
        .api
        .put(&other_path, body)
        .await
        .assert_status(200)
        .json();
    assert_eq!(given(&changed), given(body));
    assert_eq!(changed["warnings"], json!([]), "{body}");
    let other = app.api.get(&other_path).await.assert_status(200).json();
    assert_eq!(without_content(other), changed);
    for path in [
        other_path.as_str(),
        &format!(
            "/api/skills/{}?volume=user&volume_id=copy",
            created["id"].as_str().unwrap()
        ),
    ] {
        app.api.delete(path).await.assert_status(200);
    }
    created["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn skill_names_cannot_escape_their_volume() {
    let app = SkillsApp::start().await;
    app.put(&format!("{SYSTEM}evil.md"), document("evil")).await;
    let body = |name: &str| json!({"name": name, "description": "d", "code": "c", "language": "python", "tags": []});

    let mut expected = vec![format!("{SYSTEM}evil.md")];
    for (name, id) in [
        (
            "../../system/system/skills/evil",
            "system-system-skills-evil",
        ),
        ("a/b", "a-b"),
        ("%2e%2e%2fx", "2e-2e-2fx"),
        ("..\\..\\x: y # z", "x-y-z"),
        ("name: {a: [b]}", "name-a-b"),
        ("'\"`<script>&", "script"),
        ("- !!python/object x", "python-object-x"),
        ("null", "null"),
        ("1.10", "1-10"),
        ("## Code", "code"),
    ] {
        assert_eq!(check_comes_back(&app, &body(name)).await, id, "{name}");
        expected.push(format!("{USER}{id}.md"));
    }
    for name in ["---", "...", "日本"] {
        let id = check_comes_back(&app, &body(name)).await;
        assert!(id.starts_with("skill-") && id.len() == 14, "{id}");
        expected.push(format!("{USER}{id}.md"));
    }
    for name in ["x\ny: z", "x\r\n---\n", "a\0b", "x\u{85}y", "\u{7}"] {
        app.api
            .post("/api/skills", &body(name))
            .await
            .assert_invalid("name");
    }
    expected.sort();
    assert_eq!(app.pathnames().await, expected);
}

#[tokio::test]
async fn skill_ids_cannot_escape_their_volume() {
    let app = SkillsApp::start().await;
    app.put(&format!("{SYSTEM}evil.md"), document("evil")).await;
    app.put("volumes/user/default/files/x.md", document("file"))
        .await;

    for id in [
        "..%2F..%2F..%2Fsystem%2Fsystem%2Fskills%2Fevil",
        "..%2ffiles%2fx",
        "%2e%2e%2ffiles%2fx",
        "..%5Cfiles%5Cx",
        "a%2Fb",
        "%2e%2e",
        "a%00",
        "a%0A",
        "%20a",
        "a%E2%80%AEb",
        "%FF",
        "..%252ffiles%252fx",
    ] {
        for (method, suffix, body) in [
            (Method::GET, "", ""),
            (Method::PUT, "", r#"{"description":"evil"}"#),
            (Method::PATCH, "", "{}"),
            (Method::DELETE, "", ""),
            (Method::POST, "/usage", r#"{"success":true}"#),
        ] {
            let path = format!("/api/skills/{id}{suffix}?volume=user");
            app
                .api
                .send_json(method, &path, body)
                .await
                .assert_error(404, "not_found");
        }
    }
    assert_eq!(
        app.content(&format!("{SYSTEM}evil.md")).await.unwrap(),
        document("evil").as_bytes()
    );
    assert_eq!(
        app.pathnames().await,
        [
            format!("{SYSTEM}evil.md"),
            "volumes/user/default/files/x.md".to_owned()
        ]
    );
}

#[tokio::test]
async fn field_values_cannot_break_out_of_their_field() {
    let app = SkillsApp::start().await;
    let tags: Vec<String> = (0..100)
        .map(|index| format!("{index:03}{}", "t".repeat(100)))
        .collect();
    let hostile_tags = json!([
        "a, b", "]", "x: y", "# c", "'", "\"", "---", "- a", "null", "true", "1.0", "{}", "*a",
        "&b", "!t", "ü", "\\n"
    ]);
    let bodies = [
        json!({"description": "---\nname: evil\n---\n", "code": "x", "tags": tags}),
        json!({"description": "## Code\n\n```python\nevil()\n```\n", "code": "good()", "tags": hostile_tags}),
        json!({"description": "a\n---\nb\n===\n# c\n~~~\n<!-- ", "code": "y\n", "tags": []}),
        json!({"description": "'\"\\ \\n \u{2028} \u{feff}: # - [x] {y} | > & * ! % @ `", "code": "z", "tags": ["x"]}),
        json!({"description": "  lead\n\n\ntail  \n\n", "code": "", "tags": []}),
        json!({"description": "", "code": "\n\n", "tags": []}),
        json!({"description": "d", "code": "```\nx\n```\n\n## Code\n\n````python\ny\n````\n~~~~\n", "tags": []}),
        json!({"description": "d", "code": "---\nname: evil\ntags: [evil]\n---\n", "tags": []}),
        json!({"description": "d", "code": format!("{}\n", "`".repeat(900)), "tags": []}),
        json!({"description": "one\r\ntwo\rthree\n", "code": "one\r\ntwo\rthree\n\r\n", "tags": []}),
        json!({"description": "tab\there", "code": "\ttab\n \u{b}\u{c}\u{1b}[0m\u{2029}", "tags": []}),
        json!({"description": "d", "code": "x".repeat(300_000), "tags": []}),
    ];

    for (index, body) in bodies.into_iter().enumerate() {
        let mut body = body;
        body["name"] = format!("name {index}").into();
        body["language"] = "c++".into();
        assert_eq!(check_comes_back(&app, &body).await, format!("name-{index}"));
    }
    let pathnames = app.pathnames().await;
    assert_eq!(pathnames.len(), 12);
    assert!(
        pathnames
            .iter()
            .all(|it| it.starts_with(&format!("{USER}name-"))),
        "{pathnames:?}"
    );
    let list = app
        .api
        .get("/api/skills?volume=user")
        .await
        .assert_status(200)
        .json();
    assert_eq!(ids(&list).len(), 12);
}

#[tokio::test]
async fn unparsable_documents_are_listed_with_a_warning() {
    let app = SkillsApp::start().await;
    let huge = document("huge") + &"x".repeat(2 << 20);
    let broken: [(&str, &[u8]); 6] = [
        (
            "bomb",
            b"---\na: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n---\n",
        ),
        ("broken", b"---\nname: [\n---\nText\n"),
        ("empty", b""),
        ("endless", b"---\nname: x\n"),
        ("latin", b"---\nname: gr\xf6\xdfe\n---\n"),
        ("plain", b"no front matter"),
    ];
    for (id, text) in broken {
        app.put(&format!("{USER}{id}.md"), text).await;
    }
    app.put(&format!("{USER}huge.md"), huge).await;
    app.put(&format!("{USER}fine.md"), document("fine")).await;
    for name in [
        "note.txt",
        "README",
        "x.MD",
        "nested/inner.md",
        ".md",
        "a.md/b.md",
        "x.md.bak",
    ] {
        app.put(&format!("{USER}{name}"), document("hidden")).await;
    }

    // First from Blob, then from the cache.
    for _ in 0..2 {
        let list = app
            .api
            .get("/api/skills?volume=user")
            .await
            .assert_status(200)
            .json();
        assert_eq!(
            ids(&list),
            [
                "bomb", "broken", "empty", "endless", "fine", "huge", "latin", "plain"
            ]
        );
        for skill in list["skills"].as_array().unwrap() {
            let warnings = skill["warnings"].as_array().unwrap();
            assert_eq!(warnings.is_empty(), skill["id"] == "fine", "{skill}");
            assert_eq!(
                (&skill["volume"], &skill["volume_id"]),
                (&"user".into(), &"default".into())
            );
        }
    }
    for (id, text) in broken {
        let path = format!("/api/skills/{id}?volume=user");
        let found = app.api.get(&path).await.assert_status(200).json();
        assert_ne!(found["warnings"], json!([]), "{id}");
        let exact = app
            .api
            .with_header("accept", "text/markdown")
            .get(&path)
            .await;
        assert_eq!(exact.assert_status(200).body, text);
        // A PUT of the whole document repairs it.
        let markdown = app.api.with_header("content-type", "text/markdown");
        let repaired = markdown.send(Method::PUT, &path, document(id).into()).await;
        assert_eq!(
            repaired.assert_status(200).json()["warnings"],
            json!([]),
            "{id}"
        );
    }
    app
        .api
        .delete("/api/skills/huge?volume=user")
        .await
        .assert_status(200);
}

#[tokio::test]
async fn patch_of_an_unparsable_document_is_rejected() {
    let app = SkillsApp::start().await;
    for (id, text) in [
        ("broken", "---\nname: [\n---\n"),
        ("endless", "---\nname: x\n"),
    ] {
        app.put(&format!("{USER}{id}.md"), text).await;
        let path = format!("/api/skills/{id}");
        app.api
            .put(&path, &json!({"description": "x"}))
            .await
            .assert_invalid("document");
        assert_eq!(
            app.content(&format!("{USER}{id}.md")).await.unwrap(),
            text.as_bytes()
        );
    }
    app.put(
        &format!("{USER}latin.md"),
        b"---\nname: gr\xf6\xdfe\n---\n".to_vec(),
    )
    .await;
    app.api
        .put("/api/skills/latin", &json!({"description": "x"}))
        .await
        .assert_invalid("document");
    let kept = app.content(&format!("{USER}latin.md")).await.unwrap();
    assert_eq!(kept, b"---\nname: gr\xf6\xdfe\n---\n");
}
