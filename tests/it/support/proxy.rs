//! A network between the service and Redis that misbehaves on command.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::task::JoinHandle;

/// What happens to the connections that go through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Mode {
    /// All bytes pass.
    Pass,
    /// No byte passes in either direction, and nobody is told.
    Swallow,
    /// The next command passes, but the connection breaks instead of bringing its answer; then `Pass`.
    LoseAnswer,
}

/// A TCP proxy in front of a Redis socket.
#[derive(Debug)]
pub struct Proxy {
    port: u16,
    mode: Arc<AtomicU8>,
    task: JoinHandle<()>,
}

impl Proxy {
    pub async fn start(socket: PathBuf) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let mode = Arc::new(AtomicU8::new(Mode::Pass as u8));
        let shared = mode.clone();
        let task = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = UnixStream::connect(&socket).await.unwrap();
                tokio::spawn(carry(client, server, shared.clone()));
            }
        });
        Self { port, mode, task }
    }

    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    pub fn set(&self, mode: Mode) {
        self.mode.store(mode as u8, Ordering::SeqCst);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn carry(mut client: TcpStream, mut server: UnixStream, mode: Arc<AtomicU8>) {
    let (mut from_client, mut from_server) = (vec![0; 65536], vec![0; 65536]);
    let is = |wanted: Mode| mode.load(Ordering::SeqCst) == wanted as u8;
    loop {
        tokio::select! {
            read = client.read(&mut from_client) => {
                let Ok(length @ 1..) = read else { return };
                if is(Mode::Swallow) {
                    continue;
                }
                if server.write_all(&from_client[..length]).await.is_err() {
                    return;
                }
            }
            read = server.read(&mut from_server) => {
                let Ok(length @ 1..) = read else { return };
                if is(Mode::LoseAnswer) {
                    mode.store(Mode::Pass as u8, Ordering::SeqCst);
                    return;
                }
                if !is(Mode::Swallow) && client.write_all(&from_server[..length]).await.is_err() {
                    return;
                }
            }
        }
    }
}
