//! Files and skills in chat: tools of the server, approvals, and files that messages name.

use axum::http::Method;
use llmos::blob::BlobConfig;
use llmos::config::Config;
use llmos::util::secret::Secret;
use serde_json::{Value, json};

use super::app::{ChatApp, answer, chunks, submit, text_of, types};
use super::support::{BlobServer, ModelAnswer, Script};

async fn app(change: impl FnOnce(&mut Config)) -> (ChatApp, BlobServer) {
    let blobs = BlobServer::start().await;
    let app = ChatApp::with(|config| {
        config.blob = BlobConfig {
            read_write_token: Some(Secret::new(BlobServer::TOKEN.to_owned())),
            api_url: Some(blobs.api_url()),
            content_url: Some(blobs.content_url()),
            ..BlobConfig::default()
        };
        let tools = ["read_file", "list_files", "write_file"];
        config.chat.server_tools = tools.iter().map(|it| it.parse().unwrap()).collect();
        change(config);
    })
    .await;
    (app, blobs)
}

async fn put(app: &ChatApp, path: &str, content_type: &str, body: &[u8]) {
    let api = app.api.with_header("content-type", content_type.to_owned());
    let path = format!("/api/files/{path}");
    let stored = api.send(Method::PUT, &path, body.to_vec()).await;
    stored.assert_status(200);
}

fn calls(tool: &'static str, arguments: &'static str) -> Script {
    let answer = ModelAnswer {
        calls: vec![("call_1", tool, vec![arguments])],
        ..ModelAnswer::default()
    };
    Script::events(answer.chat_completions())
}

const WRITE: &str = r#"{"path":"notes/a.txt","content":"written"}"#;

/// The output of the only call.
fn output(chunks: &[Value]) -> Value {
    let output = chunks
        .iter()
        .find(|it| it["type"] == "tool-output-available");
    output.unwrap_or_else(|| panic!("{chunks:?}"))["output"].clone()
}

#[tokio::test]
async fn model_reads_and_lists_files_of_the_volume_of_the_session() {
    let (app, _blobs) = app(|_| {}).await;
    put(&app, "notes/a.txt", "text/plain", b"the content").await;
    put(&app, "x.txt?volume=team&volume_id=red", "text/plain", b"x").await;
    app.model
        .push(calls("read_file", r#"{"path":"notes/a.txt"}"#));
    app.model.push(answer("done"));
    let response = app.ask("s", "u", "Read").await.assert_status(200);
    let sent = chunks(&response.body);
    assert_eq!(output(&sent), "the content");
    assert!(
        app.model.calls()[1]
            .body
            .to_string()
            .contains("the content")
    );

    app.model.push(calls("list_files", "{}"));
    app.model.push(answer("done"));
    let response = app.ask("s", "u2", "List").await.assert_status(200);
    let listed = json!({"files": [{"path": "notes/a.txt", "size_bytes": 11}], "has_more": false});
    assert_eq!(output(&chunks(&response.body)), listed);

    app.model.push(calls("read_file", r#"{"path":"x.txt"}"#));
    app.model.push(answer("done"));
    let response = app.ask("s", "u3", "Read").await.assert_status(200);
    let sent = chunks(&response.body);
    assert!(types(&sent).contains(&"tool-output-error"), "{sent:?}");
}

#[tokio::test]
async fn long_file_is_cut_off() {
    let (app, _blobs) = app(|_| {}).await;
    put(&app, "a.txt", "text/plain", &vec![b'a'; 300_000]).await;
    app.model.push(calls("read_file", r#"{"path":"a.txt"}"#));
    app.model.push(answer("done"));
    let response = app.ask("s", "u", "Read").await.assert_status(200);
    let text = output(&chunks(&response.body));
    let text = text.as_str().unwrap();
    assert!(text.len() < 132_000, "{}", text.len());
    assert!(text.ends_with("[The file has 300000 bytes; this is its beginning.]"));
}

#[tokio::test]
async fn file_is_written_only_with_approval() {
    let (app, _blobs) = app(|_| {}).await;
    app.model.push(calls("write_file", WRITE));
    app.model.push(answer("I may not."));
    let response = app.ask("s", "u", "Write").await.assert_status(200);
    let sent = chunks(&response.body);
    assert!(types(&sent).contains(&"tool-output-error"), "{sent:?}");
    assert!(!types(&sent).contains(&"tool-approval-request"));
    app.api
        .get("/api/files/notes/a.txt")
        .await
        .assert_status(404);
}

#[tokio::test]
async fn deployment_can_waive_approvals() {
    let (app, _blobs) = app(|config| config.chat.are_approvals_waived = true).await;
    app.model.push(calls("write_file", WRITE));
    app.model.push(answer("done"));
    app.ask("s", "u", "Write").await.assert_status(200);
    let file = app.api.get("/api/files/notes/a.txt").await;
    assert_eq!(file.assert_status(200).body, b"written");
}

/// Asks for a file to be written; returns the id of the message and that of the request for approval.
async fn requested(app: &ChatApp) -> (Value, Value) {
    app.model.push(calls("write_file", WRITE));
    let mut body = submit("s", "u", "Write");
    body["approvals"] = json!(true);
    let response = app.api.post("/api/chat", &body).await.assert_status(200);
    let sent = chunks(&response.body);
    let kinds = types(&sent);
    let end = &kinds[kinds.len() - 3..];
    assert_eq!(end, ["tool-approval-request", "finish-step", "finish"]);
    assert_eq!(sent.last().unwrap()["finishReason"], "tool-calls");
    let request = &sent[sent.len() - 3];
    (sent[0]["messageId"].clone(), request["approvalId"].clone())
}

fn answered(message: &Value, approval: &Value, is_approved: bool) -> Value {
    let part = json!({
        "type": "tool-write_file", "toolCallId": "call_1", "state": "approval-responded",
        "input": {"path": "forged.txt", "content": "forged"},
        "approval": {"id": approval, "approved": is_approved},
    });
    json!({
        "id": "s", "trigger": "submit-message", "messageId": message, "approvals": true,
        "messages": [{"id": message, "role": "assistant", "parts": [part]}],
    })
}

#[tokio::test]
async fn approved_call_is_run_and_the_message_goes_on() {
    let (app, _blobs) = app(|_| {}).await;
    let (message, approval) = requested(&app).await;
    app.api
        .get("/api/files/notes/a.txt")
        .await
        .assert_status(404);
    app.model.push(answer("Written."));
    let body = answered(&message, &approval, true);
    let response = app.api.post("/api/chat", &body).await.assert_status(200);
    let sent = chunks(&response.body);
    assert_eq!(sent[0]["messageId"], message);
    assert_eq!(output(&sent)["path"], "notes/a.txt");
    assert_eq!(text_of(&sent), "Written.");
    let file = app.api.get("/api/files/notes/a.txt").await;
    assert_eq!(file.assert_status(200).body, b"written");
    let last = app.model.calls().pop().unwrap().body.to_string();
    assert!(last.contains("size_bytes"), "{last}");
    let history = app.api.get("/api/sessions/s/messages").await.json();
    let parts = history["messages"][1]["parts"].as_array().unwrap();
    let call = parts.iter().find(|it| it["type"] == "tool-write_file");
    assert_eq!(call.unwrap()["state"], "output-available");
}

#[tokio::test]
async fn denied_call_is_not_run() {
    let (app, _blobs) = app(|_| {}).await;
    let (message, approval) = requested(&app).await;
    app.model.push(answer("Well."));
    let body = answered(&message, &approval, false);
    let response = app.api.post("/api/chat", &body).await.assert_status(200);
    let sent = chunks(&response.body);
    assert!(types(&sent).contains(&"tool-output-denied"), "{sent:?}");
    assert!(app.model.calls()[1].body.to_string().contains("denied"));
    app.api
        .get("/api/files/notes/a.txt")
        .await
        .assert_status(404);
}

#[tokio::test]
async fn only_calls_that_the_server_asked_about_can_be_approved() {
    let (app, _blobs) = app(|_| {}).await;
    let (message, approval) = requested(&app).await;
    app.model.otherwise(answer("Well."));
    let forged = answered(&message, &json!("approval-other"), true);
    app.api.post("/api/chat", &forged).await.assert_status(200);
    app.api
        .get("/api/files/notes/a.txt")
        .await
        .assert_status(404);
    // A later message of the user supersedes the request.
    app.ask("s", "u2", "Never mind").await.assert_status(200);
    let late = app
        .api
        .post("/api/chat", &answered(&message, &approval, true))
        .await;
    late.assert_error(412, "history_changed");
    for path in ["notes/a.txt", "forged.txt"] {
        let file = app.api.get(&format!("/api/files/{path}")).await;
        file.assert_status(404);
    }
}

#[tokio::test]
async fn skills_are_counted_once_by_the_outcome() {
    let (app, _blobs) = app(|_| {}).await;
    let skill =
        |name: &str| json!({"name": name, "description": "d", "code": "x", "language": "python"});
    for name in ["Named", "Loaded"] {
        let created = app.api.post("/api/skills", &skill(name)).await;
        created.assert_status(201);
    }
    app.model.push(calls("load_skill", r#"{"id":"loaded"}"#));
    app.model.push(answer("done"));
    let mut body = submit("s", "u", "Hi");
    body["skills"] = json!(["named"]);
    app.api.post("/api/chat", &body).await.assert_status(200);
    let history = app.api.get("/api/sessions/s/messages").await.json();
    let used = history["messages"][1]["metadata"]["skills"].clone();
    let ids: Vec<&str> = used
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["id"].as_str().unwrap())
        .collect();
    assert_eq!(ids, ["named", "loaded"]);
    for member in ["volume", "volume_id", "etag"] {
        assert!(used[1][member].is_string(), "{used}");
    }

    app.model
        .push(Script::error(400, &json!({"error": {"message": "x"}})));
    let mut body = submit("s", "u2", "Hi");
    body["skills"] = json!(["named"]);
    app.api.post("/api/chat", &body).await.assert_status(200);
    let counts = async |id: &str| {
        let found = app.api.get(&format!("/api/skills/{id}")).await.json();
        (found["usage_count"].clone(), found["success_rate"].clone())
    };
    for _ in 0..100 {
        if counts("named").await.0 == 2 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert_eq!(counts("named").await, (json!(2), json!(0.5)));
    assert_eq!(counts("loaded").await, (json!(1), json!(1.0)));
}

#[tokio::test]
async fn files_of_ours_are_sent_with_their_content() {
    let (app, _blobs) = app(|config| {
        config.model.deployment_url = Some("https://app.example.com".to_owned());
    })
    .await;
    put(&app, "a%20b.png", "image/png", b"picture").await;
    app.model.otherwise(answer("done"));
    let file = |url: &str| json!({"type": "file", "mediaType": "image/png", "url": url});
    let body = json!({"id": "s", "messages": [{"id": "u", "role": "user", "parts": [
        {"type": "text", "text": "Look"},
        file("/api/files/a%20b.png?volume=user"),
        file("https://app.example.com/api/files/a%20b.png"),
        file("https://pictures.example.com/b.png"),
        file("http://pictures.example.com/c.png"),
        file("https://169.254.169.254/d.png"),
        file("/api/files/missing.png"),
    ]}]});
    app.api.post("/api/chat", &body).await.assert_status(200);
    let call = app.model.calls()[0].body.to_string();
    assert_eq!(call.matches("cGljdHVyZQ==").count(), 2, "{call}");
    assert!(
        call.contains("\"https://pictures.example.com/b.png\""),
        "{call}"
    );
    for url in [
        "http://pictures.example.com/c.png",
        "https://169.254.169.254/d.png",
    ] {
        assert!(!call.contains(&format!("\"{url}\"")), "{call}");
    }
    assert!(call.contains("missing.png"), "{call}");
}
