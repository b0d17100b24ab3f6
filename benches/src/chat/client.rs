//! A client that reads a stream as it arrives, and does little else: it shares the processors with the servers.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;

use super::model::{Pace, TOKEN};

/// The times of a response.
#[derive(Clone, Copy, Debug)]
pub struct Streamed {
    /// The time from the request to the first token.
    pub first: Duration,
    /// The time to the end.
    pub whole: Duration,
}

/// A request whose response is a stream.
#[derive(Clone, Debug)]
pub struct StreamRequest {
    pub address: String,
    pub path: String,
    /// The body of a POST; without it, the request is a GET.
    pub body: Option<String>,
}

impl StreamRequest {
    /// Returns the request of the AI SDK that sends a message to a session.
    pub fn ask(base: &str, session: &str, pace: Pace) -> Self {
        let part = json!({"type": "text", "text": pace.prompt()});
        let message = json!({"id": format!("user-{session}"), "role": "user", "parts": [part]});
        let body = json!({"id": session, "message": message});
        Self::new(base, "/api/chat".to_owned(), Some(body.to_string()))
    }

    /// Returns a request of the model itself.
    pub fn ask_model(address: &str, pace: Pace) -> Self {
        let message = json!({"role": "user", "content": pace.prompt()});
        let body = json!({"model": "measured", "stream": true, "messages": [message]});
        let path = "/v1/chat/completions".to_owned();
        Self::new(address, path, Some(body.to_string()))
    }

    /// Returns a request that reads a stream again.
    pub fn read(base: &str, path: String) -> Self {
        Self::new(base, path, None)
    }

    fn new(base: &str, path: String, body: Option<String>) -> Self {
        Self {
            address: base.trim_start_matches("http://").to_owned(),
            path,
            body,
        }
    }

    /// Sends the request and reads the response to its end.
    pub async fn send(&self) -> Result<Streamed> {
        self.send_and_tell(None).await
    }

    /// Does the same, and tells when the first token has arrived.
    pub async fn send_and_tell(&self, mut tell: Option<oneshot::Sender<()>>) -> Result<Streamed> {
        let started = Instant::now();
        let mut stream = TcpStream::connect(&self.address).await?;
        stream.set_nodelay(true)?;
        let body = self.body.as_deref().unwrap_or_default();
        let method = if self.body.is_some() { "POST" } else { "GET" };
        let request = format!(
            "{method} {} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\naccept: text/event-stream\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            self.path,
            body.len()
        );
        stream.write_all(request.as_bytes()).await?;
        let mut first = None;
        // What was read last, which may contain a part of a word.
        let mut tail: Vec<u8> = Vec::new();
        let mut head = Vec::new();
        let mut buffer = [0; 16 * 1024];
        loop {
            let read = stream.read(&mut buffer).await?;
            if read == 0 {
                break;
            }
            let new = &buffer[..read];
            if head.len() < 16 {
                head.extend_from_slice(&new[..read.min(16)]);
            }
            tail.extend_from_slice(new);
            if first.is_none() && contains(&tail, TOKEN) {
                first = Some(started.elapsed());
                if let Some(tell) = tell.take() {
                    let _ = tell.send(());
                }
            }
            if contains(&tail, "[DONE]") {
                break;
            }
            tail.drain(..tail.len().saturating_sub(16));
        }
        let status = String::from_utf8_lossy(&head).into_owned();
        ensure!(
            status.starts_with("HTTP/1.1 200"),
            "{method} {}: {status}",
            self.path
        );
        ensure!(
            contains(&tail, "[DONE]"),
            "the stream of {} ended early",
            self.path
        );
        Ok(Streamed {
            first: first.context("the stream has no token")?,
            whole: started.elapsed(),
        })
    }
}

fn contains(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|it| it == text.as_bytes())
}
