//! Errors of a connection, with the part of `REDIS_URL` that their explanation depends on.

use std::io;

use redis::{ConnectionAddr, ErrorKind, RedisError};

use super::transport::ConnectOptions;
use super::url;

/// Description of an error of a connection that uses TLS and received no reply.
pub(in crate::store) const NO_REPLY_OVER_TLS: &str = "timed out over TLS";
/// Description of an error of a rejected user name: one that is not the default user's.
pub(in crate::store) const NAMED_USER: &str = "with a user name";

/// The shortest password that is cut out of an error. A shorter one is likely to be a part of another word.
const MIN_PASSWORD_BYTES: usize = 6;

impl ConnectOptions {
    /// Returns the error with its context, and without the password.
    pub(super) fn with_context(&self, error: RedisError) -> RedisError {
        let Some(server) = url::parse(&self.url).ok().map(|url| url.servers[0].clone()) else {
            return error;
        };
        let settings = server.redis_settings();
        if error.is_timeout() && matches!(server.addr(), ConnectionAddr::TcpTls { .. }) {
            return io::Error::new(io::ErrorKind::TimedOut, NO_REPLY_OVER_TLS).into();
        }
        let text = error.to_string();
        let password = settings.password().unwrap_or_default();
        let is_repeated = password.len() >= MIN_PASSWORD_BYTES && text.contains(password);
        let text = match is_repeated {
            true => text.replace(password, "***"),
            false => text,
        };
        let is_rejected =
            error.kind() == ErrorKind::AuthenticationFailed || text.contains("WRONGPASS");
        let has_name = settings.username().is_some_and(|name| name != "default");
        match (is_rejected && has_name, is_repeated) {
            (true, _) => (ErrorKind::AuthenticationFailed, NAMED_USER, text).into(),
            (false, true) => (error.kind(), "the server replied", text).into(),
            (false, false) => error,
        }
    }
}
