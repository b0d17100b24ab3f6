//! The private Redis of the local server: runs a program from the `PATH`, stores its data in a folder, restarts the
//! program if it exits, and stops it with the local server.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use tokio::process::{Child, Command};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::lock;
use crate::store::{self, Store};
use crate::util::hash::sha256_hex;
use crate::util::percent::encode_path;

/// Supported programs. The first one that is installed is used.
const PROGRAMS: [&str; 2] = ["redis-server", "valkey-server"];
/// Time limit for loading the data.
const START_LIMIT: Duration = Duration::from_secs(60);
/// Time limit for writing the data and stopping.
const STOP_LIMIT: Duration = Duration::from_secs(10);
/// Pause before a restart, and between checks of a server that is not a child process.
const RESTART_PAUSE: Duration = Duration::from_millis(500);
/// Maximum length of a socket path on macOS: `sun_path` has 104 bytes with the terminating NUL. Linux has 108.
const MAX_SOCKET_PATH_BYTES: usize = 103;

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

/// A running private Redis. Call [`stop`](Self::stop) at the end: dropping it leaves the program running.
#[derive(Debug)]
pub struct RedisServer {
    paths: Paths,
    /// Restarts the program until `stop_supervisor` is sent, then returns the child process.
    supervisor: JoinHandle<Option<Child>>,
    stop_supervisor: oneshot::Sender<()>,
    /// Locks the folder while the server is in use.
    _lock: File,
}

/// Socket and data folder of a server.
#[derive(Clone, Debug)]
struct Paths {
    socket: PathBuf,
    directory: PathBuf,
}

impl RedisServer {
    /// Starts a server with its data in `directory`, or takes over the server of a local server that was killed.
    /// Returns when the server responds. From then on the server is restarted if it exits.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn start(directory: &Path) -> Result<Self, Error> {
        let (directory, lock) = lock::acquire(directory)?;
        let socket = socket_path(&directory);
        let paths = Paths { socket, directory };
        let mut child = None;
        if paths.is_gone().await {
            // A socket without a listener remains after a crash.
            match fs::remove_file(&paths.socket) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(Error::Io(paths.socket, error));
                }
                _ => {}
            }
            let (program, started) = paths.spawn()?;
            let started = child.insert(started);
            paths.wait_until_ready(program, Some(started)).await?;
        } else {
            paths.wait_until_ready(PROGRAMS[0], None).await?;
        }
        let (stop_supervisor, stopped) = oneshot::channel();
        Ok(Self {
            supervisor: tokio::spawn(paths.clone().supervise(child, stopped)),
            paths,
            stop_supervisor,
            _lock: lock,
        })
    }

    /// Returns the URL of the server, in the form of `REDIS_URL`.
    pub fn url(&self) -> String {
        self.paths.url()
    }

    /// Returns the folder of the data.
    pub fn directory(&self) -> &Path {
        &self.paths.directory
    }

    /// Stops the server after it has written its data.
    pub async fn stop(self) {
        let _ = self.stop_supervisor.send(());
        let child = self.supervisor.await.unwrap_or_default();
        let store = Store::new(Some(self.paths.url()), None);
        if let Ok(client) = store.client() {
            // The error is expected: the server closes the connection without a reply.
            let _ = client.shutdown().await;
        }
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
                while self.paths.socket.exists() && started.elapsed() < STOP_LIMIT {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            }
        }
    }
}

impl Paths {
    /// Restarts the server whenever it exits, until `stopped` is signalled. `child` is `None` for a server that an
    /// earlier local server started. Errors are in the server's log.
    async fn supervise(
        self,
        mut child: Option<Child>,
        mut stopped: oneshot::Receiver<()>,
    ) -> Option<Child> {
        loop {
            tokio::select! {
                _ = &mut stopped => return child,
                () = self.wait_for_exit(child.as_mut()) => {}
            }
            tokio::time::sleep(RESTART_PAUSE).await;
            child = self.spawn().ok().map(|(_, child)| child);
        }
    }

    async fn wait_for_exit(&self, child: Option<&mut Child>) {
        match child {
            Some(child) => drop(child.wait().await),
            None => {
                while !self.is_gone().await {
                    tokio::time::sleep(RESTART_PAUSE).await;
                }
            }
        }
    }

    fn spawn(&self) -> Result<(&'static str, Child), Error> {
        for program in PROGRAMS {
            let log = self.log();
            let output = OpenOptions::new().create(true).append(true).open(&log);
            let output = output.map_err(|error| Error::Io(log.clone(), error))?;
            let errors = output.try_clone().map_err(|error| Error::Io(log, error))?;
            let spawned = Command::new(program)
                .args(["--port", "0", "--unixsocketperm", "700", "--unixsocket"])
                .arg(&self.socket)
                .args(["--dir"])
                .arg(&self.directory)
                // With fsync for each write, acknowledged writes survive a crash of the machine.
                .args([
                    "--appendonly",
                    "yes",
                    "--appendfsync",
                    "always",
                    "--save",
                    "",
                ])
                .args(["--maxmemory-policy", "noeviction", "--daemonize", "no"])
                .stdin(Stdio::null())
                .stdout(output)
                .stderr(errors)
                // Ctrl-C signals the whole process group. Redis must run until `stop`, so it gets its own group.
                .process_group(0)
                .spawn();
            match spawned {
                Ok(child) => return Ok((program, child)),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(Error::Io(program.into(), error)),
            }
        }
        Err(Error::NotInstalled)
    }

    async fn wait_until_ready(
        &self,
        program: &'static str,
        mut child: Option<&mut Child>,
    ) -> Result<(), Error> {
        let started = Instant::now();
        let did_not_start = Error::DidNotStart {
            program,
            log: self.log(),
        };
        while self.ping().await.is_err() {
            let has_ended = match &mut child {
                Some(child) => !matches!(child.try_wait(), Ok(None)),
                None => false,
            };
            if has_ended || started.elapsed() > START_LIMIT {
                return Err(did_not_start);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }

    async fn ping(&self) -> store::Result<()> {
        Store::new(Some(self.url()), None).client()?.ping().await
    }

    /// Returns whether the socket has no listener. A server that is loading its data listens.
    async fn is_gone(&self) -> bool {
        matches!(self.ping().await, Err(store::Error::Unavailable(error)) if error.is_connection_refusal())
    }

    fn url(&self) -> String {
        let path = encode_path(self.socket.as_os_str().as_bytes());
        format!("redis+unix://{path}")
    }

    fn log(&self) -> PathBuf {
        self.directory.join("redis.log")
    }
}

/// Returns the path of the socket: in the folder, or in the system's temporary folder if that path is too long.
fn socket_path(directory: &Path) -> PathBuf {
    let path = directory.join("redis.sock");
    if path.as_os_str().len() <= MAX_SOCKET_PATH_BYTES {
        return path;
    }
    let name = sha256_hex::<8>(&[directory.as_os_str().as_bytes()]);
    std::env::temp_dir().join(format!("llmos-{name}.sock"))
}
