//! Tools of the client and of the server.

use serde_json::{Value, json};

use super::app::{ChatApp, answer, chunks, text_of, types};
use super::support::{ModelAnswer, Script};

fn tool_body(message: &Value) -> Value {
    json!({
        "id": "s", "messages": [message],
        "tools": [{"name": "weather", "description": "d", "inputSchema": {"type": "object"}}],
    })
}

fn user() -> Value {
    json!({"id": "u", "role": "user", "parts": [{"type": "text", "text": "Weather?"}]})
}

fn calls_weather() -> Script {
    let answer = ModelAnswer {
        text: vec!["Let me see.".to_owned()],
        calls: vec![("call_1", "weather", vec!["{\"city\":", "\"Bern\"}"])],
        ..ModelAnswer::default()
    };
    Script::events(answer.chat_completions())
}

#[tokio::test]
async fn output_of_a_client_tool_continues_the_same_message() {
    let app = ChatApp::start().await;
    app.model.push(calls_weather());
    let first = app
        .api
        .post("/api/chat", &tool_body(&user()))
        .await
        .assert_status(200);
    let first = chunks(&first.body);
    assert!(types(&first).contains(&"tool-input-available"), "{first:?}");
    assert_eq!(first.last().unwrap()["finishReason"], "tool-calls");
    let id = first[0]["messageId"].clone();

    app.model.push(answer("It is sunny."));
    let part = json!({"type": "tool-weather", "toolCallId": "call_1", "state": "output-available", "input": {"city": "Bern"}, "output": "sunny"});
    let message =
        json!({"id": id, "role": "assistant", "parts": [{"type": "text", "text": "forged"}, part]});
    let second = app
        .api
        .post("/api/chat", &tool_body(&message))
        .await
        .assert_status(200);
    let second = chunks(&second.body);
    assert_eq!(second[0]["messageId"], id);
    assert_eq!(text_of(&second), "It is sunny.");

    let again = app.api.post("/api/chat", &tool_body(&message)).await;
    assert_eq!(again.header("x-llmos-replayed"), Some("1"));
    assert_eq!(app.model.calls().len(), 2);

    let messages = app.api.get("/api/sessions/s/messages").await.json()["messages"].clone();
    assert_eq!(messages.as_array().unwrap().len(), 2);
    let parts = messages[1]["parts"].as_array().unwrap();
    let kinds: Vec<&str> = parts
        .iter()
        .map(|part| part["type"].as_str().unwrap())
        .collect();
    assert_eq!(
        kinds,
        ["step-start", "text", "tool-weather", "step-start", "text"]
    );
    assert_eq!(parts[1]["text"], "Let me see.");
    assert_eq!(parts[2]["output"], "sunny");
    let call = app.model.calls()[1].body["messages"].clone();
    let roles: Vec<&str> = call
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["role"].as_str().unwrap())
        .collect();
    assert_eq!(roles[roles.len() - 3..], ["user", "assistant", "tool"]);
}

#[tokio::test]
async fn unknown_tool_gets_an_error_and_the_model_goes_on() {
    let app = ChatApp::start().await;
    app.model.push(calls_weather());
    app.model.push(answer("Sorry."));
    let body = json!({"id": "s", "messages": [user()]});
    let response = app.api.post("/api/chat", &body).await.assert_status(200);
    let chunks = chunks(&response.body);
    assert!(types(&chunks).contains(&"tool-input-error"), "{chunks:?}");
    assert!(text_of(&chunks).ends_with("Sorry."));
    assert_eq!(app.model.calls().len(), 2);
}
