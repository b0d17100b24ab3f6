//! Why the store could not do what it was asked.

use std::time::Duration;

use redis::{ErrorKind, RedisError, ServerErrorKind};

use crate::util::diagnosis::Diagnosis;

/// A failure below HTTP. That something is not there is none: the store answers `None` for it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// `REDIS_URL` is not set.
    #[error("REDIS_URL is not set")]
    NotConfigured,
    /// Redis cannot be reached, or refuses. The text holds no credentials.
    #[error("Redis: {}", on_one_line(.0))]
    Unavailable(#[source] RedisError),
    /// The caller made too many requests, and may make the next one after this time.
    #[error("the caller's limit is reached")]
    RateLimited(Duration),
    /// What is stored is not what this program or the Python version stores.
    #[error("unreadable in Redis: {0}")]
    Unreadable(String),
}

/// The result of a call to the store.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl From<RedisError> for Error {
    fn from(error: RedisError) -> Self {
        // Redis 7 answers the code of an error within a script, Redis 6 only mentions it.
        let says = |words: &[&str]| words.iter().any(|word| error.to_string().contains(word));
        let is_about_data = error.kind() == ErrorKind::UnexpectedReturnType
            || says(&["WRONGTYPE", "UNREADABLE"])
            // A script that stumbles does so over what is stored, unless Redis refused a command of it.
            || (error.code() == Some("ERR")
                && says(&["user_script"])
                && !says(&[
                    "OOM",
                    "READONLY",
                    "NOPERM",
                    // Redis 7.0 reports a missing permission of a script's user in these words.
                    "can't run this command",
                    "MISCONF",
                    // Of a cluster, where a slot moves or nobody serves it.
                    "non local key",
                    "cluster is down",
                ]));
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
    /// Its own text repeats what is stored, and errors are logged.
    fn from(error: serde_json::Error) -> Self {
        Self::Unreadable(format!(
            "{:?} error in JSON at line {}, column {}",
            error.classify(),
            error.line(),
            error.column()
        ))
    }
}

impl From<Error> for Diagnosis {
    fn from(error: Error) -> Self {
        diagnose(&error)
    }
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
        Error::RateLimited(_) => (error.to_string(), "wait, or set RATE_LIMIT higher"),
        Error::Unavailable(error) => {
            let (cause, remedy) = explain(error);
            (format!("{cause}: {}", on_one_line(error)), remedy)
        }
    };
    Diagnosis { cause, remedy }
}

/// The error itself. A server that does not know a command repeats what was sent with it: that is left out.
fn on_one_line(error: &RedisError) -> String {
    let text = error.to_string();
    let text = text.split(", with args beginning with").next();
    let lines: Vec<&str> = text.unwrap_or_default().lines().collect();
    lines.join(", ")
}

/// Cause and remedy, as observed with redis 1.8.1 on Redis 7.0. The first line that fits counts.
fn explain(error: &RedisError) -> (&'static str, &'static str) {
    let text = error.to_string();
    let says = |words: &str| text.contains(words);
    // Redis 7 answers the code of an error within a script, Redis 6 only mentions it.
    let answers = |code: &str| error.code() == Some(code) || says(code);
    match error.kind() {
        ErrorKind::InvalidClientConfig => (
            "REDIS_URL cannot be understood",
            "write redis://[user:password@]host[:port][/database], rediss:// for TLS, redis+unix:///path, or for a \
             Redis Cluster several hosts with commas between them or ?cluster=true, \
             with special characters of a password percent-encoded (/ as %2F, ? as %3F, # as %23, @ as %40)",
        ),
        _ if answers("NOAUTH") => (
            "the server wants a password",
            "put it into REDIS_URL: redis://:password@host:port",
        ),
        _ if answers("WRONGPASS") || error.kind() == ErrorKind::AuthenticationFailed => (
            "user or password in REDIS_URL is wrong",
            "copy the URL again from the provider, and percent-encode special characters in the password",
        ),
        _ if answers("NOPERM") || says("can't run this command") => (
            "the user in REDIS_URL may not do this",
            "allow it with ACL SETUSER: ~* +@read +@write +@scripting +@connection +info +time",
        ),
        _ if answers("CLUSTERDOWN") || says("cluster is down") => (
            "a part of the cluster is served by no node",
            "see CLUSTER NODES, and start the nodes that are missing",
        ),
        _ if answers("TRYAGAIN") || error.kind() == ErrorKind::Server(ServerErrorKind::Ask) => (
            "a part of the cluster is being moved to another node",
            "wait, and try again",
        ),
        _ if error.is_cluster_error() || answers("CROSSSLOT") || says("non local key") => (
            "this is a node of a Redis Cluster",
            "name several of its hosts in REDIS_URL with commas between them, or add ?cluster=true",
        ),
        _ if says("cluster support disabled") => (
            "this is no Redis Cluster",
            "name one host in REDIS_URL, without cluster=true",
        ),
        _ if says("SELECT is not allowed in cluster mode") => (
            "a Redis Cluster has no database of this number",
            "remove the number at the end of REDIS_URL",
        ),
        _ if answers("READONLY") => (
            "this is a read-only replica",
            "use the address of the primary",
        ),
        _ if answers("OOM") => (
            "the server's memory is full",
            "delete data, raise maxmemory, or take a larger plan",
        ),
        _ if answers("LOADING") => ("the server is loading its data", "wait, and try again"),
        _ if says("DB index is out of range") => (
            "the server has no database of this number",
            "correct or remove the number at the end of REDIS_URL",
        ),
        _ if says("unknown command") => (
            "the server does not know or allow a command",
            "use Redis 6.2 or later, or Valkey, with no command renamed",
        ),
        _ if says("failed to lookup address") => (
            "the host name in REDIS_URL is not known",
            "check its spelling, and that the database still exists",
        ),
        _ if error.kind() == ErrorKind::ClusterConnectionNotFound => (
            "no node of the cluster can be reached",
            "start them, or see that all are reached from here at the addresses that CLUSTER NODES shows",
        ),
        _ if error.is_timeout() || says("timed out") => (
            "no answer in time",
            "check host, port and firewall; a port without TLS is silent, too, when it is asked for it: \
             use redis:// there instead of rediss://",
        ),
        _ if error.is_connection_refusal() || says("Connection refused") => (
            "nothing listens there",
            "start the server, or correct host and port in REDIS_URL",
        ),
        _ if says("UnknownIssuer") => (
            "the server's certificate is not signed by a trusted authority",
            "set REDIS_CA_CERT to the certificate of its authority, as PEM",
        ),
        _ if says("invalid peer certificate") => (
            "the server's certificate does not fit",
            "use the host name it is made for, or renew it on the server",
        ),
        _ if says("trust anchors") || says("root certificate PEM") => (
            "REDIS_CA_CERT is not a certificate",
            "set it to PEM text, from -----BEGIN CERTIFICATE----- on, with \\n for line ends if on one line",
        ),
        _ if says("CertificateRequired") => (
            "the server wants a certificate from its clients, which is not supported",
            "set tls-auth-clients no on the server, and use a password",
        ),
        _ if says("corrupt message") || error.kind() == ErrorKind::Parse => (
            "what answers there does not speak this protocol",
            "check host and port in REDIS_URL, and whether it must be redis:// or rediss://",
        ),
        _ if error.is_connection_dropped() => (
            "the server closed the connection",
            "if it only speaks TLS, use rediss:// instead of redis://; else see its log: it may be full \
             (maxclients) or in protected mode",
        ),
        _ => ("the server answered an error", "see the server's own log"),
    }
}
