//! The Vercel CLI: `vercel dev` runs the functions, `vercel build` builds the deployment.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

use crate::support::{
    BlobServer, Cli, Client, ModelAnswer, ModelServer, Process, Redis, Script, Tree,
    check_chat_routes, check_file_routes, check_old_ids, check_session_routes,
    check_skill_and_file_routes, check_skill_routes, http_client, read_events,
};

/// One test for both commands: they compile, so in parallel they would only slow down each other, and a test that
/// waits for its turn would occupy a test thread.
#[tokio::test]
async fn vercel_build_and_vercel_dev_serve_every_route() {
    check_build().await;
    check_dev().await;
}

/// Checks that `vercel dev` runs the functions, streams, and serves static files.
async fn check_dev() {
    let redis = Redis::start().await;
    let tree = Tree::checked_out();
    let local = TempDir::new().unwrap();
    let (_services, variables) = services(local.path(), &redis).await;
    let variables = variables
        .iter()
        .map(|(name, value)| format!("{name}={value}\n"));
    tree.write(".env", &variables.collect::<String>());
    tree.write("public/of-the-test.txt", "static");
    add_stream_function(&tree);
    let (_cli, api, base) = Cli::dev(&tree).await;

    check_session_routes(&api).await;
    check_old_ids(&api, &redis).await;
    check_skill_and_file_routes(&api).await;
    check_chat_routes(&api).await;
    check_other_paths(&api).await;
    read_events(
        http_client()
            .build()
            .unwrap()
            .get(format!("{base}/api/stream")),
    )
    .await;
}

/// Checks that each function built by `vercel build` serves its routes.
async fn check_build() {
    let redis = Redis::start().await;
    let local = TempDir::new().unwrap();
    let (_services, variables) = services(local.path(), &redis).await;
    let tree = Tree::deployed();
    Cli::build(&tree).await;

    let configuration = json(&tree, "vercel.json");
    check_routes(&configuration, &json(&tree, ".vercel/output/config.json"));
    let names = names_of_functions(&tree);
    assert_eq!(
        names,
        sources_of_functions(&tree),
        "each file in api/ is a function"
    );
    for name in &names {
        let function = json(
            &tree,
            &format!(".vercel/output/functions/api/{name}.func/.vc-config.json"),
        );
        let limits = match &**name {
            "chat" => &configuration["functions"]["api/chat.rs"],
            _ => &configuration["functions"]["api/!(chat).rs"],
        };
        assert!(limits["maxDuration"].is_u64(), "{name}");
        assert_eq!(function["maxDuration"], limits["maxDuration"]);
        assert_eq!(function.get("memory"), limits.get("memory"));
        assert_eq!(function["supportsResponseStreaming"], true);
        check_function(&tree, name, &function, &variables).await;
    }
    // Without a public/ folder in the deployment the CLI would publish the sources.
    assert_eq!(
        files_below(&tree.path().join(".vercel/output/static")),
        files_below(&tree.path().join("public"))
    );
}

#[test]
fn files_ignored_by_git_are_not_deployed() {
    // The CLI ignores .gitignore if a .vercelignore exists; it excludes .vercel by itself.
    let tree = Tree::checked_out();
    let (git, vercel) = (tree.read(".gitignore"), tree.read(".vercelignore"));
    for pattern in git.lines().filter(|line| *line != "/.vercel") {
        assert!(
            vercel.lines().any(|line| line == pattern),
            ".vercelignore lacks {pattern}"
        );
    }
}

/// Adds the example as a function, as its documentation describes.
fn add_stream_function(tree: &Tree) {
    tree.write("api/stream.rs", &tree.read("examples/stream.rs"));
    let bin = "[[bin]]\nname = \"stream\"\npath = \"api/stream.rs\"\n\n[dependencies]\n";
    let manifest = tree.read("Cargo.toml");
    let manifest = manifest.replacen("[dependencies]\n", bin, 1);
    tree.write("Cargo.toml", &manifest);
}

/// Checks all paths but sessions: health, unknown routes and static files.
async fn check_other_paths(api: &Client) {
    for path in ["/api/health", "/api/health/"] {
        let health = api.get(path).await.assert_status(200);
        assert_eq!(health.json()["redis"]["status"], "ok");
        assert!(health.round_trips() <= 2);
    }
    for path in [
        "/api",
        "/api/",
        "/api/nothing",
        "/api/sessionsx",
        "/api/sessions.rs",
        "/api/sessions/x/y",
    ] {
        api.get(path).await.assert_error(404, "not_found");
    }
    api.delete("/api/health")
        .await
        .assert_error(405, "method_not_allowed");

    let file = api.get("/of-the-test.txt").await.assert_status(200);
    assert_eq!(file.body, b"static");
    assert_eq!(file.header("x-content-type-options"), Some("nosniff"));
    // The headers of pages must not apply to functions, which set their own (a file's policy above all).
    let health = api.get("/api/health").await.assert_status(200);
    for name in [
        "content-security-policy",
        "cross-origin-opener-policy",
        "permissions-policy",
        "referrer-policy",
        "x-frame-options",
    ] {
        assert!(file.header(name).is_some(), "{name}");
        assert_eq!(health.header(name), None, "{name}");
    }
    for answer in [&file, &health] {
        let lifetime = answer.header("strict-transport-security");
        assert_eq!(lifetime, Some("max-age=63072000; includeSubDomains"));
    }
    for secret in ["/.env", "/Cargo.toml", "/src/lib.rs"] {
        api.get(secret).await.assert_status(404);
    }
}

/// Checks that the built routes contain every rewrite of `vercel.json` in order.
fn check_routes(configuration: &Value, built: &Value) {
    let rewrites = configuration["rewrites"].as_array().unwrap();
    let wanted = rewrites.iter().map(|rewrite| &rewrite["destination"]);
    let routes = built["routes"].as_array().unwrap();
    let found = routes
        .iter()
        .filter(|route| route["check"] == true && route["dest"] != "/api/$1");
    assert_eq!(
        found.map(|route| &route["dest"]).collect::<Vec<_>>(),
        wanted.collect::<Vec<_>>(),
        "{built}"
    );
}

/// Starts the built function and calls its routes.
async fn check_function(tree: &Tree, name: &str, function: &Value, variables: &Variables) {
    let executable = function["filePathMap"]["executable"].as_str().unwrap();
    let executable = tree.path().join(executable);
    let environment = variables
        .iter()
        .map(|(name, value)| (*name, value.as_str()));
    let environment: Vec<_> = environment.collect();
    let (_process, api) = Process::function(executable.to_str().unwrap(), &environment).await;
    match name {
        "sessions" => check_session_routes(&api).await,
        "skills" => check_skill_routes(&api).await,
        "files" => check_file_routes(&api).await,
        "chat" => check_chat_routes(&api).await,
        _ => drop(api.get(&format!("/api/{name}")).await.assert_status(200)),
    }
}

/// The variables of the service.
type Variables = [(&'static str, String); 5];

/// Starts a local server, whose Blob store others can use, and a scripted model; returns the variables that point the
/// service to them and to Redis.
async fn services(directory: &Path, redis: &Redis) -> ((Process, ModelServer), Variables) {
    let environment = [("REDIS_URL", &*redis.url())];
    let (server, api) = Process::local_server(directory, &environment).await;
    let api_url = format!("http://{}/_blob", api.unwrap().address());
    let model = ModelServer::start().await;
    let answer = ModelAnswer::text("Hello").chat_completions();
    model.otherwise(Script::events(answer));
    let variables = [
        ("REDIS_URL", redis.url()),
        ("VERCEL_BLOB_API_URL", api_url),
        ("BLOB_READ_WRITE_TOKEN", BlobServer::TOKEN.to_owned()),
        ("LLMOS_MODEL_BASE_URL", model.base_url()),
        ("LLMOS_TITLES", "off".to_owned()),
    ];
    ((server, model), variables)
}

fn names_of_functions(tree: &Tree) -> BTreeSet<String> {
    stems(&tree.path().join(".vercel/output/functions/api"))
}

fn sources_of_functions(tree: &Tree) -> BTreeSet<String> {
    stems(&tree.path().join("api"))
}

fn stems(directory: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    entries
        .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
        .collect()
}

fn files_below(directory: &Path) -> BTreeSet<String> {
    let mut files = BTreeSet::new();
    for entry in fs::read_dir(directory).unwrap_or_else(|error| panic!("{directory:?}: {error}")) {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        if entry.file_type().unwrap().is_dir() {
            let below = files_below(&entry.path());
            files.extend(below.iter().map(|file| format!("{name}/{file}")));
        } else {
            files.insert(name);
        }
    }
    files
}

fn json(tree: &Tree, file: &str) -> Value {
    serde_json::from_str(&tree.read(file)).unwrap()
}
