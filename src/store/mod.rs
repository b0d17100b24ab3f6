//! Sessions, messages and cached skills in Redis.
//!
//! # Keys
//! `{…}` are placeholders, not part of the key; `{scope}` is `all` or `{volume}:{volume_id}`. Keys "since Python" are
//! shared with the Python version; all others belong to this service.
//!
//! | key | type | contents | since |
//! |---|---|---|---|
//! | `session:{id}` | string | the document of a session, as JSON | Python |
//! | `session:{id}:messages` | list | one JSON text per message, in order; the position is the `seq` | Python |
//! | `{scope}:sessions` | set | ids of the scope's sessions | Python |
//! | `llmos:recent:{scope}:{bucket}` | sorted set | session ids by microseconds of their last activity | Rust |
//! | `llmos:created:{scope}` | sorted set | session ids by microseconds of their creation | Rust |
//! | `llmos:pinned:{scope}` | set | ids of the pinned sessions; and `` (empty) once this key and the one before contain every member of the scope's set | Rust |
//! | `llmos:indexed:{scope}` | string | number of members of the scope's set that are indexed | Rust |
//! | `llmos:indexing:{scope}` | string | position at which indexing the scope's set continues | Rust |
//! | `llmos:message-ids:{id}` | hash | message id → `seq`, for ids that do not tell it; `` (empty) → `complete` if it contains all of them | Rust |
//! | `llmos:segments:{id}` | sorted set | runs of messages whose parents are the ones before, by the `seq` of the first | Rust |
//! | `llmos:path:{id}` | sorted set | the segments of the active branch | Rust |
//! | `llmos:deleted:{id}` | sorted set | ranges of deleted messages, by the `seq` of the first | Rust |
//! | `llmos:versions:{id}` | hash | `seq` of a parent → its children, if there are several | Rust |
//! | `llmos:branch:{id}` | hash | the end of the active branch, and its number of messages | Rust |
//! | `llmos:replies:{id}` | hash | `Idempotency-Key` → the messages that it appended; expires 24 h after the last one | Rust |
//! | `llmos:reply-expiries:{id}` | sorted set | `Idempotency-Key` by the second at which its reply expires; expires as above | Rust |
//! | `llmos:turn:{id}` | hash | the current or last turn of chat (`scripts/turn.lua`); expires after 24 h | Rust |
//! | `llmos:turn-log:{id}:{turn}` | stream | the chunks of a turn; expires after 24 h, 15 min after its end | Rust |
//! | `llmos:turn-key:{id}:{key}` | string | the turn that a request with this key began, and the fingerprint of the request; expires after 24 h | Rust |
//! | `llmos:reply:{key}` | hash | the session that an `Idempotency-Key` created; expires after 24 h | Rust |
//! | `llmos:origin:{id}` | string | name of the `llmos:reply` key that created the session; expires as above | Rust |
//! | `llmos:skills:{volume}:{volume_id}` | hash | skill id → the parsed document and its entity tag, as JSON; expires after 30 days | Rust |
//! | `llmos:skill-usage:{volume}:{volume_id}` | hash | `uses:`, `successes:`, `timed:` and `milliseconds:` + skill id → sum | Rust |
//! | `llmos:skill-use:{key}` | string | fingerprint of the request with this `Idempotency-Key` that counted a use; expires after 24 h | Rust |
//! | `llmos:client-turns:{client}` | hash | turn → its times, what it may still use, day, answer and session, until it is settled; expires two days after the last one should have ended | Rust |
//! | `llmos:client-usage:{client}` | hash | day → sums of the caller's turns; expires after 400 days | Rust |
//! | `llmos:usage:{volume}:{volume_id}` | hash | day → sums of the volume's turns; expires after 400 days | Rust |
//! | `llmos:usage-models:{volume}:{volume_id}:{day}` | hash | model → sums of this day; expires after 400 days | Rust |
//! | `llmos:usage-sessions:{volume}:{volume_id}:{day}` | hash | session → sums of this day; expires after 400 days | Rust |
//! | `llmos:counted-turn:{volume}:{volume_id}:{turn}` | string | the turn is in the sums of the volume; expires after 3 days | Rust |
//! | `llmos:system-volumes` | set | ids of the system volumes that contain sessions | Rust |
//! | `llmos:rate:{caller}` | string | microseconds at which the caller's full rate limit is available again; expires within a minute | Rust |
//! | `llmos:probe` | string | written and deleted by a health check | Rust |
//!
//! On a Redis Cluster the braces are part of the key, as hash tags: `session:{sess_1}:messages`,
//! `{user:alice}:sessions`, `llmos:recent:{all}:active`. These keys differ there as well:
//!
//! | key | type | contents |
//! |---|---|---|
//! | `llmos:activity:{id}` | string | microseconds of a session's last activity; the index follows it |
//! | `llmos:reply:{key}` | hash | session id that is reserved for an `Idempotency-Key`, and the fingerprint of its request |
//! | `llmos:origin:{id}` | hash | the session as it was created; deleting the session deletes all fields but `created` |
//! | `llmos:skill-use:{volume:volume_id}:key` | string | as above, in the slot of the volume |
//!
//! A bucket is a status, or `other` for a status that only the Python version allows; for archived sessions with
//! `archived-` before it. Every session is in one bucket of each scope. The Rust keys may be lost. The index is then rebuilt from the documents, without the times of appends since their last update. An `Idempotency-Key`
//! can take effect again, and the counts of skills start at 0.
//!
//! If the size of a scope's set differs from `llmos:indexed:{scope}`, or its index has fewer members, the Python
//! version wrote to the set. The next lists index what is missing: 500 members or 1 MB of documents per round trip.
//! The first list by creation, or of pinned sessions, does the same if `llmos:created` or `llmos:pinned` is incomplete.
//! Tags and metadata have no index.
//!
//! The keys from `llmos:message-ids` to `llmos:branch` are the message index of a session (`scripts/messages.lua`). It exists
//! only where it is needed: `llmos:message-ids` with ids of clients, all six with branches or deleted messages. The first
//! member of the document, `message_index`, says which, so their loss is noticed. They are then rebuilt from the messages,
//! and the branch of the newest message is the active one.
//!
//! The `messages` and `updated_at` of a document are stale by design: an append only records the activity in the index.
//! The later of the two times is the correct one.
//!
//! # Operations
//! Each operation is one Lua script and one round trip. A session that a caller has read before in this process is read with
//! plain commands instead, which cost Redis less (`direct`). An update and a conditional delete read first, and a list whose
//! filter has no index can read twice. A change of many sessions runs the operations of several at once. Every script
//! can be repeated after a lost reply without a second effect. On a cluster an operation is several scripts, one per
//! slot: see `cluster`.
//!
//! # Layers
//! `connection` sends commands. `script`, `call`, `reply` and `runner` run one script on it. `cluster` combines scripts
//! in several slots. `executor` selects one of the two for each call. The operations (`create`, `find`, …) are
//! methods of [`Store`] and use the executor.
//!
//! Requires Redis 6.2 or later, or Valkey.

mod batch;
mod call;
mod client;
mod cluster;
mod connection;
mod create;
mod delete;
mod diagnosis;
mod direct;
mod direct_list;
mod document;
mod error;
mod executor;
mod find;
mod handle;
mod idempotency;
mod keys;
mod listing;
mod messages;
mod page;
mod parts;
mod rate_limit;
mod reply;
mod runner;
mod script;
mod server;
mod skills;
mod turns;
mod update;
mod usage;

pub use self::batch::{BatchChange, Outcome};
pub use self::client::RedisClient;
pub use self::connection::address::Address;
pub use self::connection::timeouts::{CONNECT_TIMEOUT, RESPONSE_TIMEOUT};
pub use self::connection::url::validate_url;
pub use self::connection::url_error::UrlError;
pub use self::create::Created;
pub use self::delete::Deleted;
pub use self::diagnosis::diagnose;
pub use self::error::{Error, Result};
pub use self::find::FoundSession;
pub use self::handle::Store;
pub use self::idempotency::Idempotency;
pub use self::messages::{
    Append, Appended, DeleteTarget, DeletedMessages, FoundMessage, MessagesById, Rejected,
    Replacement, Stored, Switched,
};
pub use self::page::{Cursor, ListRequest, SessionPage};
pub use self::server::Version;
pub use self::skills::{CacheEntry, CachedSkill, Counted, SkillUse, Usage};
pub use self::turns::{
    AppendedEntry, Begin, Begun, Commit, Committed, Entry, EntryKind, LEASE, LogPage, NewEntry,
    TurnState,
};
pub use self::update::Updated;
pub use self::usage::{Exhausted, Reservation, Reserved, Settlement, Unsettled, UsageRows};
