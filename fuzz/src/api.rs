//! The whole service in process, without storage: reads return samples, writes return 503.

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use http_body_util::BodyExt;
use llmos::app::App;
use llmos::config::Config;
use llmos::http::layers::AppService;
use llmos::http::layers::service;
use llmos::util::secret::Secret;
use serde_json::Value;
use tokio::runtime::{Builder, Runtime};
use tower::ServiceExt;

/// The service and its runtime.
pub struct Api {
    service: AppService,
    runtime: Runtime,
}

/// A response of the service.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Api {
    /// A service without access control, as on a local machine.
    pub fn open() -> Self {
        Self::new(Config::default())
    }

    /// A service that requires a token.
    pub fn closed() -> Self {
        let mut config = Config::default();
        config.access.auth.jwt_secret = Some(Secret::new("x".repeat(32)));
        Self::new(config)
    }

    fn new(config: Config) -> Self {
        Self {
            service: service(llmos::http::router(), App::new(config)),
            runtime: Builder::new_current_thread().enable_time().build().unwrap(),
        }
    }

    /// Sends a request and checks the invariants of every response.
    pub fn call(&self, request: Request<Body>) -> Answer {
        let is_head = request.method() == Method::HEAD;
        let answer = self.runtime.block_on(async {
            let Ok(response) = self.service.clone().oneshot(request).await;
            let (parts, body) = response.into_parts();
            Answer {
                status: parts.status,
                headers: parts.headers,
                body: body.collect().await.unwrap().to_bytes(),
            }
        });
        answer.check(is_head);
        answer
    }

    /// Sends a GET request.
    pub fn get(&self, uri: &str) -> Answer {
        self.call(Request::get(uri).body(Body::empty()).unwrap())
    }
}

impl Answer {
    /// Returns the body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    fn check(&self, is_head: bool) {
        assert!(self.headers.contains_key("x-request-id"), "{self:?}");
        assert!(self.headers.contains_key(header::CACHE_CONTROL), "{self:?}");
        let content_type = self.headers.get(header::CONTENT_TYPE);
        if self.status.is_client_error() || self.status.is_server_error() {
            assert_eq!(content_type.unwrap(), "application/problem+json");
            if is_head && self.body.is_empty() {
                return;
            }
            let problem = self.json();
            assert_eq!(problem["status"], self.status.as_u16(), "{self:?}");
            assert!(!problem["detail"].as_str().unwrap().is_empty(), "{self:?}");
            if self.status.is_server_error() {
                assert_eq!(problem["code"], "storage_unavailable", "{self:?}");
            }
        } else if content_type.is_some_and(|value| value == "application/json") && !is_head {
            self.json();
        }
    }
}
