//! Speaks HTTP to the service, in this process or over a socket, and looks closely at every answer.

use std::time::{Duration, Instant};

use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, StatusCode};
use llmos::http::service::AppService;
use serde_json::Value;
use tower::ServiceExt;

/// A way to the service.
#[derive(Clone, Debug)]
pub struct Client {
    target: Target,
    headers: Vec<(&'static str, String)>,
}

#[derive(Clone, Debug)]
enum Target {
    InProcess(AppService),
    Http { base: String, http: reqwest::Client },
}

impl Client {
    pub fn in_process(service: AppService) -> Self {
        Self {
            target: Target::InProcess(service),
            headers: Vec::new(),
        }
    }

    pub fn http(base: impl Into<String>) -> Self {
        // Longer than every limit of the service: what hangs fails the test that asserts a time.
        let http = http_client().timeout(Duration::from_secs(120));
        let http = http.build().unwrap();
        Self {
            target: Target::Http {
                base: base.into(),
                http,
            },
            headers: Vec::new(),
        }
    }

    /// Host and port, for speaking to the server in other ways.
    pub fn address(&self) -> &str {
        match &self.target {
            Target::InProcess(_) => panic!("the service in this process has no address"),
            Target::Http { base, .. } => base.trim_start_matches("http://"),
        }
    }

    /// The same way, with a header on every request.
    pub fn with_header(&self, name: &'static str, value: impl Into<String>) -> Self {
        let mut client = self.clone();
        client.headers.push((name, value.into()));
        client
    }

    pub async fn get(&self, path: &str) -> Response {
        self.send(Method::GET, path, Vec::new()).await
    }

    pub async fn delete(&self, path: &str) -> Response {
        self.send(Method::DELETE, path, Vec::new()).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Response {
        self.send_json(Method::POST, path, body.to_string()).await
    }

    pub async fn put(&self, path: &str, body: &Value) -> Response {
        self.send_json(Method::PUT, path, body.to_string()).await
    }

    pub async fn patch(&self, path: &str, body: &Value) -> Response {
        self.send_json(Method::PATCH, path, body.to_string()).await
    }

    /// Sends a text as JSON, also one that is none.
    pub async fn send_json(
        &self,
        method: Method,
        path: &str,
        text: impl Into<Vec<u8>>,
    ) -> Response {
        let client = self.with_header("content-type", "application/json");
        client.send(method, path, text.into()).await
    }

    pub async fn send(&self, method: Method, path: &str, body: Vec<u8>) -> Response {
        let response = self.try_send(method.clone(), path, body).await;
        response.unwrap_or_else(|error| panic!("{method} {path}: {error}"))
    }

    /// Sends a request that may find nobody to answer it.
    pub async fn try_send(
        &self,
        method: Method,
        path: &str,
        body: Vec<u8>,
    ) -> Result<Response, String> {
        let started = Instant::now();
        let (status, headers, body) = match &self.target {
            Target::InProcess(service) => {
                let mut request = Request::builder().method(method.clone()).uri(path);
                for (name, value) in &self.headers {
                    request = request.header(*name, value);
                }
                let request = request
                    .body(Body::from(body))
                    .map_err(|error| error.to_string())?;
                let (parts, body) = service.clone().oneshot(request).await.unwrap().into_parts();
                let body = axum::body::to_bytes(body, usize::MAX)
                    .await
                    .map_err(|e| e.to_string())?;
                (parts.status, parts.headers, body.to_vec())
            }
            Target::Http { base, http } => {
                let mut request = http
                    .request(method.clone(), format!("{base}{path}"))
                    .body(body);
                for (name, value) in &self.headers {
                    request = request.header(*name, value);
                }
                let response = request.send().await.map_err(|error| format!("{error:?}"))?;
                let (status, headers) = (response.status(), response.headers().clone());
                let body = response
                    .bytes()
                    .await
                    .map_err(|error| format!("{error:?}"))?;
                (status, headers, body.to_vec())
            }
        };
        let request = format!("{method} {path}");
        Ok(Response {
            request,
            status,
            headers,
            body,
            elapsed: started.elapsed(),
        })
    }

    /// Creates a session and gives its id.
    pub async fn create_session(&self, name: &str) -> String {
        let body = serde_json::json!({"name": name, "volume": "user"});
        self.post("/api/sessions", &body)
            .await
            .assert_status(201)
            .json()["id"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    /// The entity tag of what is at a path.
    pub async fn entity_tag(&self, path: &str) -> String {
        let response = self.get(path).await.assert_status(200);
        response.header("etag").unwrap().to_owned()
    }

    /// Appends a message with this content.
    pub async fn append(&self, id: &str, content: &str) -> Response {
        let body = serde_json::json!({"role": "user", "content": content});
        self.post(&format!("/api/sessions/{id}/messages"), &body)
            .await
    }
}

/// What makes clients that speak HTTP, whatever other tests do.
pub fn http_client() -> reqwest::ClientBuilder {
    // An error says that another test was first.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy()
}

/// An answer. Looking at nothing of it is a mistake.
#[must_use]
#[derive(Debug)]
pub struct Response {
    request: String,
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
    pub elapsed: Duration,
}

impl Response {
    #[track_caller]
    pub fn assert_status(self, status: u16) -> Self {
        let body = String::from_utf8_lossy(&self.body);
        assert_eq!(
            self.status.as_u16(),
            status,
            "{} answered {body}",
            self.request
        );
        self
    }

    /// The body of an answer that must be JSON and say so.
    #[track_caller]
    pub fn json(&self) -> Value {
        let content_type = self.header("content-type").unwrap_or_default();
        assert!(
            content_type.ends_with("json"),
            "{} answered {content_type}",
            self.request
        );
        serde_json::from_slice(&self.body).unwrap()
    }

    /// The body of an error that must be in the one form that all have.
    #[track_caller]
    pub fn assert_error(self, status: u16, code: &str) -> Value {
        let response = self.assert_status(status);
        assert_eq!(
            response.header("content-type"),
            Some("application/problem+json"),
            "{}",
            response.request
        );
        let problem = response.json();
        assert_eq!(problem["code"], code, "{problem}");
        assert_eq!(problem["status"], status, "{problem}");
        assert_eq!(problem["type"], "about:blank");
        assert_eq!(
            problem["request_id"].as_str(),
            response.header("x-request-id")
        );
        assert!(
            problem["detail"]
                .as_str()
                .is_some_and(|detail| !detail.is_empty()),
            "{problem}"
        );
        assert!(
            problem["title"]
                .as_str()
                .is_some_and(|title| !title.is_empty()),
            "{problem}"
        );
        problem
    }

    /// A 422 that names this field.
    #[track_caller]
    pub fn assert_invalid(self, field: &str) {
        let problem = self.assert_error(422, "validation_failed");
        assert_eq!(problem["errors"][0]["field"], field, "{problem}");
        assert!(problem["errors"][0]["message"].is_string(), "{problem}");
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// How many Redis round trips the answer says it took.
    #[track_caller]
    pub fn round_trips(&self) -> u32 {
        let timing = self
            .header("server-timing")
            .expect("every answer has Server-Timing");
        let (_, rest) = timing.split_once("redis;desc=\"").unwrap();
        rest.split(' ').next().unwrap().parse().unwrap()
    }
}
