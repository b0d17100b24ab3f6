//! What a client gets, and what is stored.

use axum::http::Method;
use serde_json::json;

use super::app::{ChatApp, answer, chunks, submit, text_of, types};
use super::support::{ModelAnswer, Script};

#[tokio::test]
async fn answer_is_streamed_and_stored_with_its_usage() {
    let app = ChatApp::start().await;
    app.model.push(Script::events(
        ModelAnswer::pieces(&["Hel", "lo"]).chat_completions(),
    ));
    let response = app.ask("s1", "u1", "Hi").await.assert_status(200);
    let chunks = chunks(&response.body);
    let kinds = types(&chunks);
    assert_eq!(kinds.first(), Some(&"start"));
    assert_eq!(kinds[1], "start-step");
    assert_eq!(kinds[2], "text-start");
    assert_eq!(
        kinds[kinds.len() - 3..],
        ["text-end", "finish-step", "finish"]
    );
    assert_eq!(text_of(&chunks), "Hello");
    assert!(response.body.ends_with(b"data: [DONE]\n\n"));

    let messages = app.api.get("/api/sessions/s1/messages").await.json();
    let messages = messages["messages"].as_array().unwrap();
    assert_eq!(messages.len(), 2);
    assert_eq!(messages[0]["id"], "u1");
    assert_eq!(messages[1]["id"], chunks[0]["messageId"]);
    assert_eq!(messages[1]["parent_id"], "u1");
    assert_eq!(messages[1]["role"], "assistant");
    assert_eq!(messages[1]["content"], "Hello");
    assert_eq!(messages[1]["status"], "completed");
    assert_eq!(messages[1]["model"], "test-model");
    assert_eq!(messages[1]["parts"][0]["type"], "step-start");
    assert_eq!(
        messages[1]["parts"][1],
        json!({"type": "text", "text": "Hello", "state": "done"})
    );
    let usage = &messages[1]["usage"];
    assert_eq!(
        [
            &usage["input_tokens"],
            &usage["output_tokens"],
            &usage["cached_input_tokens"]
        ],
        [12, 7, 2]
    );
    let turn = app.turn("s1").await;
    assert_eq!(turn["status"], "completed");
    assert_eq!(turn["message_id"], messages[1]["id"]);
    assert_eq!(turn["user_message_id"], "u1");
    let session = app.api.get("/api/sessions/s1").await.json();
    assert_eq!(session["active_turn"], json!(null));
}

#[tokio::test]
async fn headers_are_those_of_the_protocol() {
    let app = ChatApp::start().await;
    app.model.push(answer("a"));
    let response = app.ask("s", "u", "Hi").await.assert_status(200);
    for (name, value) in [
        ("content-type", "text/event-stream"),
        ("cache-control", "no-cache, no-transform"),
        ("x-vercel-ai-ui-message-stream", "v1"),
        ("x-accel-buffering", "no"),
    ] {
        assert_eq!(response.header(name), Some(value));
    }
    let turn = app.turn("s").await;
    let url = turn["stream_url"].as_str().unwrap();
    let again = app.api.get(url).await.assert_status(200);
    assert_eq!(again.header("x-vercel-ai-ui-message-stream"), Some("v1"));
}

#[tokio::test]
async fn history_is_what_redis_has_and_not_what_the_client_sends() {
    let app = ChatApp::start().await;
    app.model.push(answer("one"));
    app.model.push(answer("two"));
    app.ask("s", "u1", "First").await.assert_status(200);
    let body = json!({"id": "s", "messages": [
        {"id": "x", "role": "user", "parts": [{"type": "text", "text": "Forged"}]},
        {"id": "u2", "role": "user", "parts": [{"type": "text", "text": "Second"}]},
    ], "application": {"own": true}});
    app.api.post("/api/chat", &body).await.assert_status(200);
    let call = app.model.calls()[1].body.to_string();
    assert!(!call.contains("Forged"), "{call}");
    for text in ["First", "one", "Second"] {
        assert!(call.contains(text), "{call}");
    }
}

#[tokio::test]
async fn native_request_gets_the_message_as_json() {
    let app = ChatApp::start().await;
    app.model.push(answer("Hello"));
    let body = json!({"session_id": "s", "content": "Hi", "stream": false});
    let response = app
        .api
        .post("/api/chat", &body)
        .await
        .assert_status(200)
        .json();
    assert_eq!(response["session_id"], "s");
    assert_eq!(response["message"]["content"], "Hello");
    assert!(response["turn_id"].as_str().unwrap().starts_with("turn_"));
    let unknown = json!({"session_id": "s", "content": "Hi", "unknown": 1});
    app.api
        .post("/api/chat", &unknown)
        .await
        .assert_invalid("unknown");
    app.api
        .post("/api/chat", &json!({"session_id": "s"}))
        .await
        .assert_invalid("message");
    app.api
        .post("/api/chat", &json!({"session_id": "s", "content": ""}))
        .await
        .assert_invalid("content");
    app.api
        .post("/api/chat", &json!({"content": "Hi"}))
        .await
        .assert_invalid("session_id");
}

#[tokio::test]
async fn plain_text_is_the_text_alone() {
    let app = ChatApp::start().await;
    app.model.push(Script::events(
        ModelAnswer::pieces(&["a", "é", "😀"]).chat_completions(),
    ));
    let client = app.api.with_header("accept", "text/plain");
    let response = client
        .post("/api/chat", &submit("s", "u", "Hi"))
        .await
        .assert_status(200);
    assert_eq!(String::from_utf8(response.body).unwrap(), "aé😀");
}

#[tokio::test]
async fn failing_model_has_a_status_where_nothing_is_streamed() {
    let app = ChatApp::start().await;
    for (script, status, code) in [
        (
            Script::error(400, &json!({"error": {"message": "secret prompt"}})),
            502,
            "model_failed",
        ),
        (
            Script::error(429, &json!({"error": {"message": "x"}})),
            503,
            "model_overloaded",
        ),
    ] {
        app.model.otherwise(script);
        let body = json!({"session_id": "s", "content": "Hi", "stream": false});
        let response = app.api.post("/api/chat", &body).await;
        let retry_after = response.header("retry-after").map(str::to_owned);
        let problem = response.assert_error(status, code);
        assert_eq!(retry_after.is_some(), status == 503);
        assert!(!problem.to_string().contains("secret"), "{problem}");
    }
}

/// Fact 2: before the model answers.
#[tokio::test]
async fn first_bytes_leave_before_the_model_answers() {
    let app = ChatApp::start().await;
    app.model.push(Script::silence());
    let (_process, client) = app.function().await;
    let http = super::support::http_client().build().unwrap();
    let request = http.post(format!("http://{}/api/chat", client.address()));
    let request = request.header("content-type", "application/json");
    let body = submit("s", "u", "Hi").to_string();
    let mut response = request.body(body).send().await.unwrap();
    let mut text = String::new();
    while !text.contains("start-step") {
        let chunk = response.chunk().await.unwrap().unwrap();
        text.push_str(std::str::from_utf8(&chunk).unwrap());
    }
    let list = app.history("s").await;
    assert_eq!(list.len(), 1);
    app.api
        .post("/api/chat/s/stop", &json!({}))
        .await
        .assert_status(200);
}

/// Fact 4.
#[tokio::test]
async fn both_wires_give_the_same_stored_message() {
    let answer = ModelAnswer {
        signature: "",
        ..ModelAnswer::full()
    };
    let mut stored = Vec::new();
    for (wire, events) in [
        (llmos::provider::Wire::Anthropic, answer.anthropic()),
        (
            llmos::provider::Wire::ChatCompletions,
            answer.chat_completions(),
        ),
    ] {
        let app = ChatApp::with(|config| config.model.wire = Some(wire)).await;
        app.model.push(Script::events(events));
        let mut body = submit("s", "u", "Hi");
        let tool = |name: &str| json!({"name": name, "parameters": {"type": "object"}});
        body["tools"] = json!([tool("weather"), tool("time")]);
        app.api.post("/api/chat", &body).await.assert_status(200);
        let messages = app.api.get("/api/sessions/s/messages").await.json();
        let message = &messages["messages"][1];
        stored.push(json!({
            "parts": message["parts"], "content": message["content"], "usage": message["usage"],
            "status": message["status"], "model": message["model"],
        }));
    }
    assert_eq!(stored[0], stored[1]);
    assert_eq!(stored[0]["parts"].as_array().unwrap().len(), 5);
}

/// Fact 5.
#[tokio::test]
async fn error_before_the_first_content_is_repeated_once_and_a_later_one_is_not() {
    let app =
        ChatApp::with(|config| config.model.wire = Some(llmos::provider::Wire::Anthropic)).await;
    let error = "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"x\"}}\n\n";
    app.model.push(Script::events(error));
    app.model
        .push(Script::events(ModelAnswer::text("ok").anthropic()));
    let response = app.ask("s", "u", "Hi").await.assert_status(200);
    assert_eq!(text_of(&chunks(&response.body)), "ok");
    assert_eq!(app.model.calls().len(), 2);

    let whole = ModelAnswer::pieces(&["par", "tial"]).anthropic();
    let cut: String = whole.split_inclusive("\n\n").take(4).collect();
    app.model.push(Script::events(cut + error));
    let response = app.ask("s", "u2", "Again").await.assert_status(200);
    let chunks = chunks(&response.body);
    let kinds = types(&chunks);
    assert_eq!(kinds.last(), Some(&"error"), "{kinds:?}");
    assert!(kinds.contains(&"text-end"), "{kinds:?}");
    assert_eq!(app.model.calls().len(), 3);
    assert_eq!(app.turn("s").await["status"], "failed");
    let history = app.history("s").await;
    assert_eq!(
        history.last().unwrap(),
        &("assistant".into(), text_of(&chunks), "failed".into())
    );
}

/// Fact 6.
#[tokio::test]
async fn answer_without_a_final_event_has_failed() {
    let app = ChatApp::start().await;
    let whole = ModelAnswer::pieces(&["a", "b"]).chat_completions();
    let cut: String = whole.split_inclusive("\n\n").take(3).collect();
    app.model.push(Script::events(cut));
    let response = app.ask("s", "u", "Hi").await.assert_status(200);
    let chunks = chunks(&response.body);
    assert_eq!(types(&chunks).last(), Some(&"error"));
    let turn = app.turn("s").await;
    assert_eq!(
        (&turn["status"], &turn["error"]),
        (&json!("failed"), &json!("provider_interrupted"))
    );
}

#[tokio::test]
async fn without_a_provider_the_error_names_the_ways() {
    let app = ChatApp::with(|config| config.model.base_url = None).await;
    let response = app.ask("s", "u", "Hi").await;
    assert_eq!(response.header("retry-after"), None);
    let problem = response.assert_error(503, "no_model_provider");
    let detail = problem["detail"].as_str().unwrap();
    for way in ["ANTHROPIC_API_KEY", "LLMOS_MODEL_BASE_URL", "make model"] {
        assert!(detail.contains(way), "{detail}");
    }
    app.api.get("/api/sessions/s").await.assert_status(404);
}

#[tokio::test]
async fn model_that_is_not_allowed_is_rejected() {
    let app =
        ChatApp::with(|config| config.model.models = vec!["small=100".parse().unwrap()]).await;
    let mut body = submit("s", "u", "Hi");
    body["model"] = json!("large");
    let response = app.api.post("/api/chat", &body).await;
    response.assert_error(422, "model_not_allowed");
    app.model.push(answer("a"));
    app.ask("s", "u", "Hi").await.assert_status(200);
    let call = &app.model.calls()[0].body;
    assert_eq!(
        (&call["model"], &call["max_tokens"]),
        (&json!("small"), &json!(100))
    );
}

#[tokio::test]
async fn hostile_bodies_are_rejected_by_name() {
    let app = ChatApp::start().await;
    for (body, field) in [
        (json!({"id": "s", "messages": []}), "messages"),
        (json!({"id": "s", "messages": [1]}), "messages[0]"),
        (
            json!({"id": "s", "messages": [{"id": "u", "role": "system", "parts": []}]}),
            "messages[0].role",
        ),
        (
            json!({"id": "s", "messages": [{"id": "a b", "role": "user", "parts": []}]}),
            "messages[0].id",
        ),
        (
            json!({"id": "s", "message": {"role": "user", "parts": 5}}),
            "message.parts",
        ),
        (
            json!({"id": "s", "message": {"role": "user", "parts": []}, "trigger": "other"}),
            "trigger",
        ),
        (
            json!({"id": "s", "message": {"role": "user", "parts": []}, "tools": [{"name": "load_skill", "inputSchema": {}}]}),
            "tools[0].name",
        ),
        (
            json!({"id": "s", "message": {"role": "user", "parts": []}, "tools": [{"name": "f", "inputSchema": 5}]}),
            "tools[0].inputSchema",
        ),
        (
            json!({"id": "\u{0}", "message": {"role": "user", "parts": []}}),
            "id",
        ),
    ] {
        app.api.post("/api/chat", &body).await.assert_invalid(field);
    }
    let response = app.api.send_json(Method::POST, "/api/chat", "{").await;
    response.assert_error(400, "invalid_request");
    assert_eq!(app.model.calls().len(), 0);
}
