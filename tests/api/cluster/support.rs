//! The support of the single-Redis tests, with a cluster instead.
#![allow(
    clippy::duplicate_mod,
    reason = "the same files are compiled with another backend"
)]

use std::cell::RefCell;
use std::fmt;
use std::sync::{Arc, LazyLock, Mutex as StdMutex, OnceLock, Weak};
use std::time::Duration;

use redis::cluster::{ClusterClient, ClusterConnection};
use redis::{Cmd, FromRedisValue, ToRedisArgs};
use tokio::sync::{Semaphore, SemaphorePermit};

pub use self::python::write_python_session;
pub use self::skills::SkillsApp;
pub use self::test_app::TestApp;
pub use crate::support::*;

#[path = "../../support/python.rs"]
mod python;
#[path = "../../support/skills.rs"]
#[allow(dead_code, reason = "other modules use these items")]
mod skills;
#[path = "../../support/test_app.rs"]
mod test_app;

/// Longer than a busy machine delays a node.
const NODE_TIMEOUT: Duration = Duration::from_secs(15);

/// The most round trips of a request on a session: rate limit, read, write, index;
/// or rate limit, system volumes, their indexes, sessions.
pub const MAX_ROUND_TRIPS: u32 = 4;

/// As many clusters as tests run at a time, at most four. They end with this process.
static CLUSTERS: LazyLock<Vec<OnceLock<ClusterServers>>> = LazyLock::new(|| {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    (0..threads.min(4)).map(|_| OnceLock::new()).collect()
});
/// The indexes of the clusters that no test uses.
static FREE: LazyLock<StdMutex<Vec<usize>>> =
    LazyLock::new(|| StdMutex::new((0..CLUSTERS.len()).collect()));
static TURNS: LazyLock<Semaphore> = LazyLock::new(|| Semaphore::new(CLUSTERS.len()));

thread_local! {
    /// The cluster of the test of this thread: a second `Redis::start` in the same test returns it again.
    static OWN_USE: RefCell<Weak<Use>> = RefCell::default();
}

/// The exclusive use of a cluster by one test, because tests look at all keys.
struct Use {
    index: usize,
    _turn: SemaphorePermit<'static>,
}

impl Use {
    async fn start() -> Self {
        let turn = TURNS.acquire().await.unwrap();
        let index = FREE.lock().unwrap().pop().unwrap();
        Self { index, _turn: turn }
    }

    fn servers(&self) -> &'static ClusterServers {
        CLUSTERS[self.index].get_or_init(|| ClusterServers::start(NODE_TIMEOUT))
    }
}

impl Drop for Use {
    fn drop(&mut self) {
        FREE.lock().unwrap().push(self.index);
    }
}

/// An empty cluster for one test.
pub struct Redis {
    url: String,
    connection: StdMutex<ClusterConnection>,
    cluster: Arc<Use>,
}

/// Tests do not share a cluster.
pub type SharedRedis = Redis;

impl fmt::Debug for Redis {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.url)
    }
}

impl Redis {
    pub async fn start() -> Self {
        if let Some(cluster) = OWN_USE.with_borrow(Weak::upgrade) {
            return Self::of(cluster);
        }
        let cluster = Arc::new(Use::start().await);
        OWN_USE.set(Arc::downgrade(&cluster));
        let redis = Self::of(cluster);
        redis.command::<()>(&["FLUSHALL"]);
        redis
    }

    /// Starts as a private Redis does, for the tests that share a single Redis.
    pub async fn get() -> Self {
        Self::start().await
    }

    fn of(cluster: Arc<Use>) -> Self {
        let url = cluster.servers().url();
        let nodes = url.trim_start_matches("redis://").split(',');
        let client = ClusterClient::new(nodes.map(|host| format!("redis://{host}"))).unwrap();
        Self {
            connection: StdMutex::new(client.get_connection().unwrap()),
            url,
            cluster,
        }
    }

    /// Returns the node that serves a key, given with its single-Redis name.
    pub fn node_of(&self, key: &str) -> &'static ClusterNode {
        let servers = self.cluster.servers();
        &servers.nodes[servers.master_of(servers.slot_of(&with_braces(key)))]
    }

    pub fn url(&self) -> String {
        self.url.clone()
    }

    /// Runs one command whose keys have their single-Redis names.
    #[track_caller]
    pub fn command<T: FromRedisValue>(&self, arguments: &[impl ToRedisArgs]) -> T {
        let mut command = Cmd::new();
        for argument in arguments.iter().flat_map(ToRedisArgs::to_redis_args) {
            command.arg(match String::from_utf8(argument) {
                Ok(text) => with_braces(&text).into_bytes(),
                Err(error) => error.into_bytes(),
            });
        }
        let mut connection = self.connection.lock().unwrap();
        command.query(&mut *connection).unwrap()
    }

    /// Returns every key under its single-Redis name, sorted, without the keys that only a cluster has: the last
    /// activity of each session.
    pub fn keys(&self) -> Vec<String> {
        let mut keys: Vec<String> = self.command(&["KEYS", "*"]);
        keys.retain(|key| !key.starts_with("llmos:activity:"));
        let mut keys: Vec<String> = keys.iter().map(|key| without_braces(key)).collect();
        keys.sort();
        keys
    }

    /// Returns every key with its dump, sorted.
    pub fn dump(&self) -> Vec<(Vec<u8>, Vec<u8>)> {
        let connection = &mut *self.connection.lock().unwrap();
        let mut keys: Vec<Vec<u8>> = redis::cmd("KEYS").arg("*").query(connection).unwrap();
        keys.sort();
        keys.into_iter()
            .map(|key| {
                let dumped = redis::cmd("DUMP").arg(&key).query(connection).unwrap();
                (key, dumped)
            })
            .collect()
    }
}

/// Returns the cluster name of a key; other arguments stay as they are.
fn with_braces(name: &str) -> String {
    let parts: Vec<&str> = name.splitn(3, ':').collect();
    match *parts {
        ["llmos", "recent", rest] => {
            let (scope, bucket) = rest.rsplit_once(':').unwrap();
            format!("llmos:recent:{{{scope}}}:{bucket}")
        }
        ["llmos", kind, rest] if kind != "rate" => format!("llmos:{kind}:{{{rest}}}"),
        ["session", ..] if name.ends_with(":messages") => {
            let id = &name["session:".len()..name.len() - ":messages".len()];
            format!("session:{{{id}}}:messages")
        }
        ["session", ..] => format!("session:{{{}}}", &name["session:".len()..]),
        _ => match name.strip_suffix(":sessions") {
            Some(scope) => format!("{{{scope}}}:sessions"),
            None => name.to_owned(),
        },
    }
}

fn without_braces(key: &str) -> String {
    key.replacen('{', "", 1).replacen('}', "", 1)
}
