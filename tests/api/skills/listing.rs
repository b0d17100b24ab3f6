//! Lists of skills: order, pages, filters, overrides between volumes, and Blob reads.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::super::support::{Fault, SkillsApp};
use super::{SYSTEM, USER, document, ids, new_skill};

/// Returns the requests for contents among the requests to the store.
fn contents(requests: &[String]) -> Vec<&String> {
    let is_content = |line: &&String| line.starts_with("GET /_blob/content/");
    requests.iter().filter(is_content).collect()
}

/// Reads all pages of a list.
async fn all_pages(app: &SkillsApp, query: &str) -> Vec<Vec<String>> {
    let mut pages = Vec::new();
    let mut cursor = String::new();
    loop {
        let path = format!("/api/skills?{query}&cursor={cursor}");
        let page = app.api.get(&path).await.assert_status(200).json();
        pages.push(ids(&page));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = next.to_owned(),
            None => return pages,
        }
        assert!(pages.len() < 100, "{query} goes on and on");
    }
}

#[tokio::test]
async fn pages_contain_every_skill_once_in_order() {
    let app = SkillsApp::start().await;
    let expected: Vec<String> = (0..25).map(|index| format!("skill-{index:02}")).collect();
    let documents = expected.iter().rev();
    app.put_all(documents.map(|id| (format!("{SYSTEM}{id}.md"), document(id))))
        .await;
    // Blobs that are not skills of this volume are not counted.
    for pathname in ["skill-05/x.md", "skill-07.txt", "zzz/a.md", ".md"] {
        app.put(&format!("{SYSTEM}{pathname}"), "x").await;
    }
    app.put(&format!("{USER}skill-03.md"), document("other"))
        .await;

    for (limit, is_exact) in [(1, false), (7, false), (1000, true)] {
        let pages = all_pages(&app, &format!("limit={limit}")).await;
        assert_eq!(pages.concat(), expected, "limit={limit}");
        assert!(pages.iter().all(|page| page.len() <= limit));
        assert!(!is_exact || pages.len() == 1);
    }
    let first = app
        .api
        .get("/api/skills?limit=7")
        .await
        .assert_status(200)
        .json();
    assert_eq!(ids(&first), expected[..7]);
    let all = app.api.get("/api/skills").await.assert_status(200).json();
    assert_eq!((ids(&all), &all["next_cursor"]), (expected, &Value::Null));
}

#[tokio::test]
async fn skills_added_and_deleted_between_pages_do_not_affect_others() {
    let app = SkillsApp::start().await;
    for id in ["b", "d", "f"] {
        app.put(&format!("{USER}{id}.md"), document(id)).await;
    }

    let first = app
        .api
        .get("/api/skills?volume=user&limit=2")
        .await
        .assert_status(200)
        .json();
    assert_eq!(ids(&first), ["b", "d"]);
    app.api.delete("/api/skills/d").await.assert_status(200);
    for id in ["a", "e"] {
        app.put(&format!("{USER}{id}.md"), document(id)).await;
    }
    let cursor = first["next_cursor"].as_str().unwrap();
    let path = format!("/api/skills?volume=user&limit=10&cursor={cursor}");
    let second = app.api.get(&path).await.assert_status(200).json();
    assert_eq!(
        (ids(&second), &second["next_cursor"]),
        (vec!["e".to_owned(), "f".to_owned()], &Value::Null)
    );
}

#[tokio::test]
async fn lists_are_filtered_by_text_tag_and_category() {
    let app = SkillsApp::start().await;
    for (id, front_matter) in [
        (
            "one",
            "name: First\ndescription: About Tables\ntags: [Data, x]\ncategory: Science",
        ),
        (
            "two",
            "name: Second\ndescription: b\nkeywords: [tables]\ncategory: art",
        ),
        (
            "three",
            "name: Third\ndescription: ÄRGER\ntags: [data]\ncategory: art",
        ),
    ] {
        app.put(
            &format!("{SYSTEM}{id}.md"),
            format!("---\n{front_matter}\n---\n"),
        )
        .await;
    }

    for (query, expected) in [
        ("q=table", vec!["one", "two"]),
        ("q=FIRST", vec!["one"]),
        ("q=thre", vec!["three"]),
        ("q=%C3%A4rger", vec!["three"]),
        ("tag=data", vec!["one", "three"]),
        ("tag=dat", vec![]),
        ("category=ART", vec!["three", "two"]),
        ("tag=data&category=art", vec!["three"]),
        ("q=table&tag=nothing", vec![]),
        (
            "q=&tag=&category=&limit=&cursor=&effective=",
            vec!["one", "three", "two"],
        ),
    ] {
        let list = app
            .api
            .get(&format!("/api/skills?{query}"))
            .await
            .assert_status(200)
            .json();
        assert_eq!(ids(&list), expected, "{query}");
        assert_eq!(list["next_cursor"], Value::Null, "{query}");
        if !query.contains("limit") {
            let pages = all_pages(&app, &format!("{query}&limit=1")).await;
            assert_eq!(pages.concat(), expected, "{query}, by one");
        }
    }
}

#[tokio::test]
async fn more_specific_volume_overrides_skills_of_the_same_id() {
    let app = SkillsApp::start().await;
    for (volume, id, skills) in [
        ("user", "anna", vec!["a", "b", "d"]),
        ("team", "acme", vec!["b", "c", "e"]),
        ("system", "system", vec!["a", "b", "c", "f"]),
        ("user", "default", vec!["f", "z"]),
        ("team", "other", vec!["y"]),
    ] {
        for skill in skills {
            let text = format!("---\nname: {skill} of {id}\ndescription: d\n---\n");
            app.put(&format!("volumes/{volume}/{id}/skills/{skill}.md"), text)
                .await;
        }
    }
    let expected = json!([
        ["a", "user", "anna"],
        ["b", "user", "anna"],
        ["c", "team", "acme"],
        ["d", "user", "anna"],
        ["e", "team", "acme"],
        ["f", "system", "system"],
    ]);
    let who = |list: &Value| -> Value {
        let skills = list["skills"].as_array().unwrap().iter();
        let of = |skill: &Value| {
            let name = format!(
                "{} of {}",
                skill["id"].as_str().unwrap(),
                skill["volume_id"].as_str().unwrap()
            );
            assert_eq!(skill["name"], name);
            json!([skill["id"], skill["volume"], skill["volume_id"]])
        };
        skills.map(of).collect()
    };

    let query = "effective=true&user_id=anna&team_id=acme";
    for _ in 0..2 {
        let list = app
            .api
            .get(&format!("/api/skills?{query}"))
            .await
            .assert_status(200)
            .json();
        assert_eq!(
            (who(&list), &list["next_cursor"]),
            (expected.clone(), &Value::Null)
        );
    }
    for limit in [1, 2, 5] {
        let pages = all_pages(&app, &format!("{query}&limit={limit}")).await;
        assert_eq!(
            pages.concat(),
            ["a", "b", "c", "d", "e", "f"],
            "limit={limit}"
        );
    }
    let list = app
        .api
        .get(&format!("/api/skills?{query}&q=acme"))
        .await
        .assert_status(200)
        .json();
    assert_eq!(ids(&list), ["c", "e"]);
    let list = app
        .api
        .get("/api/skills?effective=true")
        .await
        .assert_status(200)
        .json();
    assert_eq!(
        who(&list),
        json!([
            ["a", "system", "system"],
            ["b", "system", "system"],
            ["c", "system", "system"],
            ["f", "user", "default"],
            ["z", "user", "default"],
        ])
    );
    // A request without a volume finds the most specific one.
    let found = app.api.get("/api/skills/f").await.assert_status(200).json();
    assert_eq!(
        (&found["volume"], &found["name"]),
        (&"user".into(), &"f of default".into())
    );
    let found = app.api.get("/api/skills/a").await.assert_status(200).json();
    assert_eq!(found["volume"], "system");
}

#[tokio::test]
async fn empty_volume_has_an_empty_list() {
    let app = SkillsApp::start().await;

    for query in [
        "",
        "volume=team&volume_id=x",
        "effective=true",
        "q=x",
        "limit=1",
    ] {
        let list = app
            .api
            .get(&format!("/api/skills?{query}"))
            .await
            .assert_status(200);
        assert_eq!(
            list.json(),
            json!({"skills": [], "next_cursor": null}),
            "{query}"
        );
    }
}

#[tokio::test]
async fn invalid_list_queries_are_rejected() {
    let app = SkillsApp::start().await;
    for name in ["a", "b"] {
        app.put(&format!("{SYSTEM}{name}.md"), document(name)).await;
    }

    let page = app.api.get("/api/skills?limit=1").await.assert_status(200);
    let cursor = page.json()["next_cursor"].as_str().unwrap().to_owned();
    let cursor: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(cursor).unwrap()).unwrap();
    app.api
        .delete("/api/skills/b?volume=system")
        .await
        .assert_status(200);
    let with = |positions: Value| URL_SAFE_NO_PAD.encode(json!([cursor[0], positions]).to_string());
    let no_position = with(json!({}));
    let nowhere = with(json!([{"c": "nowhere"}]));
    let unmarked = URL_SAFE_NO_PAD.encode(cursor[1].to_string());
    for query in [
        "cursor=x",
        "cursor=%21",
        &format!("cursor={no_position}"),
        &format!("cursor={nowhere}"),
        &format!("cursor={unmarked}"),
        "cursor=W10",
        "limit=0",
        "limit=1001",
        "limit=x",
        "limit=-1",
    ] {
        let response = app.api.get(&format!("/api/skills?{query}")).await;
        response.assert_error(400, "invalid_request");
    }
    for (query, field) in [
        ("volume=x", "volume"),
        ("volume_id=x", "volume"),
        ("volume=system&volume_id=x", "volume_id"),
        ("volume=user&volume_id=a/b", "volume_id"),
        ("volume=user&volume_id=..", "volume_id"),
        ("volume=team&volume_id=a%00", "volume_id"),
        ("effective=1", "effective"),
        ("effective=true&user_id=../x", "user_id"),
        ("effective=true&team_id=a:b", "team_id"),
    ] {
        app.api
            .get(&format!("/api/skills?{query}"))
            .await
            .assert_invalid(field);
        if field.starts_with("volume") {
            app.api
                .get(&format!("/api/skills/a?{query}"))
                .await
                .assert_invalid(field);
            app.api
                .delete(&format!("/api/skills/a?{query}"))
                .await
                .assert_invalid(field);
            let path = format!("/api/skills?{query}");
            app.api
                .post(&path, &new_skill("x"))
                .await
                .assert_invalid(field);
        }
    }
    assert_eq!(app.pathnames().await, [format!("{SYSTEM}a.md")]);
}

#[tokio::test]
async fn cursor_of_another_volume_reveals_nothing() {
    let app = SkillsApp::start().await;
    for index in 0..4 {
        app.put(
            &format!("volumes/user/anna/skills/s{index}.md"),
            document("anna"),
        )
        .await;
        app.put(
            &format!("volumes/user/bert/skills/s{index}.md"),
            document("bert"),
        )
        .await;
    }

    let page = app
        .api
        .get("/api/skills?volume=user&volume_id=anna&limit=2")
        .await;
    let page = page.assert_status(200).json();
    let cursor = page["next_cursor"].as_str().unwrap();
    for query in [
        "volume=user&volume_id=bert",
        "volume=system",
        "effective=true&user_id=bert",
    ] {
        let list = app
            .api
            .get(&format!("/api/skills?{query}&cursor={cursor}"))
            .await;
        list.assert_error(400, "invalid_request");
    }
}

#[tokio::test]
async fn warm_list_of_a_thousand_skills_reads_no_document() {
    let app = SkillsApp::start().await;
    let all = (0..1000).map(|index| {
        let name = format!("skill {index:04}");
        (format!("{SYSTEM}skill-{index:04}.md"), document(&name))
    });
    app.put_all(all).await;
    let starts: Arc<Mutex<Vec<Instant>>> = Arc::default();
    let (pause, log) = (Duration::from_millis(15), starts.clone());
    app.blobs.fail_with(move |parts| {
        if !parts.uri.path().starts_with("/_blob/content/") {
            return Fault::Pass;
        }
        log.lock().unwrap().push(Instant::now());
        Fault::Delay(pause)
    });

    // On a slow machine the second list reads the documents that the first had no time for.
    let path = "/api/skills?limit=1000";
    let mut last = app.api.get(path).await.assert_status(200).json();
    for _ in 0..3 {
        last = app.api.get(path).await.assert_status(200).json();
    }
    let starts: Vec<Instant> = starts.lock().unwrap().clone();
    assert!(starts.len() >= 1000);
    // Each read takes at least the pause, so nine that begin within one pause would be concurrent.
    for nine in starts.windows(9) {
        assert!(nine[8] - nine[0] >= pause, "more than 8 at the same time");
    }
    app.blobs.heal();
    app.blobs.clear();
    let warm = app.api.get(path).await.assert_status(200);
    let requests = app.blobs.requests();
    assert_eq!(requests.len(), 1, "{requests:?}");
    assert!(requests[0].starts_with("GET /_blob") && requests[0].contains("limit=1000"));
    assert_eq!(warm.round_trips(), 1);
    assert!(
        warm.header("server-timing")
            .unwrap()
            .contains("blob;desc=\"1 request\"")
    );
    assert_eq!(warm.json(), last);
    let skills = warm.json();
    let skills = skills["skills"].as_array().unwrap();
    assert_eq!(
        (skills.len(), skills[0]["warnings"].clone()),
        (1000, json!([]))
    );
    assert!(
        skills
            .iter()
            .all(|skill| skill["description"]
                == format!("About {}", skill["name"].as_str().unwrap()))
    );

    app.put(&format!("{SYSTEM}skill-0500.md"), document("changed"))
        .await;
    app.blobs.clear();
    let list = app.api.get(path).await.assert_status(200).json();
    assert_eq!(list["skills"][500]["name"], "changed");
    let requests = app.blobs.requests();
    assert_eq!(
        (requests.len(), contents(&requests).len()),
        (2, 1),
        "{requests:?}"
    );
    assert!(contents(&requests)[0].contains("skill-0500.md"));

    app.blobs.clear();
    let filtered = app
        .api
        .get("/api/skills?q=changed")
        .await
        .assert_status(200);
    assert_eq!(ids(&filtered.json()), ["skill-0500"]);
    assert_eq!(
        (
            contents(&app.blobs.requests()).len(),
            filtered.round_trips()
        ),
        (0, 1)
    );
}

#[tokio::test]
async fn skill_written_by_the_service_is_listed_without_reading_its_document() {
    let app = SkillsApp::start().await;
    let created = app.api.post("/api/skills", &new_skill("x")).await;
    created.assert_status(201);
    let changed = app
        .api
        .patch("/api/skills/x", &json!({"version": "2"}))
        .await;
    let changed = changed.assert_status(200).json();

    app.blobs.clear();
    let list = app
        .api
        .get("/api/skills?volume=user")
        .await
        .assert_status(200)
        .json();
    assert_eq!(list["skills"], json!([changed]));
    assert_eq!(contents(&app.blobs.requests()).len(), 0);
}
