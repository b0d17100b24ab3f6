//! A TCP proxy between the service and Redis with injected network failures.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// The delay of answers in [`Mode::Delay`].
const DELAY: Duration = Duration::from_millis(250);

/// The handling of the proxied connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Mode {
    /// All bytes pass.
    Pass,
    /// All bytes are dropped silently in both directions. A connection that lost bytes stays unusable.
    Swallow,
    /// Answers are dropped silently; Redis receives the commands.
    SwallowAnswers,
    /// The next command passes, and the connection closes instead of its answer; then `Pass`.
    LoseAnswer,
    /// The connection closes in the middle of the next command; then `Pass`.
    CutCommand,
    /// Answers are delayed.
    Delay,
    /// Every byte is sent separately, in both directions.
    Split,
}

/// A TCP proxy in front of a Redis socket.
#[derive(Debug)]
pub struct Proxy {
    port: u16,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

/// A function that runs once.
type Once = Box<dyn FnOnce() + Send>;

struct Shared {
    mode: AtomicU8,
    /// The number of commands or answers that pass before a one-time mode.
    passing: AtomicUsize,
    /// Runs before a one-time mode closes the connection.
    then: Mutex<Option<Once>>,
    target: Mutex<PathBuf>,
    /// The number of times that all connections were cut.
    cut: watch::Sender<u64>,
}

impl Proxy {
    pub async fn start(socket: PathBuf) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared {
            mode: AtomicU8::new(Mode::Pass as u8),
            passing: AtomicUsize::new(0),
            then: Mutex::new(None),
            target: Mutex::new(socket),
            cut: watch::Sender::new(0),
        });
        let task = tokio::spawn(accept(listener, shared.clone()));
        Self { port, shared, task }
    }

    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    pub fn set(&self, mode: Mode) {
        self.shared.set(mode);
    }

    /// Sets a one-time mode for the command or answer behind `passing` others, and a function that runs before the
    /// connection closes, when Redis has run the earlier commands.
    pub fn set_behind(&self, passing: usize, mode: Mode, then: impl FnOnce() + Send + 'static) {
        self.shared.passing.store(passing, Ordering::SeqCst);
        *self.shared.then.lock().unwrap() = Some(Box::new(then));
        self.set(mode);
    }

    /// Returns whether a one-time mode has been used.
    pub fn is_passing(&self) -> bool {
        self.shared.is(Mode::Pass)
    }

    /// Connects new connections to another server, like a changed DNS record.
    pub fn lead_to(&self, socket: PathBuf) {
        *self.shared.target.lock().unwrap() = socket;
    }

    /// Closes every connection.
    pub fn cut_all(&self) {
        self.shared.cut.send_modify(|times| *times += 1);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.mode.fmt(formatter)
    }
}

impl Shared {
    fn set(&self, mode: Mode) {
        self.mode.store(mode as u8, Ordering::SeqCst);
    }

    fn is(&self, mode: Mode) -> bool {
        self.mode.load(Ordering::SeqCst) == mode as u8
    }

    /// Returns whether a one-time mode is due, and resets it.
    fn take(&self, mode: Mode) -> bool {
        let passing = &self.passing;
        if self.is(mode) && passing.load(Ordering::SeqCst) > 0 {
            passing.fetch_sub(1, Ordering::SeqCst);
            return false;
        }
        let is_due = self.reset(mode);
        if is_due && let Some(then) = self.then.lock().unwrap().take() {
            then();
        }
        is_due
    }

    fn reset(&self, mode: Mode) -> bool {
        let (mode, pass) = (mode as u8, Mode::Pass as u8);
        let taken = self
            .mode
            .compare_exchange(mode, pass, Ordering::SeqCst, Ordering::SeqCst);
        taken.is_ok()
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    while let Ok((client, _)) = listener.accept().await {
        let target = shared.target.lock().unwrap().clone();
        // If the server rejects the connection, the proxy closes its own.
        if let Ok(server) = UnixStream::connect(&target).await {
            client.set_nodelay(true).unwrap();
            tokio::spawn(carry(client, server, shared.clone()));
        }
    }
}

async fn carry(client: TcpStream, server: UnixStream, shared: Arc<Shared>) {
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let mut cut = shared.cut.subscribe();
    let line = Line {
        shared: &shared,
        is_lost: AtomicBool::new(false),
    };
    // When one future ends, the others are dropped, which closes both connections.
    tokio::select! {
        _ = line.carry_commands(from_client, to_server) => {}
        _ = line.carry_answers(from_server, to_client) => {}
        _ = cut.changed() => {}
    }
}

/// One connection through the proxy.
struct Line<'a> {
    shared: &'a Shared,
    /// Bytes were dropped; TCP never continues after a gap.
    is_lost: AtomicBool,
}

impl Line<'_> {
    async fn carry_commands(
        &self,
        mut client: impl AsyncRead + Unpin,
        mut server: impl AsyncWrite + Unpin,
    ) -> io::Result<()> {
        let mut buffer = vec![0; 65536];
        loop {
            let length @ 1.. = client.read(&mut buffer).await? else {
                return Ok(());
            };
            let bytes = &buffer[..length];
            if self.shared.take(Mode::CutCommand) {
                return server.write_all(&bytes[..length / 2]).await;
            }
            if !self.swallows(&[Mode::Swallow]) {
                self.pass(bytes, &mut server).await?;
            }
        }
    }

    async fn carry_answers(
        &self,
        mut server: impl AsyncRead + Unpin,
        mut client: impl AsyncWrite + Unpin,
    ) -> io::Result<()> {
        let mut buffer = vec![0; 65536];
        loop {
            let length @ 1.. = server.read(&mut buffer).await? else {
                return Ok(());
            };
            if self.shared.take(Mode::LoseAnswer) {
                return Ok(());
            }
            if self.shared.is(Mode::Delay) {
                tokio::time::sleep(DELAY).await;
            }
            if !self.swallows(&[Mode::Swallow, Mode::SwallowAnswers]) {
                self.pass(&buffer[..length], &mut client).await?;
            }
        }
    }

    fn swallows(&self, modes: &[Mode]) -> bool {
        if modes.iter().any(|mode| self.shared.is(*mode)) {
            self.is_lost.store(true, Ordering::SeqCst);
        }
        self.is_lost.load(Ordering::SeqCst)
    }

    async fn pass(&self, bytes: &[u8], target: &mut (impl AsyncWrite + Unpin)) -> io::Result<()> {
        if !self.shared.is(Mode::Split) {
            return target.write_all(bytes).await;
        }
        for byte in bytes {
            target.write_all(std::slice::from_ref(byte)).await?;
            tokio::task::yield_now().await;
        }
        Ok(())
    }
}
