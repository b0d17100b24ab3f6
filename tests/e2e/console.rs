//! The console in a real Chromium, on a desktop and on a phone, against the local server.

use std::path::Path;
use std::sync::Arc;

use axum::Router;
use axum::routing::post;
use llmos::auth::new_key;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::Mutex;

use crate::support::{Process, Redis, run_script};

/// A local server that serves `public/`.
struct Console {
    _process: Process,
    _directory: TempDir,
    base: String,
}

impl Console {
    async fn start(environment: &[(&str, &str)]) -> Self {
        let directory = TempDir::new().unwrap();
        let public = Path::new(env!("CARGO_MANIFEST_DIR")).join("public");
        std::os::unix::fs::symlink(public, directory.path().join("public")).unwrap();
        let (process, api) = Process::local_server(directory.path(), environment).await;
        let base = format!("http://{}", api.unwrap().address());
        Self {
            _process: process,
            _directory: directory,
            base,
        }
    }

    /// Runs all flows of a script in a viewport of `tab.mjs`; each flow must pass.
    async fn run(&self, script: &str, viewport: &str, more: &[&str]) {
        let arguments: Vec<_> = [&*self.base, viewport]
            .into_iter()
            .chain(more.iter().copied())
            .collect();
        // The folder for screenshots of failed flows.
        let environment = [("PICTURES", env!("CARGO_TARGET_TMPDIR"))];
        let printed = run_script(&format!("console/{script}"), &arguments, &environment).await;
        assert!(printed.contains('✓'), "{script} has no flows: {printed}");
    }
}

/// Runs a script against a local server with default settings.
async fn run(script: &str, viewport: &str) {
    Console::start(&[]).await.run(script, viewport, &[]).await;
}

#[tokio::test]
async fn sessions_work_on_a_desktop() {
    run("sessions.mjs", "desktop").await;
}

#[tokio::test]
async fn sessions_work_on_a_phone() {
    run("sessions.mjs", "phone").await;
}

#[tokio::test]
async fn skills_work_on_a_desktop() {
    run("skills.mjs", "desktop").await;
}

#[tokio::test]
async fn skills_work_on_a_phone() {
    run("skills.mjs", "phone").await;
}

#[tokio::test]
async fn files_and_status_work_on_a_desktop() {
    run("files.mjs", "desktop").await;
}

#[tokio::test]
async fn files_and_status_work_on_the_narrowest_screen() {
    run("files.mjs", "narrow").await;
}

#[tokio::test]
async fn hostile_and_large_content_is_harmless_on_a_desktop() {
    run("hostile.mjs", "desktop").await;
}

#[tokio::test]
async fn hostile_and_large_content_is_harmless_on_a_phone() {
    run("hostile.mjs", "phone").await;
}

#[tokio::test]
async fn web_client_works_without_the_console() {
    run("client.mjs", "desktop").await;
}

#[tokio::test]
async fn sign_in_grants_access_until_sign_out() {
    let (key, entry) = new_key("page", "user/alice").unwrap();
    let console = Console::start(&[("API_KEYS", &*entry)]).await;
    console.run("access.mjs", "desktop", &[&key]).await;
}

#[tokio::test]
async fn missing_storage_shows_samples_and_the_fix() {
    // Without a redis-server in `PATH` the local server has no Redis.
    let console = Console::start(&[("PATH", "/nonexistent")]).await;
    console.run("access.mjs", "phone", &[]).await;
}

#[tokio::test]
async fn misconfigured_deployment_shows_the_variable_and_the_remedy() {
    let health = env!("CARGO_BIN_EXE_health");
    let (_function, api) = Process::function(health, &[("STORAGE_FALLBACK", "maybe")]).await;
    let functions = format!("http://{}", api.address());
    let console = Console::start(&[]).await;
    console
        .run("misconfigured.mjs", "phone", &[&functions])
        .await;
}

/// Serves routes that stop and start a Redis. Returns their base URL.
async fn control(redis: Arc<Mutex<Redis>>) -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let stopped = redis.clone();
    let router = Router::new()
        .route("/stop", post(async move || stopped.lock().await.kill()))
        .route(
            "/start",
            post(async move || redis.lock().await.restart().await),
        );
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    address
}

#[tokio::test]
async fn redis_outage_while_typing_loses_nothing() {
    // The append-only file keeps the data across the restart.
    let arguments = ["--appendonly", "yes", "--appendfsync", "always"];
    let redis = Redis::start_with(&arguments).await;
    let url = redis.url();
    let control = control(Arc::new(Mutex::new(redis))).await;
    let console = Console::start(&[("REDIS_URL", &*url)]).await;
    console.run("outage.mjs", "desktop", &[&control]).await;
}

#[tokio::test]
async fn console_is_smaller_than_60_kilobytes_and_vendored_files_are_unchanged() {
    let printed = run_script("console/weight.mjs", &[], &[]).await;
    assert!(printed.contains('✓'), "{printed}");
}
