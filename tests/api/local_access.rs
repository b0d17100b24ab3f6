//! `cargo run`: access to the local server, its start-up lines, and the headers of its pages.

use std::path::Path;

use axum::http::Method;
use llmos::auth::new_key;
use llmos::blob::client_token;
use llmos::local::blob_store::LOCAL_TOKEN;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{Client, Process};

/// The one body of this route that needs credentials; upload callbacks of the store do not.
const UPLOAD: &str = r#"{"type":"blob.generate-client-token","payload":{"pathname":"x"}}"#;

/// Returns every method of every described route with a matching path.
fn routes() -> Vec<(Method, String)> {
    let description = include_str!("../../public/openapi.json");
    let description: Value = serde_json::from_str(description).unwrap();
    let paths = description["paths"].as_object().unwrap().iter();
    let routes = paths.flat_map(|(path, item)| {
        let path = path
            .split('/')
            .map(|part| if part.starts_with('{') { "x" } else { part });
        let path = path.collect::<Vec<_>>().join("/");
        let methods = item.as_object().unwrap().keys();
        methods.filter_map(move |name| {
            let method: Method = name.to_uppercase().parse().unwrap();
            let methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];
            methods
                .contains(&method.as_str())
                .then(|| (method, path.clone()))
        })
    });
    routes.collect()
}

async fn start(environment: &[(&str, &str)]) -> (TempDir, Process, Client) {
    let directory = TempDir::new().unwrap();
    let (process, api) = Process::local_server(directory.path(), environment).await;
    (directory, process, api.unwrap())
}

/// Waits for a start-up line.
async fn assert_says(process: &mut Process, line: &str) {
    let limit = std::time::Duration::from_secs(10);
    assert!(process.wait_for(line, limit).await, "{}", process.output());
}

#[tokio::test]
async fn local_server_accepts_only_loopback_by_default() {
    let (_directory, mut process, api) = start(&[]).await;
    assert_says(
        &mut process,
        "access     you are the local user, who may do everything; other machines cannot connect",
    )
    .await;
    assert!(!process.output().contains("careful"));
    assert!(api.address().starts_with("127.0.0.1:"));
    let _ = api.create_session("x").await;
}

#[tokio::test]
async fn network_reachable_server_without_access_configuration_is_closed() {
    let (_directory, mut process, api) = start(&[("HOST", "0.0.0.0")]).await;
    assert_says(&mut process, "careful    nobody may call").await;
    for name in [
        "AUTH_JWKS_URL",
        "AUTH_JWT_SECRET",
        "API_KEYS",
        "ALLOW_ANONYMOUS=true",
    ] {
        assert!(process.output().contains(name), "{name}");
    }

    let routes = routes();
    assert!(routes.len() > 20, "{routes:?}");
    for (method, path) in routes {
        let answer = api.send_json(method.clone(), &path, UPLOAD).await;
        if path == "/api/health" {
            answer.assert_status(200);
            continue;
        }
        assert_eq!(answer.status, 401, "{method} {path}: {answer:?}");
        if method != Method::HEAD {
            let problem = answer.assert_error(401, "unauthorized");
            let detail = problem["detail"].as_str().unwrap();
            assert!(detail.contains("ALLOW_ANONYMOUS=true"), "{problem}");
        }
    }
    let guess = api.with_header("authorization", "Bearer x");
    let refused = guess.get("/api/sessions").await;
    refused.assert_error(401, "unauthorized");
}

#[tokio::test]
async fn network_reachable_server_with_allow_anonymous_is_open() {
    let environment = [("HOST", "0.0.0.0"), ("ALLOW_ANONYMOUS", "true")];
    let (_directory, mut process, api) = start(&environment).await;
    let line = format!(
        "careful    every machine that reaches {} may read and write everything",
        api.address()
    );
    assert_says(&mut process, &line).await;
    let session = api.session("x").await;
    let named = api.with_header("host", "llmos.example.com");
    let found = named.get(&session.path()).await;
    found.assert_status(200);
    let file = named.send(Method::PUT, "/api/files/a.txt", b"x".to_vec());
    file.await.assert_status(200);
    // An open server still rejects pages of other sites.
    let page = api.with_header("origin", "https://evil.example");
    let refused = page.delete(&session.path()).await;
    refused.assert_error(403, "forbidden");
}

#[tokio::test]
async fn pages_have_the_headers_of_a_deployment() {
    let directory = TempDir::new().unwrap();
    let public = Path::new(env!("CARGO_MANIFEST_DIR")).join("public");
    std::os::unix::fs::symlink(public, directory.path().join("public")).unwrap();
    let (_process, api) = Process::local_server(directory.path(), &[]).await;
    let api = api.unwrap();
    let configuration: Value = serde_json::from_str(include_str!("../../vercel.json")).unwrap();
    let rules = configuration["headers"].as_array().unwrap().iter();
    let headers = rules.flat_map(|rule| rule["headers"].as_array().unwrap());
    let headers: Vec<_> = headers
        .map(|header| {
            let text = |name: &str| header[name].as_str().unwrap();
            (text("key"), text("value"))
        })
        .collect();
    let html = b"<script>1</script>".to_vec();
    let put = api.with_header("content-type", "text/html");
    let put = put.send(Method::PUT, "/api/files/a.html", html).await;
    put.assert_status(200);

    for path in [
        "/",
        "/docs/",
        "/style.css",
        "/docs/docs.js",
        "/openapi.json",
    ] {
        let page = api.get(path).await.assert_status(200);
        for (name, value) in &headers {
            let is_for_tls = *name == "Strict-Transport-Security";
            let expected = (!is_for_tls).then_some(*value);
            assert_eq!(page.header(name), expected, "{name} of {path}");
        }
    }
    for path in ["/api/health", "/api/files/a.html", "/api", "/nothing"] {
        let answer = api.get(path).await;
        for (name, value) in &headers {
            let is_ours = *name != "X-Content-Type-Options";
            let is_pages = answer.header(name) == Some(value);
            assert!(!(is_ours && is_pages), "{name} of {path}");
        }
    }
}

#[tokio::test]
async fn well_known_development_token_signs_no_links() {
    let (key, entry) = new_key("alice", "user/alice").unwrap();
    let environment = [("HOST", "0.0.0.0"), ("API_KEYS", &*entry)];
    let (_directory, _process, api) = start(&environment).await;
    let alice = api.with_header("authorization", format!("Bearer {key}"));
    let put = alice.send(Method::PUT, "/api/files/a.txt", b"hello".to_vec());
    put.await.assert_status(200);

    let link = alice
        .post("/api/files/link", &json!({"path": "a.txt"}))
        .await;
    let url = link.assert_status(200).json()["url"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(api.get(&url).await.assert_status(200).body, b"hello");
    let (rest, _) = url.split_once("signature=").unwrap();
    let (_, valid_until) = rest
        .trim_end_matches('&')
        .split_once("valid_until=")
        .unwrap();
    let message = format!("llmos file link\n{valid_until}\nvolumes/user/alice/files/a.txt");
    let forged = client_token::sign(message.as_bytes(), LOCAL_TOKEN);
    let forged = api.get(&format!("{rest}signature={forged}")).await;
    forged.assert_error(403, "forbidden");
}
