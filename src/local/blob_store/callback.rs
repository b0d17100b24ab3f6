//! The `blob.upload-completed` callback of uploads with a client token.
//!
//! It is sent once, in the background, and only to loopback addresses: a client token must not make the store send
//! requests to the network.

use std::time::Duration;

use reqwest::Url;
use reqwest::header::CONTENT_TYPE;
use serde_json::json;

use super::caller::Caller;
use super::store::BlobStore;
use super::written::Written;
use crate::blob::client_token::{OnUploadCompleted, sign};
use crate::util::host::is_loopback;
use crate::util::http_client;
use crate::util::log;

/// Time limit of the callback request.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Sends the callback that the client token requests, if any.
pub(super) fn upload_completed(store: &BlobStore, caller: &Caller, blob: &Written) {
    let Caller::Client(payload) = caller else {
        return;
    };
    let Some(callback) = &payload.on_upload_completed else {
        return;
    };
    let Some(url) = loopback_url(&callback.callback_url) else {
        tracing::warn!(
            "the callback of a completed upload is not sent: its URL is not on this machine"
        );
        return;
    };
    let body = body(callback, blob);
    let signature = sign(body.as_bytes(), store.token());
    tokio::spawn(log::in_current_request(async move {
        // A failed callback does not undo the upload.
        if let Err(error) = send(url, body, signature).await {
            tracing::warn!(
                blob.callback.error = format!("{error:#}"),
                "the callback of a completed upload failed"
            );
        }
    }));
}

fn body(callback: &OnUploadCompleted, blob: &Written) -> String {
    let payload = json!({"blob": blob, "tokenPayload": callback.token_payload});
    json!({"type": "blob.upload-completed", "payload": payload}).to_string()
}

async fn send(url: Url, body: String, signature: String) -> anyhow::Result<()> {
    let client = http_client::client(TIMEOUT)?;
    let request = client.post(url).timeout(TIMEOUT).body(body);
    let request = request.header(CONTENT_TYPE, "application/json");
    let request = request.header("x-vercel-signature", signature);
    // The query of the URL may contain a secret.
    let response = request.send().await.map_err(reqwest::Error::without_url)?;
    let status = response.status();
    anyhow::ensure!(status.is_success(), "the response is {status}");
    Ok(())
}

fn loopback_url(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    let is_loopback = is_loopback(url.host_str()?);
    (url.scheme() == "http" && is_loopback).then_some(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn callback_url_must_be_loopback() {
        for text in [
            "http://localhost:3000/x",
            "http://127.0.0.1/x",
            "http://[::1]:1/",
        ] {
            assert!(loopback_url(text).is_some(), "{text}");
        }
        for text in [
            "https://localhost/",
            "http://example.com/",
            "http://10.0.0.1/",
            "x",
            "file:///x",
        ] {
            assert!(loopback_url(text).is_none(), "{text}");
        }
    }
}
