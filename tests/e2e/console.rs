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

/// A local server with our pages.
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

    /// Goes through the flows of a script, all of which must hold.
    async fn run(&self, script: &str, viewport: &str, more: &[&str]) {
        let arguments: Vec<_> = [&*self.base, viewport]
            .into_iter()
            .chain(more.iter().copied())
            .collect();
        // Where a failed flow leaves a picture of what it saw.
        let environment = [("PICTURES", env!("CARGO_TARGET_TMPDIR"))];
        let printed = run_script(&format!("console/{script}"), &arguments, &environment).await;
        assert!(printed.contains('✓'), "{script} has no flows: {printed}");
    }
}

#[tokio::test]
async fn sessions_on_a_desktop() {
    Console::start(&[])
        .await
        .run("sessions.mjs", "desktop", &[])
        .await;
}

#[tokio::test]
async fn sessions_on_a_phone() {
    Console::start(&[])
        .await
        .run("sessions.mjs", "phone", &[])
        .await;
}

#[tokio::test]
async fn skills_on_a_desktop() {
    Console::start(&[])
        .await
        .run("skills.mjs", "desktop", &[])
        .await;
}

#[tokio::test]
async fn skills_on_a_phone() {
    Console::start(&[])
        .await
        .run("skills.mjs", "phone", &[])
        .await;
}

#[tokio::test]
async fn files_and_the_state_on_a_desktop() {
    Console::start(&[])
        .await
        .run("files.mjs", "desktop", &[])
        .await;
}

#[tokio::test]
async fn files_and_the_state_on_the_narrowest_screen() {
    Console::start(&[])
        .await
        .run("files.mjs", "narrow", &[])
        .await;
}

#[tokio::test]
async fn hostile_content_and_very_much_of_it_on_a_desktop() {
    Console::start(&[])
        .await
        .run("hostile.mjs", "desktop", &[])
        .await;
}

#[tokio::test]
async fn hostile_content_and_very_much_of_it_on_a_phone() {
    Console::start(&[])
        .await
        .run("hostile.mjs", "phone", &[])
        .await;
}

#[tokio::test]
async fn the_client_for_web_pages_by_itself() {
    Console::start(&[])
        .await
        .run("client.mjs", "desktop", &[])
        .await;
}

#[tokio::test]
async fn sign_in() {
    let (key, entry) = new_key("page", "user/alice").unwrap();
    let console = Console::start(&[("API_KEYS", &*entry)]).await;
    console.run("access.mjs", "desktop", &[&key]).await;
}

#[tokio::test]
async fn without_storage() {
    // Where there is no redis-server to be found.
    let console = Console::start(&[("PATH", "/nonexistent")]).await;
    console.run("access.mjs", "phone", &[]).await;
}

/// Stops and starts a Redis when it is asked to, and the address at which that is.
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
async fn redis_stops_while_somebody_types() {
    // Kept on disk: what was stored before is there when it is back.
    let arguments = ["--appendonly", "yes", "--appendfsync", "always"];
    let redis = Redis::start_with(&arguments).await;
    let url = redis.url();
    let control = control(Arc::new(Mutex::new(redis))).await;
    let console = Console::start(&[("REDIS_URL", &*url)]).await;
    console.run("outage.mjs", "desktop", &[&control]).await;
}

#[tokio::test]
async fn it_weighs_less_than_60_kilobytes_and_has_from_others_what_they_published() {
    let printed = run_script("console/weight.mjs", &[], &[]).await;
    assert!(printed.contains('✓'), "{printed}");
}
