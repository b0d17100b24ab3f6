//! A model server for the measurement, with the wire of Chat Completions, on a thread of its own.
//!
//! The message of the user says how it answers: `tokens=250 rate=50 size=4` are 250 chunks of 4 bytes, 50 a second; with
//! rate 0 all at once.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{MissedTickBehavior, interval};

/// Text that only the chunks of an answer contain.
pub const TOKEN: &str = "tok";

/// How the model answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    pub tokens: u32,
    /// Tokens per second; 0: all at once.
    pub rate: u32,
    /// Bytes of a token.
    pub size: usize,
}

impl Pace {
    /// Returns tokens of 4 bytes, 50 a second.
    pub fn streamed(tokens: u32) -> Self {
        Self {
            tokens,
            rate: 50,
            size: 4,
        }
    }

    /// Returns the message that asks for this.
    pub fn prompt(self) -> String {
        format!(
            "tokens={} rate={} size={};",
            self.tokens, self.rate, self.size
        )
    }

    fn parse(body: &str) -> Option<Self> {
        let (_, pace) = body.rsplit_once("tokens=")?;
        let (pace, _) = pace.split_once(';')?;
        let (tokens, pace) = pace.split_once(" rate=")?;
        let (rate, size) = pace.split_once(" size=")?;
        Some(Self {
            tokens: tokens.parse().ok()?,
            rate: rate.parse().ok()?,
            size: size.parse().ok()?,
        })
    }
}

/// Starts the server; it ends with the process.
pub fn start() -> Result<SocketAddr> {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0))?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    std::thread::spawn(move || {
        runtime.block_on(async {
            let listener = TcpListener::from_std(listener)?;
            loop {
                let (stream, _) = listener.accept().await?;
                stream.set_nodelay(true)?;
                // A client may close its connection at any time.
                tokio::spawn(async { drop(serve(stream).await) });
            }
            #[expect(unreachable_code, reason = "it names the type of the errors")]
            anyhow::Ok(())
        })
    });
    Ok(address)
}

/// Answers the requests of one connection.
async fn serve(mut stream: TcpStream) -> Result<()> {
    let mut received = Vec::new();
    loop {
        let body = loop {
            if let Some(body) = take_request(&mut received) {
                break body;
            }
            if stream.read_buf(&mut received).await? == 0 {
                return Ok(());
            }
        };
        let pace = Pace::parse(&body).context("the request has no pace")?;
        answer(&mut stream, pace).await?;
    }
}

fn take_request(received: &mut Vec<u8>) -> Option<String> {
    let end = received.windows(4).position(|it| it == b"\r\n\r\n")? + 4;
    let head = String::from_utf8_lossy(&received[..end]).to_lowercase();
    let (_, length) = head.split_once("content-length: ")?;
    let length: usize = length.lines().next()?.parse().ok()?;
    let request: Vec<u8> = (received.len() >= end + length)
        .then(|| received.drain(..end + length))?
        .collect();
    Some(String::from_utf8_lossy(&request[end..]).into_owned())
}

async fn answer(stream: &mut TcpStream, pace: Pace) -> Result<()> {
    let head =
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
    let token = format!("{TOKEN:x<width$}", width = pace.size.max(4) - 1) + " ";
    let delta = |delta: &str, reason: &str| {
        event(&format!(
            r#"{{"id":"1","object":"chat.completion.chunk","created":1,"model":"measured","choices":[{{"index":0,"delta":{delta},"finish_reason":{reason}}}]}}"#
        ))
    };
    let begin = delta(r#"{"role":"assistant","content":""}"#, "null");
    let piece = delta(&format!(r#"{{"content":"{token}"}}"#), "null");
    let usage = format!(
        r#"{{"id":"1","object":"chat.completion.chunk","created":1,"model":"measured","choices":[],"usage":{{"prompt_tokens":10,"completion_tokens":{0},"total_tokens":{0}}}}}"#,
        pace.tokens
    );
    let end = delta("{}", "\"stop\"") + &event(&usage) + &event("[DONE]") + "0\r\n\r\n";
    if pace.rate == 0 {
        let pieces = piece.repeat(pace.tokens as usize);
        let all = [head, &begin, &pieces, &end].concat();
        stream.write_all(all.as_bytes()).await?;
        return Ok(());
    }
    stream
        .write_all((head.to_owned() + &begin).as_bytes())
        .await?;
    let mut ticks = interval(Duration::from_secs(1) / pace.rate);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    for _ in 0..pace.tokens {
        ticks.tick().await;
        stream.write_all(piece.as_bytes()).await?;
    }
    Ok(stream.write_all(end.as_bytes()).await?)
}

/// Returns an event as a chunk of the body.
fn event(data: &str) -> String {
    let event = format!("data: {data}\n\n");
    format!("{:x}\r\n{event}\r\n", event.len())
}
