//! Lua scripts, each one atomic step, and the source that is sent to Redis.
//!
//! The first call uses EVAL, which loads the script; later calls use EVALSHA. On NOSCRIPT the source is sent again.
//!
//! `redis::Script` would start with EVALSHA. If Redis has not loaded the script, that takes three round trips: EVALSHA,
//! SCRIPT LOAD, EVALSHA.

use std::sync::atomic::{AtomicBool, Ordering};

use once_cell::sync::OnceCell;
use redis::{Cmd, ErrorKind, RedisError, ServerErrorKind};

use super::keys::KeyScheme;

/// Usual number of arguments of a call, and their size in bytes.
const CALL_ARGUMENTS: usize = 24;
const CALL_BYTES: usize = 1024;

/// A script, with separate sources for a single Redis and a cluster.
#[derive(Debug)]
pub(super) struct Script {
    single: ScriptSource,
    cluster: ScriptSource,
}

/// Source of a script. The first call puts it together with the functions that all scripts share.
#[derive(Debug)]
struct ScriptSource {
    /// Answers the common case, before the functions that it does not need are defined: each definition takes time.
    common: &'static str,
    body: &'static [&'static str],
    source_and_sha: OnceCell<(String, String)>,
    loaded: AtomicBool,
}

/// Builds a script from files in `scripts/`, read at compile time.
macro_rules! script {
    ($($file:literal),+) => {
        script!(single: $($file),+; cluster: $($file),+)
    };
    (single: $($single:literal),+; cluster: $($cluster:literal),+) => {
        script!(@common ""; single: $($single),+; cluster: $($cluster),+)
    };
    // A script that needs none of the shared functions.
    (alone: $file:literal) => {
        Script {
            single: ScriptSource::new(script!(@alone $file, "{charged, run_alone()}"), &[]),
            cluster: ScriptSource::new(script!(@alone $file, "{false, run_alone(), {}}"), &[]),
        }
    };
    (@alone $file:literal, $reply:literal) => {
        concat!(
            "local function run_alone()\n",
            include_str!(concat!("scripts/", $file)),
            "end\ndo\n  return ", $reply, "\nend\n"
        )
    };
    (common: $common:literal; $($file:literal),+) => {
        script!(@common include_str!(concat!("scripts/", $common)); single: $($file),+; cluster: $($file),+)
    };
    (@common $common:expr; single: $($single:literal),+; cluster: $($cluster:literal),+) => {
        Script {
            single: ScriptSource::new($common, &[$(include_str!(concat!("scripts/", $single))),+]),
            cluster: ScriptSource::new("", &[$(include_str!(concat!("scripts/", $cluster))),+]),
        }
    };
}

pub(super) static CREATE: Script = script!(
    @common include_str!("scripts/create_common.lua");
    single: "create_messages.lua", "create.lua";
    cluster: "time.lua", "create_messages.lua", "cluster/create.lua"
);
pub(super) static FIND: Script = script!("messages.lua", "find.lua");
pub(super) static LIST: Script = script!(
    @common include_str!("scripts/list_common.lua");
    single: "time.lua", "list.lua", "page.lua";
    cluster: "list.lua", "cluster/candidates.lua"
);
pub(super) static UPDATE: Script = script!("messages.lua", "update.lua");
pub(super) static DELETE: Script = script!("delete.lua");
pub(super) static APPEND: Script =
    script!(common: "append_common.lua"; "messages.lua", "append.lua", "append_run.lua");
pub(super) static BEGIN_TURN: Script =
    script!("messages.lua", "append.lua", "turn.lua", "begin_turn.lua");
pub(super) static COMMIT_TURN: Script =
    script!("messages.lua", "append.lua", "turn.lua", "commit_turn.lua");
pub(super) static STOP_TURN: Script = script!("messages.lua", "stop_turn.lua");
pub(super) static FIND_TURN: Script = script!("messages.lua", "find_turn.lua");
pub(super) static APPEND_ENTRY: Script = script!(alone: "append_entry.lua");
pub(super) static READ_LOG: Script = script!(alone: "read_log.lua");
pub(super) static LOOKUP: Script = script!("messages.lua", "lookup.lua");
pub(super) static DELETE_MESSAGES: Script = script!("messages.lua", "delete_messages.lua");
pub(super) static BRANCH: Script = script!("messages.lua", "branch.lua");
pub(super) static SCAN: Script = script!("messages.lua", "scan.lua");
pub(super) static REBUILD: Script = script!("messages.lua", "rebuild.lua");
pub(super) static CACHE_GET: Script = script!("cache_get.lua");
pub(super) static CACHE_PUT: Script = script!("cache_put.lua");
pub(super) static CACHE_PUT_NEW: Script = script!("cache_put_new.lua");
pub(super) static CACHE_DELETE: Script = script!("cache_delete.lua");
pub(super) static COUNT_USAGE: Script = script!("count_usage.lua");
pub(super) static RESERVE_TURN: Script = script!("usage_sums.lua", "reserve_turn.lua");
pub(super) static SETTLE_TURN: Script = script!("usage_sums.lua", "settle_turn.lua");
pub(super) static COUNT_TURN: Script = script!("usage_sums.lua", "count_turn.lua");
pub(super) static READ_USAGE: Script = script!("usage_sums.lua", "read_usage.lua");
pub(super) static RATE_LIMIT: Script = script!(
    @common include_str!("scripts/rate_limit_only.lua");
    single: "rate_limit_only.lua";
    cluster: "cluster/rate_limit.lua"
);
// Only on a single Redis.
pub(super) static REINDEX: Script = script!("reindex.lua");
// Only on a cluster.
pub(super) static RESERVE: Script = script!("cluster/reserve.lua");
pub(super) static INDEX_PUT: Script = script!("cluster/index_put.lua");
pub(super) static INDEX_REMOVE: Script = script!("cluster/index_remove.lua");
pub(super) static INDEX_MEMBERS: Script = script!("cluster/index_members.lua");
pub(super) static ADD_SYSTEM_VOLUME: Script = script!("cluster/add_system_volume.lua");
pub(super) static ENTRY: Script = script!("time.lua", "cluster/entry.lua");

impl Script {
    /// Starts a command that runs the script: EVALSHA if this process has loaded it, else EVAL.
    pub(super) fn command(&self, scheme: KeyScheme) -> Cmd {
        let source = self.source(scheme);
        if !source.loaded.load(Ordering::Relaxed) {
            return self.command_with_source(scheme);
        }
        let mut command = Cmd::with_capacity(CALL_ARGUMENTS, CALL_BYTES);
        command.arg("EVALSHA").arg(&source.source_and_sha(scheme).1);
        command
    }

    /// Starts a command that loads and runs the script.
    pub(super) fn command_with_source(&self, scheme: KeyScheme) -> Cmd {
        let source = self.source(scheme);
        source.loaded.store(true, Ordering::Relaxed);
        let mut command = redis::cmd("EVAL");
        command.arg(&source.source_and_sha(scheme).0);
        command
    }

    fn source(&self, scheme: KeyScheme) -> &ScriptSource {
        match scheme {
            KeyScheme::Single => &self.single,
            KeyScheme::Cluster => &self.cluster,
        }
    }
}

/// Returns whether Redis has not loaded the script of an EVALSHA.
pub(super) fn is_noscript(error: &RedisError) -> bool {
    error.kind() == ErrorKind::Server(ServerErrorKind::NoScript)
}

impl ScriptSource {
    const fn new(common: &'static str, body: &'static [&'static str]) -> Self {
        Self {
            common,
            body,
            source_and_sha: OnceCell::new(),
            loaded: AtomicBool::new(false),
        }
    }

    /// Returns the complete source and its SHA-1. The head of `prelude.lua` documents the order of the parts.
    fn source_and_sha(&self, scheme: KeyScheme) -> &(String, String) {
        self.source_and_sha.get_or_init(|| {
            let [tags, charge, index, reply] = match scheme {
                KeyScheme::Single => [
                    "local OPEN, CLOSE = '', ''\n",
                    include_str!("scripts/charge.lua"),
                    include_str!("scripts/index.lua"),
                    include_str!("scripts/reply.lua"),
                ],
                KeyScheme::Cluster => [
                    "local OPEN, CLOSE = '{', '}'\n",
                    "",
                    include_str!("scripts/cluster/index.lua"),
                    include_str!("scripts/cluster/reply.lua"),
                ],
            };
            let parts = [
                tags,
                include_str!("scripts/envelope.lua"),
                include_str!("scripts/charge_rate_limit.lua"),
                charge,
                self.common,
                include_str!("scripts/prelude.lua"),
                include_str!("scripts/details.lua"),
                index,
                include_str!("scripts/access.lua"),
                "local function operate()\n",
                &self.body.concat(),
                "end\n",
                reply,
            ];
            let source = parts.concat();
            let sha = redis::Script::new(&source).get_hash().to_owned();
            (source, sha)
        })
    }
}
