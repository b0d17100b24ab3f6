//! `GET /api/sessions`: order, pages, filters, and the cost of a page.

#[path = "listing/filters.rs"]
mod filters;
#[path = "listing/index.rs"]
mod index;
#[path = "listing/parameters.rs"]
mod parameters;

use serde_json::json;

use super::support::{Client, Response, TestApp};

#[track_caller]
fn ids(response: &Response) -> Vec<String> {
    let list = response.json();
    list["sessions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|s| s["id"].as_str().unwrap().to_owned())
        .collect()
}

/// Follows the cursors to the end and returns the ids of every page.
async fn pages(api: &Client, query: &str) -> Vec<Vec<String>> {
    let (mut pages, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = api
            .get(&format!("/api/sessions?{query}&cursor={cursor}"))
            .await
            .assert_status(200);
        pages.push(ids(&page));
        match page.json()["next_cursor"].as_str() {
            Some(next) => cursor = next.to_owned(),
            None => return pages,
        }
    }
}

/// Creates a session with these members in the user's default volume and returns its id.
async fn create_with(api: &Client, members: serde_json::Value) -> String {
    let mut body = json!({"name": "x", "volume": "user"});
    let body = {
        let all = body.as_object_mut().unwrap();
        all.extend(members.as_object().unwrap().clone());
        body
    };
    let created = api.post("/api/sessions", &body).await.assert_status(201);
    created.json()["id"].as_str().unwrap().to_owned()
}

/// Checks that a list contains these sessions in this order, on pages of any size.
#[track_caller]
fn assert_same(found: &[Vec<String>], expected: &[String], query: &str) {
    assert_eq!(found.concat(), expected, "{query}");
}

async fn create(api: &Client, count: usize) -> Vec<String> {
    let mut created = Vec::new();
    for number in 0..count {
        created.push(api.create_session(&number.to_string()).await);
    }
    created.reverse();
    created
}

#[tokio::test]
async fn sessions_are_ordered_by_latest_activity() {
    let app = TestApp::start().await;
    let mut expected = create(&app.api, 5).await;
    assert_eq!(ids(&app.api.get("/api/sessions").await), expected);

    let appended = expected.remove(3);
    app.api.append(&appended, "x").await.assert_status(200);
    expected.insert(0, appended);
    assert_eq!(ids(&app.api.get("/api/sessions").await), expected);

    let renamed = expected.remove(4);
    app.api
        .patch(&format!("/api/sessions/{renamed}"), &json!({"name": "y"}))
        .await
        .assert_status(200);
    expected.insert(0, renamed);
    assert_eq!(
        ids(&app.api.get("/api/sessions?volume=user").await),
        expected
    );
}

#[tokio::test]
async fn pages_contain_every_session_once() {
    let app = TestApp::start().await;
    let expected = create(&app.api, 23).await;

    for limit in [1, 5, 22, 23, 24, 200] {
        let pages = pages(&app.api, &format!("limit={limit}")).await;
        assert!(pages.iter().all(|page| page.len() <= limit));
        assert_eq!(pages.len(), 23_usize.div_ceil(limit));
        assert_eq!(pages.concat(), expected);
    }
}

#[tokio::test]
async fn sessions_updated_while_paging_do_not_affect_others() {
    let app = TestApp::start().await;
    let all = create(&app.api, 40).await;
    let touched: Vec<&String> = all.iter().step_by(3).collect();

    let (mut seen, mut cursor) = (Vec::new(), String::new());
    for round in 0.. {
        let page = app
            .api
            .get(&format!("/api/sessions?limit=7&cursor={cursor}"))
            .await
            .assert_status(200);
        seen.extend(ids(&page));
        for id in touched.iter().skip(round).step_by(2) {
            app.api.append(id, "x").await.assert_status(200);
        }
        match page.json()["next_cursor"].as_str() {
            Some(next) => cursor = next.to_owned(),
            None => break,
        }
    }

    let untouched = |ids: &[String]| -> Vec<String> {
        ids.iter()
            .filter(|id| !touched.contains(id))
            .cloned()
            .collect()
    };
    assert_eq!(untouched(&seen), untouched(&all));
}

#[tokio::test]
async fn cursor_stays_valid_when_its_session_is_deleted() {
    let app = TestApp::start().await;
    let all = create(&app.api, 6).await;
    let page = app
        .api
        .get("/api/sessions?limit=3")
        .await
        .assert_status(200);
    let cursor = page.json()["next_cursor"].as_str().unwrap().to_owned();

    app.api
        .delete(&format!("/api/sessions/{}", all[2]))
        .await
        .assert_status(200);

    let next = app
        .api
        .get(&format!("/api/sessions?limit=3&cursor={cursor}"))
        .await
        .assert_status(200);
    assert_eq!(ids(&next), all[3..]);
}

#[tokio::test]
async fn sessions_with_equal_activity_are_ordered_by_id() {
    let app = TestApp::start().await;
    let mut expected = Vec::new();
    for number in 0..50 {
        // Ids whose byte order differs from their dictionary order.
        let id = format!("sess_{}_{number:02}", ["a", "B", "_", "é", "-"][number % 5]);
        let document = json!({"id": id, "name": "x", "volume": "user", "volume_id": "default", "status": "active",
            "created_at": "2025-01-01T00:00:00Z", "updated_at": "2025-01-01T00:00:00Z", "metadata": {}});
        app.redis
            .command::<()>(&["SET", &format!("session:{id}"), &document.to_string()]);
        app.redis.command::<()>(&["SADD", "all:sessions", &id]);
        expected.push(id);
    }
    expected.sort();
    expected.reverse();

    assert_eq!(pages(&app.api, "limit=7").await.concat(), expected);
    assert_eq!(pages(&app.api, "limit=50").await.concat(), expected);
}

#[tokio::test]
async fn list_is_filtered_by_volume_and_status() {
    let app = TestApp::start().await;
    let mut created = Vec::new();
    for (volume, volume_id, status) in [
        ("user", "default", "active"),
        ("user", "anna", "paused"),
        ("team", "anna", "active"),
        ("user", "anna", "completed"),
        ("system", "default", "paused"),
        ("user", "anna", "active"),
    ] {
        let path = format!("/api/sessions?volume_id={volume_id}");
        let session = app
            .api
            .post(&path, &json!({"name": "x", "volume": volume}))
            .await
            .assert_status(201)
            .json();
        let id = session["id"].as_str().unwrap().to_owned();
        let change = json!({"status": status});
        app.api
            .patch(&format!("/api/sessions/{id}"), &change)
            .await
            .assert_status(200);
        created.push(id);
    }

    for (query, expected) in [
        ("", vec![5, 4, 3, 2, 1, 0]),
        ("volume=user", vec![0]),
        ("volume=user&volume_id=anna", vec![5, 3, 1]),
        ("volume=team&volume_id=anna", vec![2]),
        ("volume=team", vec![]),
        ("status=paused", vec![4, 1]),
        ("volume=user&volume_id=anna&status=active", vec![5]),
        ("volume=&volume_id=&status=", vec![5, 4, 3, 2, 1, 0]),
    ] {
        let expected: Vec<String> = expected
            .into_iter()
            .map(|index: usize| created[index].clone())
            .collect();
        assert_eq!(pages(&app.api, query).await.concat(), expected, "{query}");
        assert_eq!(
            pages(&app.api, &format!("{query}&limit=1")).await.concat(),
            expected,
            "{query}"
        );
    }
}

#[tokio::test]
async fn invalid_list_queries_are_rejected() {
    let app = TestApp::shared().await;

    for query in [
        "limit=0",
        "limit=201",
        "limit=-1",
        "limit=x",
        "limit=1&limit=2",
        "cursor=x",
        "cursor=AAAA",
    ] {
        app.api
            .get(&format!("/api/sessions?{query}"))
            .await
            .assert_error(400, "invalid_request");
    }
    for (query, field) in [
        ("volume=all", "volume"),
        ("volume=user&volume_id=a:b", "volume_id"),
        ("volume_id=anna", "volume"),
        ("status=gone", "status"),
    ] {
        app.api
            .get(&format!("/api/sessions?{query}"))
            .await
            .assert_invalid(field);
    }
}

one_redis! {
#[tokio::test]
async fn page_cost_does_not_grow_with_the_number_of_sessions() {
    let app = TestApp::start().await;
    let fill = r#"for number = 1, tonumber(ARGV[1]) do
          local id = 'sess_' .. ARGV[2] .. '_' .. number
          redis.call('SADD', 'user:' .. ARGV[2] .. ':sessions', id)
          redis.call('SET', 'session:' .. id, '{"id":"' .. id .. '","name":"x","volume":"user","volume_id":"'
            .. ARGV[2] .. '","status":"active","metadata":{},"created_at":"2025-01-01T00:00:00Z",'
            .. '"updated_at":"2025-01-01T00:00:00.' .. string.format('%06d', number) .. 'Z"}')
        end"#;
    for (volume_id, count) in [("small", "20"), ("large", "100000")] {
        app.redis
            .command::<()>(&["EVAL", fill, "0", count, volume_id]);
        let path = format!("/api/sessions?volume=user&volume_id={volume_id}");
        app.api.get(&path).await.assert_status(200);
    }

    // All twenty of the small volume, then its second ten from a cursor.
    let mut costs = Vec::new();
    for volume_id in ["small", "large"] {
        let path = format!("/api/sessions?volume=user&volume_id={volume_id}");
        let ten = app.api.get(&format!("{path}&limit=10")).await.json();
        let cursor = ten["next_cursor"].as_str().unwrap();
        // A first page of small sessions is read with plain commands, in two round trips.
        for (query, size, round_trips) in [
            ("limit=20", 20, 2),
            (&*format!("limit=10&cursor={cursor}"), 10, 1),
        ] {
            let before = app.redis.commands_run();
            let page = app
                .api
                .get(&format!("{path}&{query}"))
                .await
                .assert_status(200);
            assert_eq!(
                (ids(&page).len(), page.round_trips()),
                (size, round_trips)
            );
            costs.push(app.redis.commands_run() - before);
        }
    }
    assert_eq!(
        costs[..2],
        costs[2..],
        "the small volume's, the large one's"
    );
}
}
