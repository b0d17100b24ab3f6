//! The message that an upload with a client token is complete.
//!
//! It is sent once, in the background, and only to this machine: the store does not speak to the network on
//! behalf of whoever has a client token.

use std::time::Duration;

use reqwest::Url;
use reqwest::header::CONTENT_TYPE;
use serde_json::json;

use super::api::Written;
use super::caller::Caller;
use super::store::BlobStore;
use crate::blob::client_token::{OnUploadCompleted, sign};
use crate::util::http_client;
use crate::util::log;
use crate::util::origin::is_loopback;

/// How long whoever is told may take.
const LIMIT: Duration = Duration::from_secs(30);

/// Tells whom the caller's token names that `blob` is there.
pub(super) fn upload_completed(store: &BlobStore, caller: &Caller, blob: &Written) {
    let Caller::Client(payload) = caller else {
        return;
    };
    let Some(wanted) = &payload.on_upload_completed else {
        return;
    };
    let Some(url) = loopback_url(&wanted.callback_url) else {
        return;
    };
    let body = body(wanted, blob);
    let signature = sign(body.as_bytes(), store.token());
    tokio::spawn(log::in_current_request(async move {
        // The upload is complete, even if the message is lost.
        if let Err(error) = send(url, body, signature).await {
            tracing::warn!(
                blob.callback.error = format!("{error:#}"),
                "the callback of a completed upload failed"
            );
        }
    }));
}

fn body(wanted: &OnUploadCompleted, blob: &Written) -> String {
    let payload = json!({"blob": blob, "tokenPayload": wanted.token_payload});
    json!({"type": "blob.upload-completed", "payload": payload}).to_string()
}

async fn send(url: Url, body: String, signature: String) -> anyhow::Result<()> {
    let client = http_client::client(LIMIT)?;
    let request = client.post(url).timeout(LIMIT).body(body);
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
    fn only_this_machine_is_told() {
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
