//! Messages in other shapes: OpenAI's is taken, and `format` answers UIMessages and Chat Completions messages.

use serde_json::{Value, json};

use super::support::{Client, TestApp, write_python_session};

/// Messages in OpenAI's shape, with a call of a tool and its result.
fn chat() -> [Value; 5] {
    let call = json!({"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": "{\"city\": \"Bern\",\n\"n\": 1.50}"}});
    [
        json!({"role": "developer", "content": "Be brief."}),
        json!({"role": "user", "name": "Ann", "content": [
            {"type": "text", "text": "How is it here?"},
            {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo=", "detail": "low"}},
        ]}),
        json!({
            "role": "assistant", "content": null, "refusal": null, "tool_calls": [call],
            "annotations": [], "audio": null, "function_call": null,
        }),
        json!({"role": "tool", "tool_call_id": "call_1", "content": "{\"sky\":\"blue\"}"}),
        json!({
            "role": "assistant", "content": "Fine.", "refusal": null,
            "annotations": [{"type": "url_citation", "url_citation": {
                "start_index": 0, "end_index": 4, "title": "Weather", "url": "https://example.com/"
            }}],
        }),
    ]
}

/// Returns the member `messages` of a response to a `GET`.
async fn messages(api: &Client, path: &str) -> Vec<Value> {
    let list = api.get(path).await.assert_status(200).json();
    list["messages"].as_array().unwrap().clone()
}

#[tokio::test]
async fn chat_completions_messages_are_taken_and_returned_value_for_value() {
    let app = TestApp::shared().await;
    let path = app.session().await.messages_path();
    let batch = json!({"messages": chat()});
    app.api.post(&path, &batch).await.assert_status(200);

    let list = app.api.get(&format!("{path}?format=openai")).await;
    let list = list.assert_status(200).json();
    assert_eq!(list, json!({"messages": chat(), "has_more": false}));

    // For readers that know no parts.
    let native = messages(&app.api, &path).await;
    let contents: Vec<&Value> = native.iter().map(|message| &message["content"]).collect();
    assert_eq!(
        contents,
        [
            "Be brief.",
            "How is it here?",
            "",
            "{\"sky\":\"blue\"}",
            "Fine."
        ]
    );
    let call = &native[2]["parts"][0];
    assert_eq!(
        (&call["type"], &call["state"]),
        (&json!("tool-weather"), &json!("input-available"))
    );
    assert_eq!(call["input"], json!({"city": "Bern", "n": 1.5}));
    assert_eq!(native[3]["parts"][0]["toolCallId"], "call_1");
    assert_eq!(native[0]["parts"], json!(null));
}

#[tokio::test]
async fn ui_format_has_the_result_in_the_part_of_its_call() {
    let app = TestApp::shared().await;
    let path = app.session().await.messages_path();
    let mut batch = json!({"messages": chat()});
    for (index, message) in batch["messages"]
        .as_array_mut()
        .unwrap()
        .iter_mut()
        .enumerate()
    {
        message["id"] = json!(format!("m{index}"));
    }
    app.api.post(&path, &batch).await.assert_status(200);

    let list = app.api.get(&format!("{path}?format=ui")).await;
    let list = list.assert_status(200).json();
    assert_eq!(list["has_more"], false);
    let list = list["messages"].as_array().unwrap();
    let ids: Vec<&Value> = list.iter().map(|message| &message["id"]).collect();
    assert_eq!(ids, ["m0", "m1", "m2", "m4"]);
    assert_eq!(
        list[0],
        json!({"id": "m0", "role": "system", "parts": [{"type": "text", "text": "Be brief."}]})
    );
    let file = &list[1]["parts"][1];
    assert_eq!(
        (&file["type"], &file["mediaType"]),
        (&json!("file"), &json!("image/png"))
    );
    let call = &list[2]["parts"][0];
    assert_eq!(
        (&call["state"], &call["output"]),
        (&json!("output-available"), &json!("{\"sky\":\"blue\"}"))
    );

    // A page without the call.
    let late = messages(&app.api, &format!("{path}?after=3&format=ui")).await;
    assert_eq!(late[0]["role"], "assistant");
    let part = &late[0]["parts"][0];
    assert_eq!(
        (&part["type"], &part["toolCallId"]),
        (&json!("dynamic-tool"), &json!("call_1"))
    );
}

#[tokio::test]
async fn every_route_that_returns_messages_has_the_format() {
    let app = TestApp::shared().await;
    let body = json!({"name": "x", "volume": "user", "initial_message": "Hi"});
    let created = app.api.post("/api/sessions?format=openai", &body).await;
    let created = created.assert_status(201).json();
    let hello = json!({"role": "user", "content": "Hi"});
    assert_eq!(created["messages"], json!([hello]));
    let session = format!("/api/sessions/{}", created["id"].as_str().unwrap());
    let found = app
        .api
        .get(&format!("{session}?format=openai&messages=1"))
        .await;
    let found = found.assert_status(200).json();
    assert_eq!(
        (&found["messages"], &found["name"]),
        (&json!([hello]), &json!("x"))
    );
    let ui = app.api.get(&format!("{session}?format=ui")).await.json();
    assert_eq!(
        ui["messages"][0]["parts"],
        json!([{"type": "text", "text": "Hi"}])
    );

    let path = format!("{session}/messages");
    let message = json!({"id": "a", "role": "assistant", "parts": [{"type": "text", "text": "one"}], "metadata": {"k": 1}});
    let shape =
        json!({"id": "a", "role": "assistant", "parts": message["parts"], "metadata": {"k": 1}});
    let appended = app.api.post(&format!("{path}?format=ui"), &message).await;
    let appended = appended.assert_status(200).json();
    assert_eq!(
        (&appended["messages"], &appended["last_seq"]),
        (&json!([shape]), &json!(2))
    );
    let one = format!("{path}/a?format=ui");
    let found = app.api.get(&one).await.assert_status(200);
    assert!(found.header("etag").is_some());
    assert_eq!(found.json(), shape);
    let again = app.api.put(&one, &message).await.assert_status(200);
    assert_eq!(again.json(), shape);
    let changed = app
        .api
        .patch(
            &format!("{path}/a?format=openai"),
            &json!({"status": "stopped"}),
        )
        .await;
    assert_eq!(
        changed.assert_status(200).json(),
        json!({"role": "assistant", "content": "one"})
    );
    let put = app
        .api
        .put(&format!("{path}/b?format=openai"), &chat()[2])
        .await;
    assert_eq!(put.assert_status(201).json(), chat()[2]);

    // The message of an assistant with the output of its tool becomes two.
    let part = json!({"type": "tool-f", "toolCallId": "c", "state": "output-available", "input": {}, "output": 5});
    let message = json!({"role": "assistant", "parts": [part]});
    let several = app
        .api
        .put(&format!("{path}/c?format=openai"), &message)
        .await;
    let several = several.assert_status(201).json();
    assert_eq!(
        several["messages"][1],
        json!({"role": "tool", "tool_call_id": "c", "content": "5"})
    );

    for format in ["native", ""] {
        let list = messages(&app.api, &format!("{path}?format={format}")).await;
        assert_eq!(list, messages(&app.api, &path).await);
    }
}

#[tokio::test]
async fn unknown_format_is_rejected_before_anything_is_stored() {
    let app = TestApp::shared().await;
    let session = app.session().await;
    let (path, one) = (
        session.messages_path(),
        format!("{}/a", session.messages_path()),
    );
    let message = json!({"role": "user", "content": "x"});
    let wrong = |path: &str| format!("{path}?format=xml");
    app.api
        .post(&wrong(&path), &message)
        .await
        .assert_invalid("format");
    app.api
        .put(&wrong(&one), &message)
        .await
        .assert_invalid("format");
    app.api
        .patch(&wrong(&one), &message)
        .await
        .assert_invalid("format");
    for path in [&path, &one, &session.path()] {
        app.api.get(&wrong(path)).await.assert_invalid("format");
    }
    let new = json!({"name": "x", "volume": "user"});
    app.api
        .post(&wrong("/api/sessions"), &new)
        .await
        .assert_invalid("format");
    assert_eq!(messages(&app.api, &path).await, Vec::<Value>::new());
    // Routes without messages do not have it.
    let history = json!({"messages": [{"id": "a", "role": "user", "content": "x"}]});
    let put = app.api.put(&format!("{path}?format=ui"), &history).await;
    put.assert_error(400, "invalid_request");
}

#[tokio::test]
async fn history_takes_chat_completions_messages_and_finds_them_unchanged() {
    let app = TestApp::shared().await;
    let path = app.session().await.messages_path();
    let mut history = json!({"messages": chat()});
    for (index, message) in history["messages"]
        .as_array_mut()
        .unwrap()
        .iter_mut()
        .enumerate()
    {
        message["id"] = json!(format!("m{index}"));
    }
    let merged = app.api.put(&path, &history).await.assert_status(200).json();
    assert_eq!(merged["appended"].as_array().unwrap().len(), 5);
    let again = app.api.put(&path, &history).await.assert_status(200).json();
    assert_eq!(again["unchanged"].as_array().unwrap().len(), 5, "{again}");
    let same = app
        .api
        .post(&path, &history["messages"][2])
        .await
        .assert_status(200);
    assert_eq!(same.json()["deduplicated"], json!(["m2"]));
    // Also of a stored message, a contradiction is an error.
    let mixed = json!({"messages": [{"id": "m1", "role": "user", "parts": [], "name": "Ann"}]});
    app.api
        .put(&path, &mixed)
        .await
        .assert_invalid("messages[0].name");
}

#[tokio::test]
async fn hostile_chat_completions_messages_name_the_member() {
    let app = TestApp::shared().await;
    let path = app.session().await.messages_path();
    let call = |arguments: Value| json!([{"id": "a", "type": "function", "function": {"name": "f", "arguments": arguments}}]);
    let text = json!([{"type": "text", "text": "x"}]);
    let deep: Value =
        serde_json::from_str(&format!("{}{}", "[".repeat(40), "]".repeat(40))).unwrap();
    for (message, member) in [
        (json!({"role": "user", "content": [5]}), "content"),
        (json!({"role": "user", "content": {}}), "content"),
        (json!({"role": "user", "content": []}), "content"),
        (json!({"role": "user", "content": null}), "content"),
        (
            json!({"role": "user", "content": vec![text[0].clone(); 129]}),
            "content",
        ),
        (
            json!({"role": "user", "content": [{"type": "x", "deep": deep}]}),
            "content",
        ),
        (
            json!({"role": "user", "content": [{"type": "text", "text": "\0"}]}),
            "content",
        ),
        (
            json!({"role": "user", "content": [{"type": "text", "text": "x".repeat(1 << 20)}]}),
            "content",
        ),
        (
            json!({"role": "assistant", "tool_calls": call(json!({}))}),
            "tool_calls",
        ),
        (json!({"role": "assistant", "tool_calls": {}}), "tool_calls"),
        (
            json!({"role": "assistant", "tool_calls": vec![call(json!("{}"))[0].clone(); 129]}),
            "tool_calls",
        ),
        (
            json!({"role": "user", "tool_calls": call(json!("{}"))}),
            "tool_calls",
        ),
        (
            json!({"role": "assistant", "parts": text, "tool_calls": call(json!("{}"))}),
            "tool_calls",
        ),
        (
            json!({"role": "user", "parts": text, "content": text}),
            "content",
        ),
        (json!({"role": "tool", "content": text}), "tool_call_id"),
        (
            json!({"role": "tool", "tool_call_id": "x".repeat(257), "content": "x"}),
            "tool_call_id",
        ),
        (
            json!({"role": "tool", "tool_call_id": 5, "content": "x"}),
            "tool_call_id",
        ),
        (
            json!({"role": "user", "name": "a\n", "content": "x"}),
            "name",
        ),
        (
            json!({"role": "assistant", "refusal": 5, "content": "x"}),
            "refusal",
        ),
        (
            json!({"role": "assistant", "annotations": [5], "content": "x"}),
            "annotations",
        ),
        (
            json!({"role": "assistant", "annotations": {}, "content": "x"}),
            "annotations",
        ),
        (
            json!({"role": "assistant", "annotations": vec![json!({}); 129], "content": "x"}),
            "annotations",
        ),
        (
            json!({"role": "user", "annotations": [{}], "content": "x"}),
            "annotations",
        ),
        (
            json!({"role": "assistant", "annotations": [{}], "parts": text}),
            "annotations",
        ),
        (
            json!({"role": "assistant", "annotations": [{}], "content": null}),
            "content",
        ),
        (
            json!({"role": "assistant", "audio": {"id": "a"}, "content": "x"}),
            "audio",
        ),
        (
            json!({"role": "assistant", "function_call": {"name": "f", "arguments": "{}"}, "content": "x"}),
            "function_call",
        ),
    ] {
        app.api.post(&path, &message).await.assert_invalid(member);
        app.api
            .put(&format!("{path}/a"), &message)
            .await
            .assert_invalid(member);
        let batch = json!({"messages": [message]});
        app.api
            .post(&path, &batch)
            .await
            .assert_invalid(&format!("messages[0].{member}"));
    }
    assert_eq!(messages(&app.api, &path).await, Vec::<Value>::new());

    // Odd members and arguments are data.
    let odd = json!({"type": "text", "text": "x", "__proto__": 1, "": 2, "k".repeat(10_000): 3});
    let nested = "[".repeat(100_000);
    for (id, message) in [
        ("a", json!({"role": "user", "content": [odd]})),
        (
            "b",
            json!({"role": "assistant", "tool_calls": call(json!(nested))}),
        ),
        (
            "c",
            json!({"role": "assistant", "tool_calls": call(json!("{\"a\":1,\"a\":\"\\u0000\"}"))}),
        ),
    ] {
        let put = app
            .api
            .put(&format!("{path}/{id}?format=openai"), &message)
            .await;
        assert_eq!(put.assert_status(201).json(), message);
        app.api
            .get(&format!("{path}/{id}?format=ui"))
            .await
            .assert_status(200);
    }
}

#[tokio::test]
async fn metadata_of_a_client_that_looks_like_ours_is_harmless() {
    let app = TestApp::shared().await;
    let path = app.session().await.messages_path();
    for openai in [
        json!(5),
        json!({"message": 5, "part": 5, "call": 5}),
        json!({"message": {"content": 5, "name": {}, "tool_calls": 5}, "part": {"type": "evil"}, "call": {"id": []}}),
        json!({"message": [], "part": {"type": "file", "file": []}, "refusal": false}),
    ] {
        let parts = json!([
            {"type": "text", "text": "a", "providerMetadata": {"openai": openai}},
            {"type": "file", "mediaType": "a/b", "url": "x", "providerMetadata": {"openai": openai}},
            {"type": "tool-f", "toolCallId": "a", "state": "input-available", "input": 1, "callProviderMetadata": {"openai": openai}},
            {"type": "data-openai", "data": openai},
            {"type": "tool-", "toolCallId": 5}, {"type": "dynamic-tool"}, {"type": "steering-message", "parts": 5},
        ]);
        for role in ["user", "assistant", "system", "tool"] {
            let message = json!({"role": role, "parts": parts});
            for format in ["ui", "openai"] {
                let appended = app
                    .api
                    .post(&format!("{path}?format={format}"), &message)
                    .await;
                appended.assert_status(200);
            }
        }
    }
    for format in ["ui", "openai"] {
        assert!(
            !messages(&app.api, &format!("{path}?format={format}"))
                .await
                .is_empty()
        );
    }
}

#[tokio::test]
async fn deleted_messages_are_left_out_of_other_shapes() {
    let app = TestApp::shared().await;
    let session = app.session().await;
    let path = session.messages_path();
    for id in ["a", "b"] {
        let message = json!({"id": id, "role": "user", "content": id});
        app.api.post(&path, &message).await.assert_status(200);
    }
    app.api
        .delete(&format!("{path}/a"))
        .await
        .assert_status(200);
    for format in ["ui", "openai"] {
        let list = messages(&app.api, &format!("{path}?format={format}&deleted=true")).await;
        assert_eq!(list.len(), 1, "{list:?}");
    }
    app.api
        .get(&format!("{path}/a?format=ui"))
        .await
        .assert_error(404, "not_found");
}

#[tokio::test]
async fn messages_of_the_python_version_are_rendered() {
    let app = TestApp::start().await;
    write_python_session(&app.redis, "sess_old", 0);
    let path = "/api/sessions/sess_old/messages";
    let ui = messages(&app.api, &format!("{path}?format=ui")).await;
    let text = json!({"id": "msg_1", "role": "user", "parts": [{"type": "text", "text": "first"}]});
    assert_eq!((&ui[0], ui.len()), (&text, 2));
    let chat = messages(&app.api, &format!("{path}?format=openai")).await;
    assert_eq!(chat[1], json!({"role": "user", "content": "second"}));
}
