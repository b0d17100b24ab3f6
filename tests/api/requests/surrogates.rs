//! Halves of surrogate pairs: JSON, but no text.

use axum::http::Method;

use crate::support::TestApp;

#[tokio::test]
async fn half_of_a_surrogate_pair_is_an_invalid_field() {
    let app = TestApp::shared().await;
    let messages = app.session().await.messages_path();
    for (path, body, field) in [
        (
            &*messages,
            r#"{"role":"user","content":"a \ud83d"}"#,
            "content",
        ),
        (
            &messages,
            r#"{"messages":[{"role":"user","content":"a"},{"role":"user","content":"\udc00"}]}"#,
            "messages[1].content",
        ),
        (
            &messages,
            r#"{"role":"user","content":"a","traces":[{"b":["\ud800\u0041"]}]}"#,
            "traces[0].b[0]",
        ),
        (
            &messages,
            r#"{"role":"user","content":"a","artifacts":{"\ud800":1}}"#,
            "artifacts",
        ),
        ("/api/sessions", r#"{"name":"\ude80\ud83d"}"#, "name"),
        (
            "/api/sessions",
            r#"{"name":"x","volume":"user","metadata":{"k":["\udfff"]}}"#,
            "metadata.k[0]",
        ),
        (
            "/api/sessions",
            r#"{"name":"a","metadata":{"b":{"c":"\ud83d\ud83d\ude80"}}}"#,
            "metadata.b.c",
        ),
        (
            "/api/skills",
            r#"{"name":"a","description":"b","tags":["x","\uD800"]}"#,
            "tags[1]",
        ),
    ] {
        let response = app.api.send_json(Method::POST, path, body.to_owned());
        response.await.assert_invalid(field);
    }
}

#[tokio::test]
async fn surrogate_pair_is_accepted_and_malformed_json_is_400() {
    let app = TestApp::shared().await;
    let path = app.session().await.messages_path();
    for (body, status) in [
        (r#"{"role":"user","content":"\ud83d\ude80 \\ud800"}"#, 200),
        // The text after the half is not JSON, or ambiguous.
        (r#"{"role":"user","content":"\ud800""#, 400),
        (r#"{"role":"user","content":"\ud800","role":"user"}"#, 400),
        (r#"["\ud800"]"#, 400),
        (r#"{"role":"user","content":"\ud80"}"#, 400),
    ] {
        let response = app.api.send_json(Method::POST, &path, body.to_owned());
        response.await.assert_status(status);
    }
    let list = app.api.get(&path).await.assert_status(200).json();
    assert_eq!(list["messages"][0]["content"], "🚀 \\ud800");
}
