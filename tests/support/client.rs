//! An HTTP client for the service, in this process or over a socket, with assertions on responses.

use std::time::{Duration, Instant};

use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, StatusCode};
use llmos::http::layers::AppService;
use serde_json::Value;
use tower::ServiceExt;

/// A client of the service.
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
        // Longer than every time limit of the service, so that the assertion of the test fails first.
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

    /// Returns host and port.
    pub fn address(&self) -> &str {
        match &self.target {
            Target::InProcess(_) => panic!("the service in this process has no address"),
            Target::Http { base, .. } => base.trim_start_matches("http://"),
        }
    }

    /// Returns a client that sends this header with every request.
    pub fn with_header(&self, name: &'static str, value: impl Into<String>) -> Self {
        let mut client = self.clone();
        client.headers.push((name, value.into()));
        client
    }

    #[must_use = "a response has to be checked"]
    pub async fn get(&self, path: &str) -> Response {
        self.send(Method::GET, path, Vec::new()).await
    }

    #[must_use = "a response has to be checked"]
    pub async fn delete(&self, path: &str) -> Response {
        self.send(Method::DELETE, path, Vec::new()).await
    }

    #[must_use = "a response has to be checked"]
    pub async fn post(&self, path: &str, body: &Value) -> Response {
        self.send_json(Method::POST, path, body.to_string()).await
    }

    #[must_use = "a response has to be checked"]
    pub async fn put(&self, path: &str, body: &Value) -> Response {
        self.send_json(Method::PUT, path, body.to_string()).await
    }

    #[must_use = "a response has to be checked"]
    pub async fn patch(&self, path: &str, body: &Value) -> Response {
        self.send_json(Method::PATCH, path, body.to_string()).await
    }

    /// Sends a text as JSON, valid or not.
    #[must_use = "a response has to be checked"]
    pub async fn send_json(
        &self,
        method: Method,
        path: &str,
        text: impl Into<Vec<u8>>,
    ) -> Response {
        let client = self.with_header("content-type", "application/json");
        client.send(method, path, text.into()).await
    }

    #[must_use = "a response has to be checked"]
    pub async fn send(&self, method: Method, path: &str, body: Vec<u8>) -> Response {
        let response = self.try_send(method.clone(), path, body).await;
        response.unwrap_or_else(|error| panic!("{method} {path}: {error}"))
    }

    /// Sends a request that may fail without a response.
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

    /// Creates a session of the user's default volume.
    pub async fn session(&self, name: &str) -> SessionFixture {
        let id = self.create_session(name).await;
        SessionFixture { id }
    }

    /// Creates a session of the user's default volume and returns its id.
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

    /// Returns the entity tag of a resource.
    pub async fn entity_tag(&self, path: &str) -> String {
        let response = self.get(path).await.assert_status(200);
        response.header("etag").unwrap().to_owned()
    }

    /// Appends a message with this content to a session.
    #[must_use = "a response has to be checked"]
    pub async fn append(&self, id: &str, content: &str) -> Response {
        let body = serde_json::json!({"role": "user", "content": content});
        self.post(&format!("/api/sessions/{id}/messages"), &body)
            .await
    }
}

/// A session that a test created.
#[derive(Clone, Debug)]
pub struct SessionFixture {
    pub id: String,
}

impl SessionFixture {
    /// Returns the path of the session in the API.
    pub fn path(&self) -> String {
        format!("/api/sessions/{}", self.id)
    }

    /// Returns the path of its messages in the API.
    pub fn messages_path(&self) -> String {
        format!("{}/messages", self.path())
    }

    /// Returns the Redis key of its document.
    pub fn key(&self) -> String {
        format!("session:{}", self.id)
    }

    /// Returns the Redis key of its messages.
    pub fn messages_key(&self) -> String {
        format!("{}:messages", self.key())
    }
}

/// Returns a builder of HTTP clients.
pub fn http_client() -> reqwest::ClientBuilder {
    // An error means that another test has installed it.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy()
}

/// A response of the service.
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

    /// Returns the body after checking that its content type is JSON.
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

    /// Returns a member of each message of the body's `messages`.
    #[track_caller]
    pub fn messages(&self, member: &str) -> Vec<Value> {
        let body = self.json();
        let messages = body["messages"].as_array().unwrap().iter();
        messages.map(|message| message[member].clone()).collect()
    }

    /// Checks that the response is a complete problem document and returns it.
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

    /// Checks that the response is a 422 that names this field.
    #[track_caller]
    pub fn assert_invalid(self, field: &str) {
        let problem = self.assert_error(422, "validation_failed");
        assert_eq!(problem["errors"][0]["field"], field, "{problem}");
        assert!(problem["errors"][0]["message"].is_string(), "{problem}");
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// Returns the number of Redis round trips in `Server-Timing`.
    #[track_caller]
    pub fn round_trips(&self) -> u32 {
        let timing = self
            .header("server-timing")
            .expect("every answer has Server-Timing");
        let (_, rest) = timing.split_once("redis;desc=\"").unwrap();
        rest.split(' ').next().unwrap().parse().unwrap()
    }
}
