//! Timeouts and retries of the connection to Redis.

use std::io;
use std::time::Duration;

use redis::RedisError;

/// Maximum time to open a connection, including name lookup, TLS and authentication.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
/// Maximum time that Redis may take to reply to a command.
pub const RESPONSE_TIMEOUT: Duration = Duration::from_secs(2);

/// Maximum time to open a connection to a cluster node. A new process connects to the nodes in `REDIS_URL` first and
/// to all others next, so one silent node must not use up the time of a request.
pub(super) const NODE_CONNECT_TIMEOUT: Duration = Duration::from_millis(700);
/// Maximum time that a cluster node may take to reply to a command. It is shorter than [`RESPONSE_TIMEOUT`], so that the
/// caller gets the error of the node.
pub(super) const NODE_RESPONSE_TIMEOUT: Duration = Duration::from_millis(1500);
/// Number of retries of a command that no node ran, because its slot is moving or has no node. The pauses between
/// them grow to [`NODE_MAX_PAUSE_MILLISECONDS`] and add up to about 1.3 s.
pub(super) const NODE_RETRIES: u32 = 16;
/// Pause before the first retry.
pub(super) const NODE_MIN_PAUSE_MILLISECONDS: u64 = 5;
/// Longest pause between two retries.
pub(super) const NODE_MAX_PAUSE_MILLISECONDS: u64 = 200;

/// Returns the error of an operation that exceeded its time.
pub(in crate::store) fn deadline_exceeded() -> RedisError {
    io::Error::from(io::ErrorKind::TimedOut).into()
}
