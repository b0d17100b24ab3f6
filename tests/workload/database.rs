//! The Redis of a workload, single or cluster, and the loss of its message index.

use std::time::{Duration, Instant};

use redis::FromRedisValue;

use super::world::World;
use crate::support::{ClusterServers, Redis};

/// The interval at which keys of the message index are lost.
const BETWEEN_LOSSES: Duration = Duration::from_millis(200);
/// The keys of the message index, which can be lost.
const INDEX: [&str; 6] = [
    "message-ids",
    "segments",
    "path",
    "deleted",
    "versions",
    "branch",
];

/// The Redis that stores the conversation.
#[derive(Clone, Copy, Debug)]
pub enum Database<'a> {
    Single(&'a Redis),
    Cluster(&'a ClusterServers),
}

impl Database<'_> {
    /// Runs a command on a key of a session, which `name` forms of its id.
    pub fn command<T: FromRedisValue>(
        self,
        command: &str,
        id: &str,
        name: impl Fn(&str) -> String,
        further: &[&str],
    ) -> T {
        match self {
            Self::Single(redis) => redis.command(&[&[command, &name(id)], further].concat()),
            Self::Cluster(servers) => {
                let tag = format!("{{{id}}}");
                let node = &servers.nodes[servers.master_of(servers.slot_of(&tag))];
                node.command(&[&[command, &name(&tag)], further].concat())
            }
        }
    }

    /// Deletes all keys of the message index.
    pub fn lose_index(self, id: &str) {
        for kind in INDEX {
            self.lose_index_key(id, kind);
        }
    }

    fn lose_index_key(self, id: &str, kind: &str) {
        self.command::<u64>("DEL", id, |id| format!("llmos:{kind}:{id}"), &[]);
    }
}

/// Deletes keys of the message index; after each loss a request rebuilds it.
pub async fn lose_indexes(world: &World, time: Duration) {
    let started = Instant::now();
    for kind in INDEX.into_iter().cycle() {
        if started.elapsed() > time {
            return;
        }
        Database::Single(&world.redis).lose_index_key(&world.conversation, kind);
        let path = format!("/api/sessions/{}", world.conversation);
        world.apis[0].get(&path).await.assert_status(200);
        tokio::time::sleep(BETWEEN_LOSSES).await;
    }
}
