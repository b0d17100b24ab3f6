//! The reply of a server that closes new connections, because it has too many clients or is in protected mode.
//!
//! Such a server sends an error at once and closes the connection. A client that sends a command meanwhile may see only
//! the closed connection.

use std::time::Duration;

use redis::{ConnectionAddr, RedisError, ServerErrorKind};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::timeout;

use super::transport::ConnectOptions;
use super::url;

/// Time limit for the reply. A server that accepts the connection sends none.
const LIMIT: Duration = Duration::from_millis(300);
/// The longest reply that is read, in bytes. The reply in protected mode is the longest, with about 1 kB.
const MAX_BYTES: u64 = 2048;

impl ConnectOptions {
    /// Connects without sending a command, and returns the error that the server sends. Only without TLS.
    pub(super) async fn rejection(&self) -> Option<RedisError> {
        let url = url::parse(&self.url).ok()?;
        let reply = async {
            match url.servers[0].addr() {
                ConnectionAddr::Tcp(host, port) => {
                    read(TcpStream::connect((&**host, *port)).await.ok()?).await
                }
                ConnectionAddr::Unix(path) => read(UnixStream::connect(path).await.ok()?).await,
                _ => None,
            }
        };
        let reply = timeout(LIMIT, reply).await.ok()??;
        let text = reply.strip_prefix('-')?.trim_end().to_owned();
        let kind = ServerErrorKind::ResponseError.into();
        Some((kind, "the server closed the connection", text).into())
    }
}

async fn read(stream: impl AsyncRead + Unpin) -> Option<String> {
    let mut reply = Vec::new();
    // The error of a connection that the server resets after its reply.
    let _ = stream.take(MAX_BYTES).read_to_end(&mut reply).await;
    Some(String::from_utf8_lossy(&reply).into_owned())
}
