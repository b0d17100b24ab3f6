//! Explanations of store errors for operators: the cause and the remedy.

use redis::{ErrorKind, RedisError, ServerErrorKind};

use super::connection::context::{NAMED_USER, NO_REPLY_OVER_TLS};
use super::connection::url_error::MALFORMED_REMEDY;
use super::error::{Error, on_one_line};
use crate::util::diagnosis::Diagnosis;

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
        Error::InvalidUrl(problem) => (error.to_string(), problem.remedy),
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

/// A condition, the cause of an error that meets it, and the remedy.
type Rule = (fn(&Failure<'_>) -> bool, &'static str, &'static str);

/// The rules, as observed with redis 1.8.1 on Redis 7.0. The first match applies.
const RULES: &[Rule] = &[
    (
        |failure| failure.has_code("NOAUTH"),
        "the server requires a password",
        "add it to REDIS_URL: redis://:password@host:port",
    ),
    (
        |failure| failure.contains(NAMED_USER),
        "the user name or password in REDIS_URL is wrong",
        "remove the user name if the server has a password only: redis://:password@host:port; else copy the URL \
         from the provider again, and percent-encode special characters in the password",
    ),
    (
        |failure| {
            failure.has_code("WRONGPASS") || failure.error.kind() == ErrorKind::AuthenticationFailed
        },
        "the user or password in REDIS_URL is wrong",
        "copy the URL from the provider again, and percent-encode special characters in the password",
    ),
    (
        |failure| failure.has_code("NOPERM") || failure.contains("can't run this command"),
        "the user in REDIS_URL lacks a permission",
        "grant it with ACL SETUSER: ~* +@read +@write +@scripting +@connection +info +time, on a Redis Cluster \
         also +cluster|slots +cluster|info",
    ),
    (
        |failure| failure.has_code("DENIED"),
        "the server is in protected mode",
        "set a password on the server (requirepass) and in REDIS_URL",
    ),
    (
        |failure| failure.has_code("CLUSTERDOWN") || failure.contains("cluster is down"),
        "some slots of the cluster have no node",
        "run CLUSTER NODES, and start the missing nodes",
    ),
    (
        |failure| {
            failure.has_code("TRYAGAIN")
                || failure.error.kind() == ErrorKind::Server(ServerErrorKind::Ask)
        },
        "a slot of the cluster is moving to another node",
        "wait and try again",
    ),
    (
        |failure| {
            failure.error.is_cluster_error()
                || failure.has_code("CROSSSLOT")
                || failure.contains("non local key")
        },
        "the server is a node of a Redis Cluster",
        "list several of its hosts in REDIS_URL with commas, or add ?cluster=true",
    ),
    (
        |failure| failure.contains("cluster support disabled"),
        "the server is not a Redis Cluster",
        "set REDIS_URL to one host, without cluster=true",
    ),
    (
        |failure| failure.contains("SELECT is not allowed in cluster mode"),
        "a Redis Cluster has only database 0",
        "remove the number at the end of REDIS_URL",
    ),
    (
        |failure| failure.has_code("OOM"),
        "the memory of the server is full",
        "delete data, increase maxmemory, or upgrade the plan",
    ),
    (
        |failure| {
            failure.contains("max number of clients")
                || failure.contains("max concurrent connections")
        },
        "the server has reached its limit of clients",
        "close idle clients, increase maxclients, or upgrade the plan",
    ),
    (
        |failure| failure.contains("limit exceeded") || failure.contains("quota exceeded"),
        "a quota of the Redis plan is used up",
        "upgrade the plan, or wait until the provider resets the quota",
    ),
    (
        |failure| failure.has_code("READONLY"),
        "the server is a read-only replica",
        "use the address of the primary",
    ),
    (
        |failure| failure.has_code("MASTERDOWN"),
        "the server is a replica without a connection to its primary",
        "use the address of the primary, and check that it runs",
    ),
    (
        |failure| failure.has_code("NOREPLICAS"),
        "the server has fewer replicas than its settings require",
        "start the replicas, or decrease min-replicas-to-write",
    ),
    (
        |failure| failure.has_code("MISCONF"),
        "the server cannot write its data to disk",
        "free disk space on the server, and check its log",
    ),
    (
        |failure| failure.has_code("LOADING"),
        "the server is loading its data",
        "wait and try again",
    ),
    (
        |failure| failure.has_code("BUSY"),
        "a script of another client blocks the server",
        "wait, or end the script with SCRIPT KILL",
    ),
    (
        |failure| failure.error.kind() == ErrorKind::InvalidClientConfig,
        "REDIS_URL is malformed",
        MALFORMED_REMEDY,
    ),
    (
        |failure| failure.contains("DB index is out of range"),
        "the server has no database with this number",
        "correct or remove the number at the end of REDIS_URL",
    ),
    (
        |failure| failure.contains("unknown command"),
        "the server does not support or allow a command",
        "use Redis 6.2 or later, or Valkey, without renamed commands",
    ),
    (
        |failure| failure.contains("failed to lookup address"),
        "the host name in REDIS_URL does not resolve",
        "check its spelling and that the database still exists",
    ),
    (
        |failure| failure.error.kind() == ErrorKind::ClusterConnectionNotFound,
        "no node of the cluster is reachable",
        "start the nodes, or make the addresses that CLUSTER NODES shows reachable from here",
    ),
    (
        |failure| failure.contains(NO_REPLY_OVER_TLS),
        "no reply in time over TLS",
        "if the port has no TLS, use redis:// there instead of rediss://; else check host, port and firewall",
    ),
    (
        |failure| failure.error.is_timeout() || failure.contains("timed out"),
        "no reply in time",
        "check host, port and firewall",
    ),
    (
        |failure| failure.error.is_connection_refusal() || failure.contains("Connection refused"),
        "the connection was refused",
        "start the server, or correct host and port in REDIS_URL",
    ),
    (
        |failure| failure.contains("UnknownIssuer"),
        "the certificate of the server is not signed by a trusted authority",
        "set REDIS_CA_CERT to the PEM certificate of its authority",
    ),
    (
        |failure| failure.contains("invalid peer certificate"),
        "the certificate of the server is invalid",
        "use the host name in the certificate, or renew it on the server",
    ),
    (
        |failure| failure.contains("trust anchors") || failure.contains("root certificate PEM"),
        "REDIS_CA_CERT is not a PEM certificate",
        "set it to PEM text that starts with -----BEGIN CERTIFICATE-----, with \\n for line breaks if on one line",
    ),
    (
        |failure| failure.contains("CertificateRequired"),
        "the server requires client certificates, which are not supported",
        "set tls-auth-clients to no on the server, and use a password",
    ),
    (
        |failure| failure.contains("corrupt message") || failure.error.kind() == ErrorKind::Parse,
        "the server does not use the Redis protocol",
        "check host and port in REDIS_URL, and whether the scheme is redis:// or rediss://",
    ),
    (
        |failure| failure.error.is_connection_dropped(),
        "the server closed the connection",
        "if it requires TLS, use rediss:// instead of redis://; else check its log: it may have reached \
         maxclients or be in protected mode",
    ),
];

/// Returns cause and remedy.
fn explain(error: &RedisError) -> (&'static str, &'static str) {
    let failure = Failure {
        error,
        text: error.to_string(),
    };
    let mut rules = RULES.iter();
    rules.find(|(is_match, ..)| is_match(&failure)).map_or(
        (
            "the server replied with an error",
            "check the log of the server",
        ),
        |(_, cause, remedy)| (cause, remedy),
    )
}

/// An error and its text.
struct Failure<'a> {
    error: &'a RedisError,
    text: String,
}

impl Failure<'_> {
    fn contains(&self, words: &str) -> bool {
        self.text.contains(words)
    }

    /// Returns whether the server replied with this code. Redis 7 replies with the code of an error within a script,
    /// Redis 6 only mentions it in the text.
    fn has_code(&self, code: &str) -> bool {
        self.error.code() == Some(code) || self.contains(code)
    }
}
