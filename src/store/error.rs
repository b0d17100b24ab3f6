//! Errors of the store, their classification, and their diagnosis for operators.

use std::time::Duration;

use redis::{ErrorKind, RedisError, ServerErrorKind};

use crate::util::diagnosis::Diagnosis;

/// A failure of a store operation. A missing session is not an error: operations return `None` for it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// `REDIS_URL` is not set.
    #[error("REDIS_URL is not set")]
    NotConfigured,
    /// Redis is unreachable or rejected the command. The text contains no credentials.
    #[error("Redis: {}", on_one_line(.0))]
    Unavailable(#[source] RedisError),
    /// The caller exceeded the rate limit; the next request is allowed after this time.
    #[error("the caller exceeded the rate limit")]
    RateLimited(Duration),
    /// The stored data is malformed: neither this service nor the Python version wrote it.
    #[error("malformed data in Redis: {0}")]
    Unreadable(String),
}

/// Result of a store operation.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl From<RedisError> for Error {
    fn from(error: RedisError) -> Self {
        // Redis 7 replies with the code of an error within a script, Redis 6 only mentions it in the text.
        let contains = |words: &[&str]| words.iter().any(|word| error.to_string().contains(word));
        let is_malformed_data = error.kind() == ErrorKind::UnexpectedReturnType
            || contains(&["WRONGTYPE", "UNREADABLE"])
            // A script fails on malformed data, unless Redis rejected one of its commands.
            || (error.code() == Some("ERR")
                && contains(&["user_script"])
                && !contains(&[
                    "OOM",
                    "READONLY",
                    "NOPERM",
                    "MISCONF",
                    // On a cluster: the slot is moving, or no node serves it.
                    "non local key",
                    "cluster is down",
                ]));
        if is_malformed_data {
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
    /// Leaves out the text of the error: it repeats stored data, and errors are logged.
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

/// Explains an error to the operator of the deployment.
pub fn diagnose(error: &Error) -> Diagnosis {
    let (cause, remedy) = match error {
        Error::NotConfigured => (
            "REDIS_URL is not set".to_owned(),
            "set REDIS_URL to redis://… or rediss://…, or add a Redis database to the Vercel project",
        ),
        Error::Unreadable(text) => (
            text.clone(),
            "check the key in Redis; this service did not write its value",
        ),
        Error::RateLimited(_) => (error.to_string(), "wait, or increase RATE_LIMIT"),
        Error::Unavailable(error) => {
            let (cause, remedy) = explain(error);
            (format!("{cause}: {}", on_one_line(error)), remedy)
        }
    };
    Diagnosis { cause, remedy }
}

/// Returns the text of the error on one line. The error for an unknown command repeats its arguments, which are left
/// out.
fn on_one_line(error: &RedisError) -> String {
    let text = error.to_string();
    let text = text.split(", with args beginning with").next();
    let lines: Vec<&str> = text.unwrap_or_default().lines().collect();
    lines.join(", ")
}

/// Returns cause and remedy, as observed with redis 1.8.1 on Redis 7.0. The first match applies.
fn explain(error: &RedisError) -> (&'static str, &'static str) {
    let text = error.to_string();
    let contains = |words: &str| text.contains(words);
    // Redis 7 replies with the code of an error within a script, Redis 6 only mentions it in the text.
    let has_code = |code: &str| error.code() == Some(code) || contains(code);
    match error.kind() {
        ErrorKind::InvalidClientConfig => (
            "REDIS_URL is malformed",
            "use redis://[user:password@]host[:port][/database], rediss:// for TLS, or redis+unix:///path; for a Redis \
             Cluster list several hosts with commas or add ?cluster=true; percent-encode special characters in the \
             password (/ as %2F, ? as %3F, # as %23, @ as %40)",
        ),
        _ if has_code("NOAUTH") => (
            "the server requires a password",
            "add it to REDIS_URL: redis://:password@host:port",
        ),
        _ if has_code("WRONGPASS") || error.kind() == ErrorKind::AuthenticationFailed => (
            "the user or password in REDIS_URL is wrong",
            "copy the URL from the provider again, and percent-encode special characters in the password",
        ),
        _ if has_code("NOPERM") => (
            "the user in REDIS_URL lacks a permission",
            "grant it with ACL SETUSER: ~* +@read +@write +@scripting +@connection +info +time",
        ),
        _ if has_code("CLUSTERDOWN") || contains("cluster is down") => (
            "some slots of the cluster have no node",
            "run CLUSTER NODES, and start the missing nodes",
        ),
        _ if has_code("TRYAGAIN") || error.kind() == ErrorKind::Server(ServerErrorKind::Ask) => (
            "a slot of the cluster is moving to another node",
            "wait and try again",
        ),
        _ if error.is_cluster_error() || contains("non local key") => (
            "the server is a node of a Redis Cluster",
            "list several of its hosts in REDIS_URL with commas, or add ?cluster=true",
        ),
        _ if contains("cluster support disabled") => (
            "the server is not a Redis Cluster",
            "set REDIS_URL to one host, without cluster=true",
        ),
        _ if contains("SELECT is not allowed in cluster mode") => (
            "a Redis Cluster has only database 0",
            "remove the number at the end of REDIS_URL",
        ),
        _ if has_code("READONLY") => (
            "the server is a read-only replica",
            "use the address of the primary",
        ),
        _ if has_code("OOM") => (
            "the memory of the server is full",
            "delete data, increase maxmemory, or upgrade the plan",
        ),
        _ if has_code("LOADING") => ("the server is loading its data", "wait and try again"),
        _ if contains("DB index is out of range") => (
            "the server has no database with this number",
            "correct or remove the number at the end of REDIS_URL",
        ),
        _ if contains("unknown command") => (
            "the server does not support or allow a command",
            "use Redis 6.2 or later, or Valkey, without renamed commands",
        ),
        _ if contains("failed to lookup address") => (
            "the host name in REDIS_URL does not resolve",
            "check its spelling and that the database still exists",
        ),
        _ if error.kind() == ErrorKind::ClusterConnectionNotFound => (
            "no node of the cluster is reachable",
            "start the nodes, or make the addresses that CLUSTER NODES shows reachable from here",
        ),
        _ if error.is_timeout() || contains("timed out") => (
            "no reply in time",
            "check host, port and firewall; a port without TLS does not reply to a TLS handshake, so use redis:// \
             there instead of rediss://",
        ),
        _ if error.is_connection_refusal() || contains("Connection refused") => (
            "the connection was refused",
            "start the server, or correct host and port in REDIS_URL",
        ),
        _ if contains("UnknownIssuer") => (
            "the certificate of the server is not signed by a trusted authority",
            "set REDIS_CA_CERT to the PEM certificate of its authority",
        ),
        _ if contains("invalid peer certificate") => (
            "the certificate of the server is invalid",
            "use the host name in the certificate, or renew it on the server",
        ),
        _ if contains("trust anchors") || contains("root certificate PEM") => (
            "REDIS_CA_CERT is not a PEM certificate",
            "set it to PEM text that starts with -----BEGIN CERTIFICATE-----, with \\n for line breaks if on one line",
        ),
        _ if contains("CertificateRequired") => (
            "the server requires client certificates, which are not supported",
            "set tls-auth-clients to no on the server, and use a password",
        ),
        _ if contains("corrupt message") || error.kind() == ErrorKind::Parse => (
            "the server does not use the Redis protocol",
            "check host and port in REDIS_URL, and whether the scheme is redis:// or rediss://",
        ),
        _ if error.is_connection_dropped() => (
            "the server closed the connection",
            "if it requires TLS, use rediss:// instead of redis://; else check its log: it may have reached \
             maxclients or be in protected mode",
        ),
        _ => (
            "the server replied with an error",
            "check the log of the server",
        ),
    }
}
