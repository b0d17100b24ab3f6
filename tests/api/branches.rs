//! Branches of a session: versions of messages, the active branch, and pages of it.

use serde_json::{Value, json};

use super::support::{Client, Response, SessionFixture, TestApp};

#[track_caller]
fn ids(response: &Response) -> Vec<String> {
    let list = response.json();
    let messages = list["messages"].as_array().unwrap().iter();
    messages
        .map(|message| message["id"].as_str().unwrap().to_owned())
        .collect()
}

async fn append(api: &Client, session: &SessionFixture, id: &str, members: Value) -> Value {
    let mut message = json!({"id": id, "role": "user", "content": id});
    message
        .as_object_mut()
        .unwrap()
        .extend(members.as_object().unwrap().clone());
    let appended = api.post(&session.messages_path(), &message).await;
    appended.assert_status(200).json()["messages"][0].clone()
}

async fn switch(api: &Client, session: &SessionFixture, id: &str) -> Value {
    let path = format!("{}/branch", session.path());
    api.put(&path, &json!({"message_id": id}))
        .await
        .assert_status(200)
        .json()
}

#[tokio::test]
async fn two_regenerations_at_once_are_two_versions() {
    let app = TestApp::shared().await;
    let session = app.session().await;
    append(&app.api, &session, "question", json!({})).await;
    append(&app.api, &session, "answer", json!({})).await;

    let again = json!({"parent_id": "question"});
    tokio::join!(
        append(&app.api, &session, "second", again.clone()),
        append(&app.api, &session, "third", again.clone()),
    );

    let list = app.api.get(&session.messages_path()).await;
    let siblings = list.json()["messages"][1]["siblings"].clone();
    let mut versions: Vec<&str> = siblings
        .as_array()
        .unwrap()
        .iter()
        .map(|id| id.as_str().unwrap())
        .collect();
    assert_eq!(versions[0], "answer");
    versions.sort_unstable();
    assert_eq!(versions, ["answer", "second", "third"]);
    assert_eq!(list.json()["messages"].as_array().unwrap().len(), 2);
    let all = app
        .api
        .get(&format!("{}?all=true", session.messages_path()))
        .await;
    assert_eq!(ids(&all).len(), 4);
}

#[tokio::test]
async fn result_of_a_tool_that_arrives_late_leaves_the_active_branch() {
    let app = TestApp::shared().await;
    let session = app.session().await;
    for id in ["question", "call", "next"] {
        append(&app.api, &session, id, json!({})).await;
    }
    let late = json!({"role": "tool", "parent_id": "call", "activate": false});
    let result = append(&app.api, &session, "result", late).await;

    assert_eq!(
        (&result["seq"], &result["parent_id"]),
        (&json!(4), &json!("call"))
    );
    let path = session.messages_path();
    assert_eq!(ids(&app.api.get(&path).await), ["question", "call", "next"]);
    assert_eq!(
        ids(&app.api.get(&format!("{path}?branch=result")).await),
        ["question", "call", "result"]
    );
    append(&app.api, &session, "last", json!({})).await;
    assert_eq!(
        ids(&app.api.get(&path).await),
        ["question", "call", "next", "last"]
    );
    let session = app.api.get(&session.path()).await.json();
    assert_eq!(
        (&session["message_count"], &session["last_seq"]),
        (&json!(4), &json!(5))
    );
}

#[tokio::test]
async fn branch_is_switched_to_its_newest_message_and_back() {
    let app = TestApp::shared().await;
    let session = app.session().await;
    for id in ["a", "b", "c"] {
        append(&app.api, &session, id, json!({})).await;
    }
    append(&app.api, &session, "b2", json!({"parent_id": "a"})).await;
    append(&app.api, &session, "c2", json!({})).await;
    let path = session.messages_path();
    assert_eq!(ids(&app.api.get(&path).await), ["a", "b2", "c2"]);

    let switched = switch(&app.api, &session, "b").await;
    assert_eq!(
        (&switched["message_count"], &switched["last_seq"]),
        (&json!(3), &json!(5))
    );
    let list = app.api.get(&path).await;
    assert_eq!(ids(&list), ["a", "b", "c"]);
    assert_eq!(list.json()["messages"][1]["siblings"], json!(["b", "b2"]));
    assert!(list.json()["messages"][2].get("siblings").is_none());
    switch(&app.api, &session, "a").await;
    assert_eq!(ids(&app.api.get(&path).await), ["a", "b2", "c2"]);
    // A new beginning is a branch, too.
    append(&app.api, &session, "other", json!({"parent_id": null})).await;
    let list = app.api.get(&path).await;
    assert_eq!(ids(&list), ["other"]);
    assert_eq!(
        list.json()["messages"][0]["siblings"],
        json!(["a", "other"])
    );
    let missing = json!({"message_id": "missing"});
    let switched = app
        .api
        .put(&format!("{}/branch", session.path()), &missing)
        .await;
    switched.assert_error(404, "not_found");
}

#[tokio::test]
async fn deleted_end_stays_the_parent_of_what_comes_next() {
    let app = TestApp::shared().await;
    let session = app.session().await;
    for id in ["a", "b", "c"] {
        append(&app.api, &session, id, json!({})).await;
    }
    let path = session.messages_path();
    let deleted = app
        .api
        .delete(&format!("{path}?after=1"))
        .await
        .assert_status(200)
        .json();
    assert_eq!(
        (&deleted["deleted"], &deleted["message_count"]),
        (&json!(2), &json!(1))
    );
    let next = append(&app.api, &session, "d", json!({})).await;
    assert_eq!((&next["seq"], &next["parent_id"]), (&json!(4), &json!("c")));
    assert_eq!(ids(&app.api.get(&path).await), ["a", "d"]);
    let nothing = app
        .api
        .delete(&format!("{path}?after=9"))
        .await
        .assert_status(200)
        .json();
    assert_eq!(nothing["deleted"], 0);
    app.api.delete(&path).await.assert_invalid("after");
}

#[tokio::test]
async fn messages_with_one_timestamp_keep_their_order() {
    let app = TestApp::shared().await;
    let session = app.session().await;
    let time = json!({"timestamp": "2025-12-14T10:00:00Z"});
    for id in ["z", "a", "m"] {
        append(&app.api, &session, id, time.clone()).await;
    }
    assert_eq!(
        ids(&app.api.get(&session.messages_path()).await),
        ["z", "a", "m"]
    );
}

/// What a session with branches must show, computed in the plainest way.
#[derive(Default)]
struct Model {
    messages: Vec<ModelMessage>,
    tip: Option<usize>,
}

struct ModelMessage {
    id: String,
    parent: Option<usize>,
    is_deleted: bool,
}

impl Model {
    fn append(&mut self, id: &str, parent: Option<usize>, activates: bool) {
        self.messages.push(ModelMessage {
            id: id.to_owned(),
            parent,
            is_deleted: false,
        });
        if activates {
            self.tip = Some(self.messages.len() - 1);
        }
    }

    fn path_to(&self, tip: Option<usize>) -> Vec<usize> {
        let mut path = Vec::new();
        let mut next = tip;
        while let Some(index) = next {
            path.push(index);
            next = self.messages[index].parent;
        }
        path.reverse();
        path
    }

    fn visible(&self, indexes: impl IntoIterator<Item = usize>) -> Vec<usize> {
        indexes
            .into_iter()
            .filter(|index| !self.messages[*index].is_deleted)
            .collect()
    }

    fn switch(&mut self, index: usize) {
        let newest = (0..self.messages.len()).rev().find(|candidate| {
            !self.messages[*candidate].is_deleted && self.path_to(Some(*candidate)).contains(&index)
        });
        self.tip = newest.or(Some(index));
    }

    fn siblings(&self, index: usize) -> Vec<&str> {
        let parent = self.messages[index].parent;
        let of_parent = self
            .messages
            .iter()
            .filter(|other| other.parent == parent && !other.is_deleted);
        of_parent.map(|other| other.id.as_str()).collect()
    }

    /// Checks a page against the visible messages of a path.
    #[track_caller]
    fn check(&self, response: &Response, expected: &[usize], context: &str) {
        let list = response.json();
        let messages = list["messages"].as_array().unwrap();
        let found: Vec<&str> = messages
            .iter()
            .map(|message| message["id"].as_str().unwrap())
            .collect();
        let wanted: Vec<&str> = expected
            .iter()
            .map(|index| self.messages[*index].id.as_str())
            .collect();
        assert_eq!(found, wanted, "{context}");
        for (message, index) in messages.iter().zip(expected) {
            assert_eq!(message["seq"], index + 1, "{context}");
            let parent = self.messages[*index]
                .parent
                .map(|parent| self.messages[parent].id.as_str());
            assert_eq!(message["parent_id"].as_str(), parent, "{context} {message}");
            let siblings = self.siblings(*index);
            match message.get("siblings") {
                Some(found) => assert_eq!(found, &json!(siblings), "{context} {message}"),
                None => assert!(siblings.len() < 2, "{context} {message} {siblings:?}"),
            }
        }
    }

    async fn check_session(&self, api: &Client, session: &SessionFixture, context: &str) {
        let path = session.messages_path();
        let active = self.visible(self.path_to(self.tip));
        let found = api
            .get(&format!("{}?messages=200", session.path()))
            .await
            .assert_status(200);
        assert_eq!(found.json()["message_count"], active.len(), "{context}");
        assert_eq!(found.json()["last_seq"], self.messages.len(), "{context}");
        self.check(&found, &active, context);
        let listed = api.get("/api/sessions?limit=200").await.json();
        let listed = listed["sessions"]
            .as_array()
            .unwrap()
            .iter()
            .find(|listed| listed["id"] == session.id)
            .unwrap()
            .clone();
        assert_eq!(listed["message_count"], active.len(), "{context} listed");
        let all = self.visible(0..self.messages.len());
        self.check(
            &api.get(&format!("{path}?all=true&limit=200")).await,
            &all,
            context,
        );
        let every: Vec<usize> = (0..self.messages.len()).collect();
        let with_deleted = api
            .get(&format!("{path}?all=true&deleted=true&limit=200"))
            .await
            .json();
        assert_eq!(
            with_deleted["messages"].as_array().unwrap().len(),
            every.len(),
            "{context}"
        );
        self.check_pages(api, &path, "", &active, context).await;
        self.check_pages(api, &path, "&all=true", &all, context)
            .await;
        if let Some(index) = all.get(fastrand::usize(..all.len().max(1))) {
            let branch = self.visible(self.path_to(Some(*index)));
            let parameter = format!("&branch={}", self.messages[*index].id);
            self.check_pages(api, &path, &parameter, &branch, context)
                .await;
        }
    }

    async fn check_pages(
        &self,
        api: &Client,
        path: &str,
        parameter: &str,
        expected: &[usize],
        context: &str,
    ) {
        let seq = fastrand::usize(..=self.messages.len() + 1);
        let limit = fastrand::usize(1..=4);
        let context = format!("{context} {parameter} seq {seq} limit {limit}");
        let behind: Vec<usize> = expected
            .iter()
            .copied()
            .filter(|index| index + 1 > seq)
            .collect();
        let page = api
            .get(&format!("{path}?after={seq}&limit={limit}{parameter}"))
            .await
            .assert_status(200);
        self.check(&page, &behind[..behind.len().min(limit)], &context);
        assert_eq!(page.json()["has_more"], behind.len() > limit, "{context}");
        let before: Vec<usize> = expected
            .iter()
            .copied()
            .filter(|index| index + 1 < seq)
            .collect();
        let page = api
            .get(&format!("{path}?before={seq}&limit={limit}{parameter}"))
            .await
            .assert_status(200);
        self.check(
            &page,
            &before[before.len().saturating_sub(limit)..],
            &context,
        );
        assert_eq!(page.json()["has_more"], before.len() > limit, "{context}");
    }
}

/// Carries out one random operation on the session and the model.
async fn step(model: &mut Model, api: &Client, session: &SessionFixture, number: usize) -> String {
    let path = session.messages_path();
    let count = model.messages.len();
    let chosen = fastrand::usize(..count.max(1));
    let id = format!("m{number}");
    match fastrand::u8(..10) {
        0..=3 => {
            append(api, session, &id, json!({})).await;
            let tip = model.tip;
            model.append(&id, tip, true);
            format!("append {id}")
        }
        4..=5 if count > 0 => {
            let activates = fastrand::bool();
            let parent = model.messages[chosen].id.clone();
            append(
                api,
                session,
                &id,
                json!({"parent_id": parent, "activate": activates}),
            )
            .await;
            model.append(&id, Some(chosen), activates);
            format!("append {id} behind {parent}, active: {activates}")
        }
        6 if fastrand::bool() => {
            append(api, session, &id, json!({"parent_id": null})).await;
            model.append(&id, None, true);
            format!("begin {id}")
        }
        7 if count > 0 => {
            let deleted = model.messages[chosen].id.clone();
            let status = if model.messages[chosen].is_deleted {
                404
            } else {
                200
            };
            api.delete(&format!("{path}/{deleted}"))
                .await
                .assert_status(status);
            model.messages[chosen].is_deleted = true;
            format!("delete {deleted}")
        }
        8 if fastrand::u8(..4) == 0 => {
            let after = fastrand::usize(..=count);
            api.delete(&format!("{path}?after={after}"))
                .await
                .assert_status(200);
            for index in model
                .path_to(model.tip)
                .into_iter()
                .filter(|index| index + 1 > after)
            {
                model.messages[index].is_deleted = true;
            }
            format!("delete after {after}")
        }
        _ if count > 0 && !model.messages[chosen].is_deleted => {
            let active = model.messages[chosen].id.clone();
            switch(api, session, &active).await;
            model.switch(chosen);
            format!("switch to {active}")
        }
        _ => "nothing".to_owned(),
    }
}

#[tokio::test]
async fn random_branches_are_read_as_a_simple_model_says() {
    let app = TestApp::start().await;
    for seed in 0..12 {
        fastrand::seed(seed);
        let session = app.session().await;
        let mut model = Model::default();
        let mut done = Vec::new();
        for number in 0..60 {
            done.push(step(&mut model, &app.api, &session, number).await);
            let context = format!("seed {seed}: {}", done.join("; "));
            model.check_session(&app.api, &session, &context).await;
        }
        // The index is rebuilt from the messages after it was lost; the branch of the newest message is then active.
        model.tip = model.messages.len().checked_sub(1);
        for lost in [
            "message-ids",
            "segments",
            "path",
            "deleted",
            "versions",
            "branch",
        ] {
            app.redis
                .command::<()>(&["DEL", &format!("llmos:{lost}:{}", session.id)]);
            let context = format!("seed {seed} without {lost}: {}", done.join("; "));
            model.check_session(&app.api, &session, &context).await;
        }
    }
}
