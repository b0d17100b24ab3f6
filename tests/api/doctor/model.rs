//! The check of the model provider.

use serde_json::{Value, json};

use super::{Run, doctor_with};
use crate::support::{ModelAnswer, ModelServer, Redis, ReservedPort, Script};

const KEY: &str = "hidden-key";

async fn doctor(base_url: &str) -> Run {
    let redis = Redis::start().await;
    let environment = [
        ("REDIS_URL", &*redis.url()),
        ("LLMOS_MODEL_BASE_URL", base_url),
        ("LLMOS_MODEL_API_KEY", KEY),
        ("LLMOS_MODEL", "some-model"),
    ];
    doctor_with(&environment, "").await
}

#[tokio::test]
async fn working_provider_is_named_with_its_model_and_the_time_to_the_first_token() {
    let model = ModelServer::start().await;
    model.push(Script::events(ModelAnswer::text("OK").chat_completions()));

    let run = doctor(&model.base_url()).await;

    assert_eq!(run.code, Some(0), "{}", run.output);
    assert!(
        run.output.contains("model provider custom\n"),
        "{}",
        run.output
    );
    let line = run.from('✓', "model")[0];
    assert!(line.contains(" some-model, first token after "), "{line}");
    assert!(line.ends_with(" ms"), "{line}");
    let calls = model.calls();
    assert_eq!(calls.len(), 1);
    assert_eq!(calls[0].body["model"], "some-model");
    let tokens = ["max_tokens", "max_completion_tokens"].map(|name| calls[0].body[name].as_u64());
    assert_eq!(tokens.into_iter().flatten().collect::<Vec<_>>(), [1]);
}

#[tokio::test]
async fn failure_of_the_provider_has_its_cause_and_remedy() {
    let error = |code: &str| json!({"error": {"code": code, "message": KEY}});
    for (status, body, cause, remedy) in [
        (
            401,
            error("invalid_api_key"),
            "does not accept the configured key (status 401)",
            "set LLMOS_MODEL_API_KEY",
        ),
        (
            429,
            error("insufficient_quota"),
            "no credit left",
            "add credit",
        ),
        (
            404,
            error("model_not_found"),
            "does not know the model",
            "set LLMOS_MODEL to a model",
        ),
        (
            400,
            error("invalid_request"),
            "rejected the request",
            "LLMOS_MODEL_WIRE",
        ),
        (500, Value::Null, "failed (status 500)", "try again"),
    ] {
        let model = ModelServer::start().await;
        model.otherwise(Script::error(status, &body));
        let run = doctor(&model.base_url()).await;
        run.assert_failed("model", cause, remedy);
    }
}

#[tokio::test]
async fn refused_connection_and_silence_are_told_apart() {
    let port = ReservedPort::new();
    let run = doctor(&format!("http://127.0.0.1:{port}/v1")).await;
    run.assert_failed("model", "no connection", "start the server");

    let model = ModelServer::start().await;
    model.otherwise(Script::silence());
    let run = doctor(&model.base_url()).await;
    run.assert_failed("model", "did not respond in time", "responds");
}
