//! The private Redis of the local server: runs a program from the `PATH`, stores its data in a folder, restarts the
//! program if it exits, and stops it with the local server.

mod instance;
pub mod watcher;

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use tokio::process::Child;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use self::instance::{Instance, PROGRAMS, RESTART_PAUSE};
use self::watcher::Watcher;
use super::lock;

/// Time limit for writing the data and stopping.
const STOP_LIMIT: Duration = Duration::from_secs(10);
/// Time limit for the watcher of an earlier local server, which locks the folder while it stops that server's Redis.
const LOCK_LIMIT: Duration = Duration::from_secs(2);
/// Pause between checks of a server that is starting or stopping.
const CHECK_PAUSE: Duration = Duration::from_millis(20);

/// Failure to start the private Redis.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// None of the supported programs is installed.
    #[error("neither redis-server nor valkey-server is installed")]
    NotInstalled,
    /// The folder cannot be locked.
    #[error(transparent)]
    Lock(#[from] lock::Error),
    /// The program exited, or did not respond in time.
    #[error("{program} did not start: see {log}")]
    DidNotStart {
        /// Name of the program.
        program: &'static str,
        /// Path of its log.
        log: PathBuf,
    },
    /// A file cannot be used, or the program cannot be run.
    #[error("cannot use {0}")]
    Io(PathBuf, #[source] io::Error),
}

/// A running private Redis. Call [`stop`](Self::stop) at the end. If it is dropped, or the process is killed, the
/// [watcher] stops the program.
#[derive(Debug)]
pub struct RedisServer {
    instance: Instance,
    /// Restarts the program until `stop_supervisor` is sent, then returns the child process.
    supervisor: JoinHandle<Option<Child>>,
    stop_supervisor: oneshot::Sender<()>,
    watcher: Watcher,
    /// Locks the folder while the server is in use.
    _lock: File,
}

impl RedisServer {
    /// Starts a server with its data in `directory`, or takes over the server of a local server that was killed.
    /// Returns when the server responds. From then on the server is restarted if it exits. `watcher` runs
    /// [`watcher::run`] in another process.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn start(directory: &Path, watcher: Command) -> Result<Self, Error> {
        let (directory, lock) = acquire_lock(directory).await?;
        let instance = Instance::new(directory);
        // Before the program, so that the program never runs without it.
        let watcher = Watcher::start(watcher, &instance.directory).await?;
        let mut child = None;
        if instance.is_gone().await {
            // A socket without a listener remains after a crash.
            match fs::remove_file(&instance.socket) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(Error::Io(instance.socket, error));
                }
                _ => {}
            }
            let (program, started) = instance.spawn()?;
            let started = child.insert(started);
            instance.wait_until_ready(program, Some(started)).await?;
        } else {
            instance.wait_until_ready(PROGRAMS[0], None).await?;
        }
        let (stop_supervisor, stopped) = oneshot::channel();
        Ok(Self {
            supervisor: tokio::spawn(supervise(instance.clone(), child, stopped)),
            instance,
            stop_supervisor,
            watcher,
            _lock: lock,
        })
    }

    /// Returns the URL of the server, in the form of `REDIS_URL`.
    pub fn url(&self) -> String {
        self.instance.url()
    }

    /// Returns the folder of the data.
    pub fn directory(&self) -> &Path {
        &self.instance.directory
    }

    /// Stops the server after it has written its data.
    pub async fn stop(self) {
        let _ = self.stop_supervisor.send(());
        let child = self.supervisor.await.unwrap_or_default();
        // The error is expected: the server closes the connection without a reply.
        let _ = self.instance.shut_down().await;
        match child {
            Some(mut child) => {
                if tokio::time::timeout(STOP_LIMIT, child.wait())
                    .await
                    .is_err()
                {
                    let _ = child.kill().await;
                }
            }
            None => {
                let started = Instant::now();
                while self.instance.socket.exists() && started.elapsed() < STOP_LIMIT {
                    tokio::time::sleep(CHECK_PAUSE).await;
                }
            }
        }
        self.watcher.stop().await;
    }
}

/// Locks the folder. The lock of a watcher is waited for.
async fn acquire_lock(directory: &Path) -> Result<(PathBuf, File), lock::Error> {
    let started = Instant::now();
    loop {
        match lock::acquire(directory) {
            Err(lock::Error::InUse(_)) if started.elapsed() < LOCK_LIMIT => {
                tokio::time::sleep(CHECK_PAUSE).await;
            }
            result => return result,
        }
    }
}

/// Restarts the server whenever it exits, until `stopped` is signalled. `child` is `None` for a server that an
/// earlier local server started. Errors are in the server's log.
async fn supervise(
    instance: Instance,
    mut child: Option<Child>,
    mut stopped: oneshot::Receiver<()>,
) -> Option<Child> {
    loop {
        tokio::select! {
            _ = &mut stopped => return child,
            () = wait_for_exit(&instance, child.as_mut()) => {}
        }
        tokio::time::sleep(RESTART_PAUSE).await;
        child = instance.spawn().ok().map(|(_, child)| child);
    }
}

async fn wait_for_exit(instance: &Instance, child: Option<&mut Child>) {
    match child {
        Some(child) => drop(child.wait().await),
        None => {
            while !instance.is_gone().await {
                tokio::time::sleep(RESTART_PAUSE).await;
            }
        }
    }
}
