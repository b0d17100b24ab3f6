//! Changes of messages whose command or reply is lost, while another client changes the same session.

use axum::http::Method;
use serde_json::{Value, json};

use crate::support::{Client, Mode, Proxy, Redis, SessionFixture, config, in_process};

/// A message as the Python version appends it.
const FOREIGN: &str = r#"{"role": "user", "content": "theirs", "timestamp": null}"#;

struct Setting {
    redis: Redis,
    proxy: Proxy,
    /// The service whose connection the proxy cuts.
    api: Client,
    other: Client,
}

impl Setting {
    async fn start() -> Self {
        let redis = Redis::start().await;
        let proxy = Proxy::start(redis.socket()).await;
        Self {
            api: in_process(config(&proxy.url())),
            other: in_process(config(&redis.url())),
            redis,
            proxy,
        }
    }

    /// Returns a session with the messages a, b and c, where d is beside b and c is the end of the active branch.
    async fn session(&self) -> SessionFixture {
        let session = self.other.session("x").await;
        let messages = ["a", "b", "c"].map(|id| json!({"id": id, "role": "user", "content": id}));
        let version =
            json!({"id": "d", "role": "user", "content": "d", "parent_id": "a", "activate": false});
        for body in [json!({"messages": messages}), version] {
            let appended = self.other.post(&session.messages_path(), &body).await;
            appended.assert_status(200);
        }
        session
    }

    /// Returns the ids of all messages and those of the active branch.
    async fn ids(&self, session: &SessionFixture) -> [Value; 2] {
        let mut lists = Vec::new();
        for query in ["?all=true", ""] {
            let path = format!("{}{query}", session.messages_path());
            let list = self.other.get(&path).await.assert_status(200).json();
            let messages = list["messages"].as_array().unwrap().iter();
            lists.push(messages.map(|message| message["id"].clone()).collect());
        }
        lists.try_into().unwrap()
    }
}

/// The changes of a session that `If-Match` with its tag guards: method, path behind the session's, and body. `branch` is
/// the message whose branch becomes active.
fn conditional_changes(branch: &str) -> [(Method, &'static str, Value); 5] {
    let message = |id: &str| json!({"id": id, "role": "user", "content": "mine"});
    [
        (
            Method::POST,
            "/messages",
            json!({"role": "user", "content": "mine"}),
        ),
        (Method::POST, "/messages", message("mine")),
        (
            Method::PUT,
            "/messages",
            json!({"messages": [message("mine")]}),
        ),
        (Method::PUT, "/branch", json!({"message_id": branch})),
        (Method::DELETE, "/messages?after=2", Value::Null),
    ]
}

async fn send(
    api: &Client,
    session: &SessionFixture,
    (method, path, body): &(Method, &str, Value),
) -> crate::support::Response {
    let path = format!("{}{path}", session.path());
    let body = if body.is_null() {
        String::new()
    } else {
        body.to_string()
    };
    api.send_json(method.clone(), &path, body).await
}

#[tokio::test]
async fn conditional_change_that_never_ran_is_rejected_if_the_session_changed_before_its_repetition()
 {
    let setting = Setting::start().await;
    for change in conditional_changes("c") {
        // The scripts are loaded before the connection is cut.
        let warm = setting.session().await;
        let tag = setting.other.entity_tag(&warm.path()).await;
        let loaded = send(&setting.api.with_header("if-match", tag), &warm, &change).await;
        loaded.assert_status(200);

        let session = setting.session().await;
        let tag = setting.other.entity_tag(&session.path()).await;
        let (key, url) = (session.messages_key(), setting.redis.url());
        // The session is read, then the change is cut, and the other client is faster than the repetition: its message
        // is behind d, which leaves the branch of c.
        setting.proxy.set_behind(1, Mode::CutCommand, move || {
            let mut connection = redis::Client::open(url).unwrap().get_connection().unwrap();
            let mut append = redis::cmd("RPUSH");
            append.arg(key).arg(FOREIGN).exec(&mut connection).unwrap();
        });
        let late = send(&setting.api.with_header("if-match", tag), &session, &change).await;
        assert!(setting.proxy.is_passing(), "{change:?}");
        late.assert_error(412, "precondition_failed");

        let [all, active] = setting.ids(&session).await;
        assert_eq!(all, json!(["a", "b", "c", "d", "msg_5"]), "{change:?}");
        assert_eq!(active, json!(["a", "d", "msg_5"]), "{change:?}");
    }
}

#[tokio::test]
async fn conditional_change_whose_reply_was_lost_succeeds() {
    let setting = Setting::start().await;
    for change in conditional_changes("d") {
        let warm = setting.session().await;
        let tag = setting.other.entity_tag(&warm.path()).await;
        let loaded = send(&setting.api.with_header("if-match", tag), &warm, &change).await;
        loaded.assert_status(200);
        let expected = setting.ids(&warm).await;

        let session = setting.session().await;
        let tag = setting.other.entity_tag(&session.path()).await;
        setting.proxy.set_behind(1, Mode::LoseAnswer, || {});
        let repeated = send(&setting.api.with_header("if-match", tag), &session, &change).await;
        assert!(setting.proxy.is_passing(), "{change:?}");
        repeated.assert_status(200);

        let found = setting.ids(&session).await;
        for (found, expected) in found.iter().zip(&expected) {
            let generated = |id: &Value| id.as_str().unwrap().starts_with("msg_");
            let (found, expected) = (found.as_array().unwrap(), expected.as_array().unwrap());
            assert_eq!(found.len(), expected.len(), "{change:?} {found:?}");
            for (found, expected) in found.iter().zip(expected) {
                assert!(found == expected || generated(found) && generated(expected));
            }
        }
    }
}

#[tokio::test]
async fn batch_with_and_without_ids_whose_reply_was_lost_is_stored_once() {
    let setting = Setting::start().await;
    let own = json!({"id": "own", "role": "user", "content": "1"});
    let generated = json!({"role": "user", "content": "2"});
    for (number, batch) in [
        json!([own, generated]),
        json!([generated, own]),
        json!([own, generated, generated]),
    ]
    .into_iter()
    .enumerate()
    {
        let session = setting.other.session(&number.to_string()).await;
        let path = session.messages_path();
        let warm = setting.api.session("warm").await;
        let loaded = setting.api.append(&warm.id, "x").await;
        loaded.assert_status(200);

        setting.proxy.set(Mode::LoseAnswer);
        let body = json!({"messages": batch});
        let appended = setting.api.post(&path, &body).await.assert_status(200);

        assert!(setting.proxy.is_passing());
        let count = batch.as_array().unwrap().len();
        let appended = appended.json();
        assert_eq!(appended["message_count"], count, "{appended}");
        let list = setting.other.get(&path).await.json();
        let stored = list["messages"].as_array().unwrap();
        assert_eq!(stored.len(), count, "{list}");
        for (message, sent) in stored.iter().zip(batch.as_array().unwrap()) {
            assert_eq!(message["content"], sent["content"]);
        }
        let ids = |list: &Value| {
            let messages = list["messages"].as_array().unwrap().iter();
            messages
                .map(|message| message["id"].clone())
                .collect::<Vec<_>>()
        };
        assert_eq!(ids(&appended), ids(&list));
    }
}

#[tokio::test]
async fn message_deleted_while_another_request_rebuilds_the_index_stays_deleted() {
    let setting = Setting::start().await;
    for key in ["deleted", "segments", "message-ids"] {
        let warm = setting.session().await;
        let lost = |session: &SessionFixture| format!("llmos:{key}:{}", session.id);
        setting.redis.command::<u64>(&["DEL", &lost(&warm)]);
        let loaded = setting.api.get(&warm.messages_path()).await;
        loaded.assert_status(200);

        let session = setting.session().await;
        setting.redis.command::<u64>(&["DEL", &lost(&session)]);
        let (url, path) = (setting.redis.url(), session.messages_path());
        let deleted = format!("{path}/b");
        // The index is found lost, and the messages are scanned; then the result is cut.
        setting.proxy.set_behind(2, Mode::CutCommand, move || {
            let deletion = std::thread::spawn(move || {
                let runtime = tokio::runtime::Runtime::new().unwrap();
                let response =
                    runtime.block_on(async { in_process(config(&url)).delete(&deleted).await });
                response.assert_status(200);
            });
            deletion.join().unwrap();
        });
        let list = setting.api.get(&format!("{path}?branch=c")).await;
        assert!(setting.proxy.is_passing(), "{key}");

        for list in [list, setting.other.get(&format!("{path}?branch=c")).await] {
            let list = list.assert_status(200).json();
            let messages = list["messages"].as_array().unwrap().iter();
            let ids: Vec<&Value> = messages.map(|message| &message["id"]).collect();
            assert_eq!(ids, ["a", "c"], "{key} {list}");
        }
        let all = setting.other.get(&format!("{path}?all=true")).await.json();
        assert_eq!(all["messages"].as_array().unwrap().len(), 3, "{key} {all}");
    }
}
