//! A private Redis server: its program, its socket and its data folder.

use std::fs::OpenOptions;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use tokio::process::{Child, Command};

use super::{CHECK_PAUSE, Error};
use crate::store::{self, Store};
use crate::util::hash::sha256_hex;
use crate::util::percent::encode_path;

/// Supported programs. The first one that is installed is used.
pub(super) const PROGRAMS: [&str; 2] = ["redis-server", "valkey-server"];
/// Pause before a restart, and between checks of a server that is not a child process.
pub(super) const RESTART_PAUSE: Duration = Duration::from_millis(500);
/// Time limit for loading the data.
const START_LIMIT: Duration = Duration::from_secs(60);
/// Maximum length of a socket path on macOS: `sun_path` has 104 bytes with the terminating NUL. Linux has 108.
const MAX_SOCKET_PATH_BYTES: usize = 103;

/// A Redis server: its socket and its data folder.
#[derive(Clone, Debug)]
pub(super) struct Instance {
    pub(super) socket: PathBuf,
    pub(super) directory: PathBuf,
}

impl Instance {
    /// Returns the server with its data in `directory`, an absolute path.
    pub(super) fn new(directory: PathBuf) -> Self {
        let socket = socket_path(&directory);
        Self { socket, directory }
    }

    /// Starts the first program that is installed.
    pub(super) fn spawn(&self) -> Result<(&'static str, Child), Error> {
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

    /// Waits until the server responds. `child` is its process, if this process started it.
    pub(super) async fn wait_until_ready(
        &self,
        program: &'static str,
        mut child: Option<&mut Child>,
    ) -> Result<(), Error> {
        let started = Instant::now();
        let did_not_start = Error::DidNotStart {
            program,
            log: self.log(),
        };
        while !self.responds().await {
            let has_ended = match &mut child {
                Some(child) => !matches!(child.try_wait(), Ok(None)),
                None => false,
            };
            if has_ended || started.elapsed() > START_LIMIT {
                return Err(did_not_start);
            }
            tokio::time::sleep(CHECK_PAUSE).await;
        }
        Ok(())
    }

    async fn responds(&self) -> bool {
        // Without its socket the server is still starting. A ping would log the failed connection.
        self.socket.exists() && self.ping().await.is_ok()
    }

    async fn ping(&self) -> store::Result<()> {
        self.store().client()?.ping().await
    }

    /// Sends SHUTDOWN. The server writes its data, stops, and closes the connection without a reply.
    pub(super) async fn shut_down(&self) -> store::Result<()> {
        self.store().client()?.shutdown().await
    }

    fn store(&self) -> Store {
        Store::new(Some(self.url()), None)
    }

    /// Returns whether the socket has no listener. A server that is loading its data listens.
    pub(super) async fn is_gone(&self) -> bool {
        matches!(self.ping().await, Err(store::Error::Unavailable(error)) if error.is_connection_refusal())
    }

    /// Returns the URL of the server, in the form of `REDIS_URL`.
    pub(super) fn url(&self) -> String {
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
