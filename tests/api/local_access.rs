//! `cargo run`: access to the local server, its start-up lines, and the headers of its pages.

use std::path::Path;
use std::time::Duration;

use axum::http::Method;
use llmos::auth::new_key;
use llmos::blob::client_token;
use llmos::local::blob_store::LOCAL_TOKEN;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{Client, Process};

/// The one body of this route that needs credentials; upload callbacks of the store do not.
const UPLOAD: &str = r#"{"type":"blob.generate-client-token","payload":{"pathname":"x"}}"#;

const LIMIT: Duration = Duration::from_secs(20);

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
        "access     full access without authentication, from this machine only",
    )
    .await;
    assert!(!process.output().contains("warning"));
    assert!(api.address().starts_with("127.0.0.1:"));
    let _ = api.create_session("x").await;
}

#[tokio::test]
async fn local_server_listens_on_both_loopback_addresses() {
    for host in ["", "localhost"] {
        let (_directory, mut process, api) = start(&[("HOST", host)]).await;
        assert_says(&mut process, "from this machine only").await;
        let port = api.address().rsplit_once(':').unwrap().1;
        let session = api.session("x").await;
        for host in ["127.0.0.1", "[::1]"] {
            let api = Client::http(format!("http://{host}:{port}"));
            api.get(&session.path()).await.assert_status(200);
        }
        let line = format!("llmos      http://127.0.0.1:{port} http://[::1]:{port}\n");
        assert!(process.output().contains(&line), "{}", process.output());
    }
    let (_directory, _process, api) = start(&[("HOST", "[::1]")]).await;
    assert!(api.address().starts_with("[::1]:"));
}

#[tokio::test]
async fn occupied_ipv6_port_is_an_error() {
    let listener = std::net::TcpListener::bind("[::1]:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let directory = TempDir::new().unwrap();
    let (mut process, api) = Process::local_server(directory.path(), &[("PORT", &port)]).await;
    assert!(api.is_none());
    assert_eq!(process.exit_code(LIMIT).await, Some(1));
    let said = format!("cannot listen on [::1]:{port}: stop the program on that port");
    assert!(process.output().contains(&said), "{}", process.output());
}

#[tokio::test]
async fn host_that_a_shell_exports_is_ignored_with_a_warning() {
    for host in ["no-such-machine.invalid", "x86_64-linux-gnu", "a b"] {
        let (_directory, mut process, api) = start(&[("HOST", host)]).await;
        assert_says(
            &mut process,
            "warning    HOST in the environment is ignored",
        )
        .await;
        assert_says(&mut process, "from this machine only").await;
        assert!(api.address().starts_with("127.0.0.1:"));
        api.get("/api/health").await.assert_status(200);
    }
}

#[tokio::test]
async fn host_of_a_file_is_a_name_or_an_address() {
    let directory = TempDir::new().unwrap();
    let write = |host: &str| {
        std::fs::write(directory.path().join(".env"), format!("HOST='{host}'")).unwrap();
    };
    for (host, environment) in [
        ("0.0.0.0", &[][..]),
        ("0.0.0.0", &[("HOST", "no-such-machine.invalid")]),
    ] {
        write(host);
        let (mut process, api) = Process::local_server(directory.path(), environment).await;
        assert_says(&mut process, "warning    all requests are rejected").await;
        assert!(api.unwrap().address().starts_with("0.0.0.0:"));
        process.signal("-TERM");
        assert_eq!(process.exit_code(LIMIT).await, Some(0));
    }
    for (host, said) in [
        (
            "no-such-machine.invalid",
            "the name in HOST, no-such-machine.invalid, does not resolve",
        ),
        (
            "192.0.2.1",
            "cannot listen on 192.0.2.1:0: set HOST to localhost or an address of this machine",
        ),
        (
            "http://localhost",
            "HOST is \"ht***\": must be localhost, an IP address, or a host name",
        ),
    ] {
        write(host);
        let (mut process, api) = Process::local_server(directory.path(), &[]).await;
        assert!(api.is_none());
        assert_eq!(process.exit_code(LIMIT).await, Some(1));
        assert!(process.output().contains(said), "{}", process.output());
    }
}

#[tokio::test]
async fn network_reachable_server_without_access_configuration_is_closed() {
    let (_directory, mut process, api) = start(&[("HOST", "0.0.0.0")]).await;
    assert_says(&mut process, "warning    all requests are rejected").await;
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
        "warning    every machine that can reach {} has full access without authentication",
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
async fn pages_without_a_public_folder_are_served_from_the_binary() {
    let (_directory, _process, api) = start(&[("CARGO_MANIFEST_DIR", "/nowhere")]).await;
    for (path, content_type, content) in [
        (
            "/",
            "text/html",
            &include_bytes!("../../public/index.html")[..],
        ),
        (
            "/llmos.js?x=1",
            "text/javascript",
            include_bytes!("../../public/llmos.js"),
        ),
        (
            "/docs/",
            "text/html",
            include_bytes!("../../public/docs/index.html"),
        ),
        // Redirected to /docs/.
        (
            "/docs",
            "text/html",
            include_bytes!("../../public/docs/index.html"),
        ),
    ] {
        let page = api.get(path).await.assert_status(200);
        assert_eq!(page.body, content, "{path}");
        assert_eq!(page.header("content-type"), Some(content_type), "{path}");
        assert!(page.header("content-security-policy").is_some(), "{path}");
        let head = api.send(Method::HEAD, path, Vec::new()).await;
        assert_eq!(head.assert_status(200).body, b"", "{path}");
    }
    for path in [
        "/nothing",
        "/docs/nothing/",
        "/../Cargo.toml",
        "/%2e%2e/Cargo.toml",
        "//etc/passwd",
        "/%ff",
    ] {
        let _ = api.get(path).await.assert_error(404, "not_found");
    }
    let _ = api.get("/api/health").await.assert_status(200);
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
