//! Why the store could not do what it was asked.

use redis::{ErrorKind, RedisError, ServerErrorKind};

/// A failure below HTTP. That something is not there is none: the store answers `None` for it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// `REDIS_URL` is not set.
    #[error("REDIS_URL is not set")]
    NotConfigured,
    /// Redis cannot be reached, or refuses. The text holds no credentials.
    #[error("Redis: {0}")]
    Unavailable(#[source] RedisError),
    /// What is stored is not what this program or the Python version stores.
    #[error("unreadable in Redis: {0}")]
    Unreadable(String),
}

/// The result of a call to the store.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl From<RedisError> for Error {
    fn from(error: RedisError) -> Self {
        // Redis 7 answers the code of an error within a script, Redis 6 only mentions it.
        let is_about_data = error.kind() == ErrorKind::UnexpectedReturnType
            || ["WRONGTYPE", "UNREADABLE"]
                .iter()
                .any(|code| error.to_string().contains(code));
        if is_about_data {
            Self::Unreadable(error.to_string())
        } else {
            Self::Unavailable(error)
        }
    }
}

impl From<redis::ParsingError> for Error {
    fn from(error: redis::ParsingError) -> Self {
        Self::Unreadable(error.to_string())
    }
}

impl From<serde_json::Error> for Error {
    fn from(error: serde_json::Error) -> Self {
        Self::Unreadable(error.to_string())
    }
}

/// What is wrong with a Redis, and what mends it, in plain words.
#[derive(Debug, PartialEq, Eq)]
pub struct Diagnosis {
    /// What happened.
    pub cause: String,
    /// What to do.
    pub remedy: &'static str,
}

/// Explains a failure to the person who runs the deployment.
pub fn diagnose(error: &Error) -> Diagnosis {
    let (cause, remedy) = match error {
        Error::NotConfigured => (
            "REDIS_URL is not set".to_owned(),
            "set REDIS_URL to redis://… or rediss://…, or add a Redis database to the Vercel project",
        ),
        Error::Unreadable(text) => (
            text.clone(),
            "look at the key in Redis; it was not written by this program",
        ),
        Error::Unavailable(error) => explain(error),
    };
    Diagnosis { cause, remedy }
}

fn explain(error: &RedisError) -> (String, &'static str) {
    let text = error.to_string();
    let says = |words: &str| text.contains(words);
    let remedy = match error.kind() {
        ErrorKind::InvalidClientConfig => {
            "REDIS_URL must look like redis://[user:password@]host[:port][/database], rediss:// for TLS, or redis+unix:///path"
        }
        _ if says("NOAUTH") => {
            "the server wants a password: put it into REDIS_URL, redis://:password@host:port"
        }
        _ if says("WRONGPASS")
            || says("invalid password")
            || error.kind() == ErrorKind::AuthenticationFailed =>
        {
            "user or password in REDIS_URL is wrong: copy the URL again from the provider, and percent-encode : / @ in it"
        }
        ErrorKind::Server(ServerErrorKind::NoPerm) => {
            "this user may not run the command: allow it ~* +@read +@write +@scripting +@connection with ACL SETUSER"
        }
        ErrorKind::Server(ServerErrorKind::ReadOnly) => {
            "this is a read-only replica: use the address of the primary"
        }
        ErrorKind::Server(ServerErrorKind::BusyLoading) => {
            "the server is loading its data: wait, and try again"
        }
        _ if says("OOM command not allowed") => {
            "the server is out of memory: delete data, raise maxmemory, or take a larger plan"
        }
        _ if says("lookup address") || says("Name or service not known") => {
            "the host name in REDIS_URL is not known: check its spelling, and that the database still exists"
        }
        _ if error.is_timeout() || says("timed out") => {
            "no answer in time: check host, port and firewall; a server that only speaks TLS wants rediss://"
        }
        _ if error.is_connection_refusal() => {
            "nothing listens there: start the server, or correct host and port in REDIS_URL"
        }
        _ if says("UnknownIssuer") => {
            "the server's certificate is signed by an authority that is not public: set REDIS_CA_CERT to its certificate"
        }
        _ if says("certificate") => {
            "the server's certificate does not fit the host name in REDIS_URL"
        }
        _ if says("corrupt message") || says("InvalidContentType") => {
            "TLS was spoken to a port without TLS: use redis:// instead of rediss://"
        }
        _ if error.is_connection_dropped() => {
            "the server closed the connection: if it only speaks TLS, use rediss:// instead of redis://"
        }
        _ => "see the server's own log",
    };
    (text, remedy)
}
