//! The protocol of the Blob store, request by request.

use std::time::Duration;

use axum::http::Method;
use reqwest::{RequestBuilder, StatusCode, Url};
use serde_json::{Value, json};

use crate::support::{BlobServer, Fault, http_client};

/// A client that sends the requests of the official client.
#[derive(Debug)]
pub struct Protocol {
    http: reqwest::Client,
    api: String,
    content: String,
}

impl Protocol {
    pub fn new(api: &str) -> Self {
        Self {
            http: http_client().build().unwrap(),
            api: api.to_owned(),
            content: format!("{api}/content"),
        }
    }

    pub fn request(&self, method: Method, path: &str, query: &[(&str, &str)]) -> RequestBuilder {
        let mut url = Url::parse(&format!("{}{path}", self.api)).unwrap();
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        self.http
            .request(method, url)
            .bearer_auth(BlobServer::TOKEN)
    }

    pub fn get(&self, query: &[(&str, &str)]) -> RequestBuilder {
        self.request(Method::GET, "", query)
    }

    /// Returns a put that fails if the blob exists.
    pub fn create(&self, pathname: &str, body: impl Into<reqwest::Body>) -> RequestBuilder {
        let request = self.request(Method::PUT, "/", &[("pathname", pathname)]);
        request.body(body).header("x-vercel-blob-access", "private")
    }

    /// Returns a put that replaces the blob.
    pub fn put(&self, pathname: &str, body: impl Into<reqwest::Body>) -> RequestBuilder {
        self.create(pathname, body).header("x-allow-overwrite", "1")
    }

    pub fn delete(&self, references: &[&str]) -> RequestBuilder {
        let request = self.request(Method::POST, "/delete", &[]);
        let request = request.header("content-type", "application/json");
        request.body(json!({"urls": references}).to_string())
    }

    pub fn content(&self, path: &str) -> RequestBuilder {
        let request = self.http.get(format!("{}/{path}", self.content));
        request.bearer_auth(BlobServer::TOKEN)
    }
}

pub async fn json(request: RequestBuilder) -> Value {
    let response = request.send().await.unwrap();
    let status = response.status();
    let text = response.text().await.unwrap();
    assert_eq!(status, 200, "{text}");
    serde_json::from_str(&text).unwrap()
}

/// Checks the format, code and message of an error.
pub async fn assert_error(request: RequestBuilder, status: u16, code: &str, message: &str) {
    let response = request.send().await.unwrap();
    let (found, text) = (response.status(), response.text().await.unwrap());
    assert_eq!(found, status, "{text}");
    let error: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(error["error"]["code"], code, "{text}");
    assert!(
        error["error"]["message"]
            .as_str()
            .unwrap()
            .contains(message),
        "{text}"
    );
}

#[tokio::test]
async fn stored_blob_can_be_read_found_listed_and_deleted() {
    let server = BlobServer::start().await;
    let blobs = Protocol::new(&server.api_url());

    let written = json(blobs.put("notes/ä b.md", "hello")).await;
    let url = format!("{}/notes/%C3%A4%20b.md", server.content_url());
    assert_eq!(written["url"], url);
    assert_eq!(written["downloadUrl"], format!("{url}?download=1"));
    assert_eq!(written["contentType"], "text/markdown");
    let known = json(blobs.get(&[("url", &url)])).await;
    assert_eq!(known["size"], 5);
    assert_eq!(known["cacheControl"], "private, max-age=2592000");
    let listed = json(blobs.get(&[])).await;
    assert_eq!(listed["blobs"][0]["etag"], written["etag"]);
    assert_eq!(listed["hasMore"], false);
    let content = blobs.content("notes/%C3%A4%20b.md").send().await.unwrap();
    assert_eq!(content.headers()["etag"], written["etag"].as_str().unwrap());
    assert_eq!(content.text().await.unwrap(), "hello");

    let deleted = json(blobs.delete(&[&url, "missing"])).await;
    assert_eq!(deleted, json!({}));
    let head = blobs.get(&[("url", &url)]);
    assert_error(head, 404, "not_found", "The requested blob does not exist").await;
    let gone = blobs.content("notes/%C3%A4%20b.md").send().await.unwrap();
    assert_eq!(gone.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn test_blob_server_records_requests_and_injects_faults() {
    let server = BlobServer::start().await;
    let blobs = Protocol::new(&server.api_url());
    json(blobs.put("a", "0123456789")).await;
    assert_eq!(server.requests(), ["PUT /_blob/?pathname=a"]);
    server.clear();

    server.fail_with(|_| Fault::error(503, "service_unavailable"));
    assert_error(blobs.content("a"), 503, "service_unavailable", "injected").await;
    server.fail_with(|_| Fault::BreakBody(4));
    let broken = blobs.content("a").send().await.unwrap();
    assert_eq!(broken.headers()["content-length"], "10");
    assert!(broken.bytes().await.is_err());
    for fault in [Fault::Close, Fault::Hang] {
        server.fail_with(move |_| fault.clone());
        let request = blobs.content("a").timeout(Duration::from_millis(200));
        assert!(request.send().await.is_err());
    }
    server.fail_with(|_| Fault::LoseAnswer);
    assert!(blobs.put("b", "x").send().await.is_err());
    server.fail_with(|_| Fault::Delay(Duration::from_millis(1)));
    let content = blobs.content("b").send().await.unwrap();
    assert_eq!(content.text().await.unwrap(), "x");
    server.heal();
    assert_eq!(blobs.content("a").send().await.unwrap().status(), 200);
    assert!(server.requests().len() >= 7);
}
