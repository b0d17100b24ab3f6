//! Chat in real clients, against the local server with a scripted model: every supported version of the AI SDK, `llmos.js`,
//! and `useChat` in Chromium.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::post;
use serde_json::Value;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::Mutex;

use crate::support::{
    ModelAnswer, ModelServer, Process, Redis, ReservedPort, Script, Step, run_script,
};

/// The pause between two pieces of a slow answer.
const PAUSE: Duration = Duration::from_millis(100);

/// The pause for pages, which need longer to load on a busy machine.
const LONG_PAUSE: Duration = Duration::from_millis(250);
/// The pause of an answer that must not end before it is stopped.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// An answer of 40 numbers in 40 pieces.
fn numbers(pause: Duration) -> Script {
    let pieces: Vec<String> = (0..40).map(|number| format!("{number} ")).collect();
    let pieces: Vec<&str> = pieces.iter().map(String::as_str).collect();
    let events = ModelAnswer::pieces(&pieces).chat_completions();
    let mut steps = Vec::new();
    for event in events.split_inclusive("\n\n") {
        steps.push(Step::Send(event.to_owned().into()));
        if event.contains("\"content\":\"") {
            steps.push(Step::Wait(pause));
        }
    }
    Script::steps(steps)
}

fn tool_call() -> Script {
    let answer = ModelAnswer {
        text: vec!["Let me see. ".to_owned()],
        calls: vec![("call_1", "weather", vec!["{\"city\":", "\"Bern\"}"])],
        ..ModelAnswer::default()
    };
    Script::events(answer.chat_completions())
}

fn text(text: &str) -> Script {
    Script::events(ModelAnswer::text(text).chat_completions())
}

/// The local server with a scripted model.
struct Service {
    redis: Redis,
    model: ModelServer,
    port: ReservedPort,
    directory: TempDir,
    process: Process,
}

impl Service {
    async fn start() -> Self {
        let (redis, model) = tokio::join!(Redis::start(), ModelServer::start());
        for question in [
            "count for the cut connection",
            "count until stopped",
            "count across the reload",
            "count while busy",
            "count until killed",
            "count after the reader left",
        ] {
            model.push_for(question, numbers(PAUSE));
        }
        model.push_for("count in the page", numbers(LONG_PAUSE));
        model.push_for("count in two tabs", numbers(LONG_PAUSE));
        model.push_for("count until the button", numbers(LONGEST_PAUSE));
        model.push_for("slowly with a tool", tool_call());
        model.push_for("slowly with a tool", numbers(PAUSE));
        model.push_for("with a tool", tool_call());
        model.push_for("with a tool", text("It is sunny."));
        model.push_for("\"fail\"", Script::error(400, &Value::Null));
        model.otherwise(text("Short é 😀."));
        let (port, directory) = (ReservedPort::new(), TempDir::new().unwrap());
        let process = serve(&redis, &model, &port, &directory).await;
        Self {
            redis,
            model,
            port,
            directory,
            process,
        }
    }

    fn base(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Kills the server, and starts it again.
    async fn restart(&mut self) {
        self.process.kill();
        self.process = serve(&self.redis, &self.model, &self.port, &self.directory).await;
    }
}

async fn serve(
    redis: &Redis,
    model: &ModelServer,
    port: &ReservedPort,
    directory: &TempDir,
) -> Process {
    let (redis, model, port) = (redis.url(), model.base_url(), port.to_string());
    let environment = [
        ("REDIS_URL", &*redis),
        ("LLMOS_MODEL_BASE_URL", &*model),
        // The scripts are for the questions alone.
        ("LLMOS_TITLES", "off"),
        ("PORT", &*port),
        // The port is reserved for this address only.
        ("HOST", "127.0.0.1"),
    ];
    let (process, api) = Process::local_server(directory.path(), &environment).await;
    assert!(api.is_some(), "{}", process.output());
    process
}

/// Runs the flows of `service.mjs` with a version of the AI SDK.
async fn works_with(package: &str) {
    let service = Service::start().await;
    let printed = run_script("chat/service.mjs", &[package, &service.base()], &[]).await;
    assert_eq!(printed.matches('✓').count(), 8, "{printed}");
}

#[tokio::test]
async fn chat_of_ai_5_0_150_works() {
    works_with("ai-5.0.150").await;
}

#[tokio::test]
async fn chat_of_ai_5_0_277_works() {
    works_with("ai-5.0.277").await;
}

#[tokio::test]
async fn chat_of_ai_6_0_200_works() {
    works_with("ai-6.0.200").await;
}

#[tokio::test]
async fn chat_of_ai_6_0_326_works() {
    works_with("ai-6.0.326").await;
}

#[tokio::test]
async fn chat_of_ai_7_0_173_works() {
    works_with("ai-7.0.173").await;
}

#[tokio::test]
async fn web_client_continues_after_cut_connections_stops_and_resumes() {
    let service = Service::start().await;

    let printed = run_script("chat/client.mjs", &[&service.base()], &[]).await;

    assert_eq!(printed.matches('✓').count(), 6, "{printed}");
    let asked = |text: &str| {
        let calls = service.model.calls().into_iter();
        calls
            .filter(|call| call.body.to_string().contains(text))
            .count()
    };
    assert_eq!(asked("count for the cut connection"), 1);
    let call = service.model.calls()[1].clone();
    assert_eq!(call.body["model"], "other-model");
}

#[tokio::test]
async fn web_client_reads_the_partial_answer_of_a_killed_server() {
    let service = Arc::new(Mutex::new(Service::start().await));
    let base = service.lock().await.base();
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let control = format!("http://{}", listener.local_addr().unwrap());
    let killed = service.clone();
    let kill = async move || killed.lock().await.restart().await;
    let router = Router::new().route("/kill", post(kill));
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });

    let printed = run_script("chat/client.mjs", &[&base, &control], &[]).await;

    assert_eq!(printed.matches('✓').count(), 1, "{printed}");
    // The model was not asked again for the answer that was lost.
    let calls = service.lock().await.model.calls();
    let asked = calls
        .iter()
        .filter(|call| call.body["messages"].as_array().unwrap().len() == 1);
    assert_eq!(asked.count(), 1);
}

#[tokio::test]
async fn usechat_example_answers_resumes_and_stops_in_a_browser() {
    let modules =
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/usechat/node_modules");
    assert!(modules.is_dir(), "vite is not installed: run `make setup`");
    let service = Service::start().await;

    let printed = run_script("chat/usechat.mjs", &[&service.base()], &[]).await;

    assert_eq!(printed.matches('✓').count(), 4, "{printed}");
}
