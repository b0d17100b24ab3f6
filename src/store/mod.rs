//! Sessions and messages in Redis: the keys, the one connection, and an operation per script.
//!
//! # Keys
//! `{…}` are placeholders, not part of the key; `{scope}` is `all` or `{volume}:{volume_id}`.
//!
//! | key | type | holds | since |
//! |---|---|---|---|
//! | `session:{id}` | string | JSON: the session's document | Python |
//! | `session:{id}:messages` | list | one JSON text per message, in order; the place is the `seq` | Python |
//! | `{scope}:sessions` | set | ids of the scope's sessions | Python |
//! | `llmos:recent:{scope}:{bucket}` | sorted set | ids by microseconds of their last activity | ours |
//! | `llmos:indexed:{scope}` | string | how many members of the scope's set the index knows of | ours |
//! | `llmos:indexing:{scope}` | string | where indexing the scope's set goes on, while it does | ours |
//! | `llmos:replies:{id}` | hash | `Idempotency-Key` → which messages it appended; lives 24 h from the last | ours |
//! | `llmos:reply-expiries:{id}` | sorted set | `Idempotency-Key` by the second its reply expires; lives as long | ours |
//! | `llmos:reply:{key}` | hash | the session that an `Idempotency-Key` created; lives 24 h | ours |
//! | `llmos:origin:{id}` | string | the name of that key; lives as long | ours |
//! | `llmos:skills:{volume}:{volume_id}` | hash | skill id → JSON: what its document says, by its entity tag; lives 30 days | ours |
//! | `llmos:skill-usage:{volume}:{volume_id}` | hash | `uses:`, `successes:`, `timed:` and `milliseconds:` + skill id → their sum | ours |
//! | `llmos:skill-use:{key}` | string | what the request under an `Idempotency-Key` said that counted a use; lives 24 h | ours |
//! | `llmos:system-volumes` | set | ids of the system's volumes that hold sessions | ours |
//! | `llmos:rate:{caller}` | string | microseconds at which a caller's requests will have been worth their time; lives at most a minute | ours |
//! | `llmos:probe` | string | nothing, for the moment of a health check | ours |
//!
//! On a Redis Cluster the braces are part of the key, and tell its slot: `session:{sess_1}:messages`,
//! `{user:alice}:sessions`, `llmos:recent:{all}:active`. Four keys differ there besides:
//!
//! | key | type | holds |
//! |---|---|---|
//! | `llmos:activity:{id}` | string | microseconds of a session's last activity, which the index follows |
//! | `llmos:reply:{key}` | hash | the id that an `Idempotency-Key` creates a session under, and what its request said |
//! | `llmos:origin:{id}` | hash | the session as that request created it; what it holds goes when the session goes |
//! | `llmos:skill-use:{volume:volume_id}:key` | string | as above, in the slot of the volume |
//!
//! A bucket is a status, or `other` for one that only the Python version allowed. Ours may be lost: the
//! index is made again from the documents, without the time of appends since their last update, an
//! `Idempotency-Key` can then take effect again, and how often skills were used begins at 0.
//!
//! Where a scope's set has another size than `llmos:indexed:{scope}` says, or its index has fewer members,
//! the Python version wrote to it: the next lists index what is missing, 500 members or a megabyte of
//! documents per round trip.
//!
//! A document's `messages` is stale by design, and so is its `updated_at`: appending only notes the
//! activity in the index. The later of the two is the truth.
//!
//! # Operations
//! Every operation is one Lua script and one round trip (an update reads first: two), and every script
//! can be sent again after a lost answer without a second effect. On a cluster it is several scripts, one for each
//! slot: see `cluster`.
//!
//! Redis 6.2 or later, or Valkey.

mod client;
mod cluster;
mod connection;
mod document;
mod error;
mod keys;
mod listing;
mod messages;
mod script;
mod server;
mod sessions;
mod skills;
mod update;

use self::connection::Connection;
use crate::domain::request_context::RequestContext;
use crate::util::log::OncePerMinute;

pub use self::client::RedisClient;
pub use self::connection::address::Address;
pub use self::connection::{CONNECT_TIMEOUT, RESPONSE_TIMEOUT};
pub use self::error::{Error, Result, diagnose};
pub use self::listing::{Cursor, ListRequest, SessionPage};
pub use self::messages::Appended;
pub use self::server::Version;
pub use self::sessions::Created;
pub use self::skills::{CacheEntry, CachedSkill, Counted, SkillUse, Usage};
pub use self::update::{Deleted, Updated};

/// How long the answer to an `Idempotency-Key` is remembered: 24 hours, in seconds.
const REPLY_SECONDS: u64 = 24 * 60 * 60;

/// The store. One per process: it owns the connection.
#[derive(Debug)]
pub struct Store {
    connection: Option<Connection>,
}

impl Store {
    /// Prepares a store on `url` and connects to nothing; without one, every operation is
    /// [`Error::NotConfigured`]. `ca_certificate` is PEM of the authorities to trust instead of the public ones.
    pub fn new(url: Option<String>, ca_certificate: Option<String>) -> Self {
        Self {
            connection: url.map(|url| Connection::new(url, ca_certificate)),
        }
    }

    /// Plain commands on the same connection.
    pub fn client(&self) -> Result<RedisClient<'_>> {
        self.connection().map(RedisClient::new)
    }

    /// Counts the request on its caller's limit, and does nothing else: for those that ask Redis nothing before
    /// they ask Blob. Where Redis cannot count, the caller goes on.
    ///
    /// # Errors
    /// [`Error::RateLimited`].
    pub async fn check_rate_limit(&self, context: &RequestContext) -> Result<()> {
        if context.rate_limit.limit().is_none() {
            return Ok(());
        }
        let Ok(connection) = self.connection() else {
            return Ok(());
        };
        match connection.check_rate_limit(context).await {
            Err(limited @ Error::RateLimited(_)) => Err(limited),
            Err(error) => {
                warn_of_uncounted_request(&error);
                Ok(())
            }
            Ok(()) => Ok(()),
        }
    }

    fn connection(&self) -> Result<&Connection> {
        self.connection.as_ref().ok_or(Error::NotConfigured)
    }
}

/// Logs that a request was not charged to its limit: at most once a minute, since an outage affects every request.
fn warn_of_uncounted_request(error: &Error) {
    static LIMIT: OncePerMinute = OncePerMinute::new();
    if let Some(suppressed) = LIMIT.pass() {
        tracing::warn!(
            redis.error = %error,
            log.suppressed = suppressed,
            "the rate limit cannot be checked; the request is allowed"
        );
    }
}

/// An `Idempotency-Key` and what the request under it says, as a hash.
#[derive(Clone, Debug)]
pub struct Idempotency {
    /// The caller's key.
    pub key: String,
    /// Hash of all that the answer depends on.
    pub fingerprint: String,
}
