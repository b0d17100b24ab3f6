//! The measured servers, each in its own process on a free port.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::redis_server::RedisServer;
use crate::request::Request;
use crate::token;

/// The secret that signs the tokens of the measured users.
const SECRET: &str = "measured-measured-measured-measured";
/// The maximum time from process start to the first response.
const START_LIMIT: Duration = Duration::from_secs(30);

/// A kind of server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The release function of this repository, configured as a deployment with open access.
    Ours,
    /// The same, as in production: each request has the token of a user and is counted to a rate limit.
    OursLimited,
    /// FastAPI on uvicorn, with redis-py.
    FastApi,
    /// Fastify with ioredis.
    Node,
    /// The release function for chat.
    Chat,
    /// Fastify with the AI SDK.
    ChatNode,
    /// axum with one `GET` on Redis.
    CeilingGet,
    /// hyper with a constant response.
    CeilingConstant,
}

impl Kind {
    /// The servers with the sessions API.
    pub const APIS: [Self; 4] = [Self::Ours, Self::OursLimited, Self::FastApi, Self::Node];

    pub fn title(self) -> &'static str {
        match self {
            Self::Ours => "llmos",
            Self::OursLimited => "llmos, with a token and a rate limit",
            Self::FastApi => "FastAPI",
            Self::Node => "Fastify",
            Self::Chat => "llmos, chat",
            Self::ChatNode => "Fastify with the AI SDK",
            Self::CeilingGet => "axum, one GET",
            Self::CeilingConstant => "hyper, a constant",
        }
    }

    pub fn slug(self) -> &'static str {
        match self {
            Self::Ours => "llmos",
            Self::OursLimited => "limited",
            Self::FastApi => "fastapi",
            Self::Node => "node",
            Self::Chat => "chat",
            Self::ChatNode => "chat-node",
            Self::CeilingGet => "get",
            Self::CeilingConstant => "constant",
        }
    }

    /// Returns the token of a user with these teams, if the server requires one.
    pub fn token(self, teams: &[String]) -> Option<String> {
        (self == Self::OursLimited).then(|| token::of_user(SECRET, teams))
    }

    fn command(self, redis: &RedisServer, port: u16) -> Result<Command> {
        let peers = Path::new("benches/peers");
        let socket = redis.socket();
        let socket = socket.display();
        let mut command = match self {
            Self::Ours | Self::OursLimited | Self::Chat => {
                let function = match self {
                    Self::Chat => "chat",
                    _ => "sessions",
                };
                let mut command = Command::new(release(function));
                command
                    .env("VERCEL_DEV_PORT", port.to_string())
                    .env("REQUEST_LOG", "off");
                match self {
                    Self::OursLimited => command
                        .env("AUTH_JWT_SECRET", SECRET)
                        .env("RATE_LIMIT", "600000"),
                    _ => command
                        .env("ALLOW_ANONYMOUS", "true")
                        .env("ALLOW_ANONYMOUS_CHAT", "true"),
                };
                command
            }
            Self::FastApi => {
                let mut command = Command::new(peers.join("fastapi/.venv/bin/uvicorn"));
                command
                    .args([
                        "app:app",
                        "--app-dir",
                        "benches/peers/fastapi",
                        "--workers",
                        "1",
                    ])
                    .args(["--loop", "uvloop", "--http", "httptools"])
                    .args(["--no-access-log", "--log-level", "warning"])
                    .args(["--port", &port.to_string()]);
                command
            }
            Self::Node | Self::ChatNode => {
                let folder = match self {
                    Self::ChatNode => "chat-node",
                    _ => "node",
                };
                let mut command = Command::new("node");
                command
                    .arg(peers.join(folder).join("server.js"))
                    .env("NODE_ENV", "production");
                command
            }
            Self::CeilingGet => Command::new(sibling_binary("ceiling-get")?),
            Self::CeilingConstant => Command::new(sibling_binary("ceiling-constant")?),
        };
        let scheme = match self {
            Self::FastApi | Self::Node | Self::ChatNode => "unix",
            _ => "redis+unix",
        };
        command
            .env("REDIS_URL", format!("{scheme}://{socket}"))
            .env("PORT", port.to_string());
        Ok(command)
    }
}

/// A running server; stopped on drop.
pub struct Server {
    pub kind: Kind,
    pub base: String,
    process: Child,
}

impl Server {
    /// Starts a server and waits until it accepts connections.
    pub fn start(kind: Kind, redis: &RedisServer) -> Result<Self> {
        Self::start_with(kind, redis, &[])
    }

    /// Starts a server with further variables and waits until it accepts connections.
    pub fn start_with(
        kind: Kind,
        redis: &RedisServer,
        environment: &[(&str, String)],
    ) -> Result<Self> {
        let mut server = Self::spawn(kind, redis, environment)?;
        let address = server.base.trim_start_matches("http://").to_owned();
        server.retry(|| Ok(std::net::TcpStream::connect(&address).map(drop)?))?;
        Ok(server)
    }

    /// Returns the time from process start to the response to `request`.
    pub fn time_first_answer(
        kind: Kind,
        redis: &RedisServer,
        request: &Request,
    ) -> Result<Duration> {
        let started = Instant::now();
        let mut server = Self::spawn(kind, redis, &[])?;
        let base = server.base.clone();
        server.retry(|| request.send(&base).map(drop))?;
        Ok(started.elapsed())
    }

    fn spawn(kind: Kind, redis: &RedisServer, environment: &[(&str, String)]) -> Result<Self> {
        // The port was free a moment ago. Our servers start one at a time, so none of them takes it.
        let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
        let mut command = kind.command(redis, port)?;
        command.envs(environment.iter().map(|(name, value)| (name, value)));
        let inherited = ["PATH", "HOME"].into_iter();
        let inherited = inherited.filter_map(|name| Some((name, std::env::var_os(name)?)));
        let set: Vec<_> = command
            .get_envs()
            .filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())))
            .collect();
        // Variables of the caller's environment must not configure a server.
        command.env_clear().envs(inherited).envs(set);
        let process = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .with_context(|| format!("{command:?}"))?;
        Ok(Self {
            kind,
            base: format!("http://127.0.0.1:{port}"),
            process,
        })
    }

    fn retry(&mut self, attempt: impl Fn() -> Result<()>) -> Result<()> {
        let started = Instant::now();
        loop {
            let Err(error) = attempt() else {
                return Ok(());
            };
            if let Some(status) = self.process.try_wait()? {
                bail!("{} exited: {status}", self.kind.title());
            }
            if started.elapsed() > START_LIMIT {
                return Err(error.context(format!("{} does not respond", self.kind.title())));
            }
            sleep(Duration::from_micros(200));
        }
    }

    pub fn pid(&self) -> u32 {
        self.process.id()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Returns the path of a release binary of the main package.
pub fn release(program: &str) -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
    Path::new(&target).join("release").join(program)
}

fn sibling_binary(program: &str) -> Result<PathBuf> {
    Ok(std::env::current_exe()?.with_file_name(program))
}
