//! A private Redis for the local server: found on the `PATH`, kept in a folder, stopped with us.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use tokio::process::{Child, Command};

use super::lock;
use crate::digest::hex_hash;
use crate::store::{self, Store};

/// The programs that will do, the first one found is taken.
const PROGRAMS: [&str; 2] = ["redis-server", "valkey-server"];
/// How long the server may take to load its data.
const START_LIMIT: Duration = Duration::from_secs(60);
/// How long the server may take to write its data and stop.
const STOP_LIMIT: Duration = Duration::from_secs(10);
/// The shortest limit of the systems we run on: 104 bytes with the end (macOS); Linux has 108.
const MAX_SOCKET_PATH_BYTES: usize = 103;

/// Why there is no private Redis.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Neither program is there.
    #[error("neither redis-server nor valkey-server is installed")]
    NotInstalled,
    /// The folder is not ours.
    #[error(transparent)]
    Lock(#[from] lock::Error),
    /// The server stopped by itself, or did not answer.
    #[error("{program} did not start: see {log}")]
    DidNotStart {
        /// What was started.
        program: &'static str,
        /// Where it says why.
        log: PathBuf,
    },
    /// A file or the program cannot be used.
    #[error("cannot use {0}")]
    Io(PathBuf, #[source] io::Error),
}

/// A running private Redis. [`stop`](Self::stop) it, or its data is only as new as its last write.
#[derive(Debug)]
pub struct RedisServer {
    socket: PathBuf,
    directory: PathBuf,
    /// `None` where the server of an earlier run was still there.
    child: Option<Child>,
    /// Held as long as the folder is in use.
    _lock: File,
}

impl RedisServer {
    /// Starts a server that keeps its data in `directory`, or takes over the one that a killed run left
    /// behind, and waits until it answers.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn start(directory: &Path) -> Result<Self, Error> {
        let (directory, lock) = lock::take(directory)?;
        let socket = socket_path(&directory);
        let mut server = Self {
            socket,
            directory,
            child: None,
            _lock: lock,
        };
        if !server.is_gone().await {
            server.wait_until_it_answers(PROGRAMS[0]).await?;
            return Ok(server);
        }
        // A socket that nobody listens on is left over from a crash.
        match fs::remove_file(&server.socket) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(Error::Io(server.socket, error));
            }
            _ => {}
        }
        let program = server.spawn()?;
        server.wait_until_it_answers(program).await?;
        Ok(server)
    }

    /// What `REDIS_URL` would be for this server.
    pub fn url(&self) -> String {
        format!(
            "redis+unix://{}",
            percent_encode(self.socket.as_os_str().as_bytes())
        )
    }

    /// Where the data lies.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Lets the server write its data and stop.
    pub async fn stop(mut self) {
        let store = Store::new(Some(self.url()), None);
        if let Ok(client) = store.client() {
            // There is no answer: the server closes the connection.
            let _ = client.shutdown().await;
        }
        match &mut self.child {
            Some(child) => {
                if tokio::time::timeout(STOP_LIMIT, child.wait())
                    .await
                    .is_err()
                {
                    let _ = child.kill().await;
                }
            }
            None => {
                let started = Instant::now();
                while self.socket.exists() && started.elapsed() < STOP_LIMIT {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            }
        }
    }

    fn spawn(&mut self) -> Result<&'static str, Error> {
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
                // Every acknowledged write survives a crash of the machine, not only ours.
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
                // Ctrl-C goes to the whole group; the server is to outlive us until it is told to stop.
                .process_group(0)
                .spawn();
            match spawned {
                Ok(child) => {
                    self.child = Some(child);
                    return Ok(program);
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(Error::Io(program.into(), error)),
            }
        }
        Err(Error::NotInstalled)
    }

    async fn wait_until_it_answers(&mut self, program: &'static str) -> Result<(), Error> {
        let started = Instant::now();
        let did_not_start = Error::DidNotStart {
            program,
            log: self.log(),
        };
        while self.ping().await.is_err() {
            let has_ended = match &mut self.child {
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

    /// Whether nothing listens on the socket. A server that is still loading its data does.
    async fn is_gone(&self) -> bool {
        matches!(self.ping().await, Err(store::Error::Unavailable(error)) if error.is_connection_refusal())
    }

    fn log(&self) -> PathBuf {
        self.directory.join("redis.log")
    }
}

/// In the folder itself, or, where its path is too long for a socket, in the one for temporary files.
fn socket_path(directory: &Path) -> PathBuf {
    let path = directory.join("redis.sock");
    if path.as_os_str().len() <= MAX_SOCKET_PATH_BYTES {
        return path;
    }
    let name = hex_hash::<8>(&[directory.as_os_str().as_bytes()]);
    std::env::temp_dir().join(format!("llmos-{name}.sock"))
}

/// A path as part of a URL.
fn percent_encode(path: &[u8]) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"/._-~".contains(byte);
    path.iter()
        .map(|byte| {
            if plain(byte) {
                char::from(*byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect()
}
