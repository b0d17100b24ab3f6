//! The defaults of API versions, and the addresses for clients that accept only Vercel's hosts.

use axum::http::Method;
use llmos::blob::client_token::{self, ClientTokenPayload};
use reqwest::RequestBuilder;

use super::http::{Protocol, assert_error, json};
use crate::support::BlobServer;

/// Returns a put as an API version sends it: without options.
fn put(blobs: &Protocol, version: Option<&str>, query: &[(&str, &str)]) -> RequestBuilder {
    let put = blobs.request(Method::PUT, "/", query).body("1");
    match version {
        Some(version) => put.header("x-api-version", version),
        None => put,
    }
}

#[tokio::test]
async fn write_without_options_has_the_defaults_of_its_version() {
    for (version, is_old) in [
        (None, false),
        (Some("7"), true),
        (Some("9"), true),
        (Some("10"), false),
        (Some("11"), false),
        (Some("12"), false),
        (Some("99"), false),
    ] {
        let server = BlobServer::start().await;
        let blobs = Protocol::new(&server.api_url());
        let written = json(put(&blobs, version, &[("pathname", "a.txt")])).await;
        let pathname = written["pathname"].as_str().unwrap();
        assert_eq!(pathname != "a.txt", is_old, "{version:?}: {pathname}");
        let head = json(blobs.get(&[("url", pathname)])).await;
        assert_eq!(head["cacheControl"], "public, max-age=2592000");
        let read = blobs.content(pathname).send().await.unwrap();
        assert_eq!(read.text().await.unwrap(), "1");

        let exact =
            || put(&blobs, version, &[("pathname", "b.txt")]).header("x-add-random-suffix", "0");
        assert_eq!(json(exact()).await["pathname"], "b.txt");
        let copy = || {
            put(
                &blobs,
                version,
                &[("pathname", "c.txt"), ("fromUrl", "b.txt")],
            )
        };
        assert_eq!(json(copy()).await["pathname"], "c.txt");
        for again in [exact(), copy()] {
            match is_old {
                true => drop(json(again).await),
                false => assert_error(again, 400, "bad_request", "already exists").await,
            }
        }
        let strict = exact().header("x-allow-overwrite", "0");
        assert_error(strict, 400, "bad_request", "already exists").await;
    }
    let server = BlobServer::start().await;
    let blobs = Protocol::new(&server.api_url());
    let invalid = put(&blobs, Some("x"), &[("pathname", "a")]);
    assert_error(invalid, 400, "bad_request", "x-api-version").await;
}

#[tokio::test]
async fn client_token_without_options_has_the_defaults_of_the_version() {
    let server = BlobServer::start().await;
    let blobs = Protocol::new(&server.api_url());
    let payload = ClientTokenPayload {
        pathname: "a.txt".to_owned(),
        ..ClientTokenPayload::default()
    };
    let token = client_token::mint(&payload, BlobServer::TOKEN).unwrap();
    for (version, is_old) in [("9", true), ("11", false)] {
        let put = put(&blobs, Some(version), &[("pathname", "a.txt")]);
        let (client, request) = put.build_split();
        let mut request = request.unwrap();
        let credentials = format!("Bearer {token}").parse().unwrap();
        request.headers_mut().insert("authorization", credentials);
        let written = json(RequestBuilder::from_parts(client, request)).await;
        assert_eq!(written["pathname"] != "a.txt", is_old, "{version}");
    }
}

#[tokio::test]
async fn python_sdk_gets_addresses_on_the_host_of_vercel() {
    let server = BlobServer::start().await;
    let blobs = Protocol::new(&server.api_url());
    let local = format!("{}/a%20b.txt", server.content_url());
    let official =
        |access: &str| format!("https://local.{access}.blob.vercel-storage.com/a%20b.txt");
    for (access, agent, version, url) in [
        (
            "private",
            "python-httpx2/2.16.2",
            Some("12"),
            official("private"),
        ),
        (
            "public",
            "python-httpx/0.28.1",
            Some("12"),
            official("public"),
        ),
        ("private", "python-httpx/0.28.1", None, local.clone()),
        ("private", "node", Some("12"), local.clone()),
    ] {
        let as_agent = |request: RequestBuilder| {
            let request = request.header("user-agent", agent);
            match version {
                Some(version) => request.header("x-api-version", version),
                None => request,
            }
        };
        let put = blobs
            .request(Method::PUT, "/", &[("pathname", "a b.txt")])
            .body("1");
        let put = put
            .header("x-vercel-blob-access", access)
            .header("x-allow-overwrite", "1");
        let written = json(as_agent(put)).await;
        assert_eq!(written["url"], url, "{agent}");
        assert_eq!(written["downloadUrl"], format!("{url}?download=1"));
        let head = json(as_agent(blobs.get(&[("url", &url)]))).await;
        assert_eq!(
            (&head["url"], &head["pathname"]),
            (&written["url"], &written["pathname"])
        );
        let list = json(as_agent(blobs.get(&[("prefix", "a")]))).await;
        assert_eq!(list["blobs"][0]["url"], url);
    }
}
