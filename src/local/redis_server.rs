//! A private Redis for the local server: found on the `PATH`, kept in a folder, started again where it ends
//! by itself, stopped with us.

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

/// The programs that will do, the first one found is taken.
const PROGRAMS: [&str; 2] = ["redis-server", "valkey-server"];
/// How long the server may take to load its data.
const START_LIMIT: Duration = Duration::from_secs(60);
/// How long the server may take to write its data and stop.
const STOP_LIMIT: Duration = Duration::from_secs(10);
/// How long after its end the server is started again, and how often one is looked for that is not our child.
const RESTART_PAUSE: Duration = Duration::from_millis(500);
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
    place: Place,
    /// Starts the server again until it is told not to, and then gives the process back.
    keeper: JoinHandle<Option<Child>>,
    stop_keeping: oneshot::Sender<()>,
    /// Held as long as the folder is in use.
    _lock: File,
}

/// Where a server is found, and its data.
#[derive(Clone, Debug)]
struct Place {
    socket: PathBuf,
    directory: PathBuf,
}

impl RedisServer {
    /// Starts a server that keeps its data in `directory`, or takes over the one that a killed run left
    /// behind, and waits until it answers. From then on one that ends by itself is started again.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn start(directory: &Path) -> Result<Self, Error> {
        let (directory, lock) = lock::take(directory)?;
        let socket = socket_path(&directory);
        let place = Place { socket, directory };
        let mut child = None;
        if place.is_gone().await {
            // A socket that nobody listens on is left over from a crash.
            match fs::remove_file(&place.socket) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(Error::Io(place.socket, error));
                }
                _ => {}
            }
            let (program, started) = place.spawn()?;
            let started = child.insert(started);
            place.wait_until_it_answers(program, Some(started)).await?;
        } else {
            place.wait_until_it_answers(PROGRAMS[0], None).await?;
        }
        let (stop_keeping, stopped) = oneshot::channel();
        Ok(Self {
            keeper: tokio::spawn(place.clone().keep(child, stopped)),
            place,
            stop_keeping,
            _lock: lock,
        })
    }

    /// What `REDIS_URL` would be for this server.
    pub fn url(&self) -> String {
        self.place.url()
    }

    /// Where the data lies.
    pub fn directory(&self) -> &Path {
        &self.place.directory
    }

    /// Lets the server write its data and stop.
    pub async fn stop(self) {
        let _ = self.stop_keeping.send(());
        let child = self.keeper.await.unwrap_or_default();
        let store = Store::new(Some(self.place.url()), None);
        if let Ok(client) = store.client() {
            // There is no answer: the server closes the connection.
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
                while self.place.socket.exists() && started.elapsed() < STOP_LIMIT {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            }
        }
    }
}

impl Place {
    /// Starts the server again whenever it has ended, until it is told to stop. `child` is none where the
    /// server is not ours. Why one ends, and why it does not start, is in its log.
    async fn keep(
        self,
        mut child: Option<Child>,
        mut stopped: oneshot::Receiver<()>,
    ) -> Option<Child> {
        loop {
            tokio::select! {
                _ = &mut stopped => return child,
                () = self.wait_until_it_ends(child.as_mut()) => {}
            }
            tokio::time::sleep(RESTART_PAUSE).await;
            child = self.spawn().ok().map(|(_, child)| child);
        }
    }

    async fn wait_until_it_ends(&self, child: Option<&mut Child>) {
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
                Ok(child) => return Ok((program, child)),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(Error::Io(program.into(), error)),
            }
        }
        Err(Error::NotInstalled)
    }

    async fn wait_until_it_answers(
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

    /// Whether nothing listens on the socket. A server that is still loading its data does.
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

/// In the folder itself, or, where its path is too long for a socket, in the one for temporary files.
fn socket_path(directory: &Path) -> PathBuf {
    let path = directory.join("redis.sock");
    if path.as_os_str().len() <= MAX_SOCKET_PATH_BYTES {
        return path;
    }
    let name = sha256_hex::<8>(&[directory.as_os_str().as_bytes()]);
    std::env::temp_dir().join(format!("llmos-{name}.sock"))
}
