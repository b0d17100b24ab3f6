//! The watcher of the private Redis: a process that outlives the local server, and stops the Redis of a local server that
//! was killed.
//!
//! It reads a pipe that only the local server can write to. The operating system closes the pipe when the local server
//! ends, however it ends. The watcher reaches Redis by its socket, not by a process id, which can belong to another
//! process by then.

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStdin};

use super::Error;
use super::instance::Instance;
use crate::local::lock;

/// Time limit for stopping the server. A server that is stopped by SIGSTOP or runs a script does not respond earlier.
const STOP_LIMIT: Duration = Duration::from_secs(9);
/// Time in which a program that the killed local server had just started may open its socket.
const START_WINDOW: Duration = Duration::from_secs(1);
/// Pause between two attempts.
const PAUSE: Duration = Duration::from_millis(50);

/// The running watcher of this process.
#[derive(Debug)]
pub(super) struct Watcher {
    process: Child,
    /// Open as long as this process runs.
    _pipe: Option<ChildStdin>,
}

impl Watcher {
    /// Starts the watcher with `command` and sends it the folder of the data.
    pub(super) async fn start(mut command: Command, directory: &Path) -> Result<Self, Error> {
        let program = PathBuf::from(command.get_program());
        let at_program = |error| Error::Io(program.clone(), error);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // Ctrl-C and a closed terminal signal the whole process group.
            .process_group(0);
        let mut process = tokio::process::Command::from(command)
            .spawn()
            .map_err(at_program)?;
        let mut pipe = process.stdin.take();
        if let Some(pipe) = &mut pipe {
            let path = directory.as_os_str().as_bytes();
            pipe.write_all(path).await.map_err(at_program)?;
        }
        Ok(Self {
            process,
            _pipe: pipe,
        })
    }

    /// Ends the watcher, after the server was stopped.
    pub(super) async fn stop(mut self) {
        let _ = self.process.kill().await;
    }
}

/// Reads the folder from the standard input, waits until the other end of the pipe is closed, and stops the server with
/// its data in the folder, unless another local server uses it by then.
///
/// # Errors
/// If the standard input cannot be read.
pub async fn run() -> io::Result<()> {
    let mut directory = Vec::new();
    tokio::io::stdin().read_to_end(&mut directory).await?;
    // The local server was killed before it wrote the path, so before it started Redis.
    if !directory.is_empty() {
        let directory = Path::new(OsStr::from_bytes(&directory));
        stop(&Instance::new(directory.to_owned())).await;
    }
    Ok(())
}

async fn stop(instance: &Instance) {
    let started = Instant::now();
    let mut has_responded = false;
    while started.elapsed() < STOP_LIMIT {
        if !instance.is_gone().await {
            // A local server that was started meanwhile has locked the folder.
            let Ok(_lock) = lock::acquire(&instance.directory) else {
                return;
            };
            has_responded = true;
            let _ = instance.shut_down().await;
        } else if has_responded || started.elapsed() > START_WINDOW {
            return;
        }
        tokio::time::sleep(PAUSE).await;
    }
}
