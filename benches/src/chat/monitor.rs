//! Counts the commands that clients send to Redis. Those that a script calls are not counted.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Result;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::task::JoinHandle;

/// A connection that counts until it is dropped.
#[derive(Debug)]
pub struct Monitor {
    commands: Arc<AtomicU64>,
    task: JoinHandle<()>,
}

impl Monitor {
    pub async fn start(socket: &Path) -> Result<Self> {
        let mut stream = UnixStream::connect(socket).await?;
        stream.write_all(b"MONITOR\r\n").await?;
        let mut lines = BufReader::new(stream).lines();
        lines.next_line().await?;
        let commands = Arc::new(AtomicU64::new(0));
        let counted = commands.clone();
        let task = tokio::spawn(async move {
            while let Ok(Some(line)) = lines.next_line().await {
                let source = line.split(']').next().unwrap_or_default();
                if !source.ends_with(" lua") {
                    counted.fetch_add(1, Ordering::Relaxed);
                }
            }
        });
        Ok(Self { commands, task })
    }

    /// Returns the number of commands so far.
    pub fn commands(&self) -> u64 {
        self.commands.load(Ordering::Relaxed)
    }
}

impl Drop for Monitor {
    fn drop(&mut self) {
        self.task.abort();
    }
}
