//! A Redis Cluster of six nodes, three masters with a replica each, on ports that the system chose.

use std::io::{BufRead, BufReader};
use std::ops::RangeInclusive;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use redis::{FromRedisValue, ToRedisArgs};
use tempfile::TempDir;

use super::free_port;

const MASTERS: usize = 3;
const NODES: usize = 2 * MASTERS;
const SLOTS: usize = 16384;

/// How long nodes may take to find each other.
const START_LIMIT: Duration = Duration::from_secs(60);

/// Starts a server that ends with whoever holds the other end of its standard input, however that ends, and says
/// its process id.
const START_SERVER: &str = r#"
redis-server "$@" </dev/null >/dev/null & server=$!
echo $server
cat >/dev/null
kill -KILL $server
wait $server 2>/dev/null"#;

/// A running cluster.
#[derive(Debug)]
pub struct ClusterServers {
    pub nodes: Vec<ClusterNode>,
}

/// One of its servers.
#[derive(Debug)]
pub struct ClusterNode {
    pub port: u16,
    bus_port: u16,
    node_timeout: Duration,
    directory: TempDir,
    server: Option<Server>,
}

/// A redis-server, gone with the value and with this process.
#[derive(Debug)]
struct Server {
    shell: Child,
    process_id: String,
}

/// A server whose clock stands.
#[derive(Debug)]
pub struct Frozen<'a>(&'a ClusterNode);

impl Drop for Frozen<'_> {
    fn drop(&mut self) {
        self.0.signal("-CONT");
    }
}

impl ClusterServers {
    /// Starts a cluster whose nodes take one another for dead after `node_timeout`.
    pub fn start(node_timeout: Duration) -> Self {
        let nodes: Vec<ClusterNode> = (0..NODES)
            .map(|_| ClusterNode::start(node_timeout))
            .collect();
        for (index, node) in nodes.iter().enumerate() {
            // Each has an epoch of its own from the start, which they would else have to agree on.
            node.command::<()>(&["CLUSTER", "SET-CONFIG-EPOCH", &(index + 1).to_string()]);
            if index < MASTERS {
                let (first, end) = (index * SLOTS / MASTERS, (index + 1) * SLOTS / MASTERS);
                let (first, last) = (first.to_string(), (end - 1).to_string());
                node.command::<()>(&["CLUSTER", "ADDSLOTSRANGE", &first, &last]);
            }
        }
        for (index, node) in nodes.iter().enumerate() {
            for other in &nodes[index + 1..] {
                let (port, bus_port) = (other.port.to_string(), other.bus_port.to_string());
                node.command::<()>(&["CLUSTER", "MEET", "127.0.0.1", &port, &bus_port]);
            }
        }
        let cluster = Self { nodes };
        cluster.wait_until("know each other", |node| {
            node.cluster_info("cluster_known_nodes") == NODES.to_string()
        });
        for (index, replica) in cluster.nodes[MASTERS..].iter().enumerate() {
            let master = cluster.nodes[index].id();
            let started = Instant::now();
            while let Err(error) = replica.try_command::<()>(&["CLUSTER", "REPLICATE", &master]) {
                assert!(started.elapsed() < START_LIMIT, "{error}");
                std::thread::sleep(Duration::from_millis(20));
            }
        }
        cluster.wait_until_healthy();
        cluster
    }

    /// What `REDIS_URL` is for it.
    pub fn url(&self) -> String {
        let hosts: Vec<String> = self
            .nodes
            .iter()
            .take(MASTERS)
            .map(ClusterNode::host)
            .collect();
        format!("redis://{}", hosts.join(","))
    }

    /// Waits until all slots are served and all replicas follow, as far as each running node knows.
    pub fn wait_until_healthy(&self) {
        self.wait_until("agree", |node| {
            let info: String = node.command(&["INFO", "replication"]);
            node.cluster_info("cluster_state") == "ok"
                && node.cluster_info("cluster_slots_ok") == SLOTS.to_string()
                && (info.contains("role:master") || info.contains("master_link_status:up"))
                && node.replicas_in_slots() == MASTERS
        });
    }

    /// The slot that a key stands in.
    pub fn slot_of(&self, key: &str) -> u16 {
        let mut running = self.nodes.iter().filter(|node| node.server.is_some());
        running
            .next()
            .unwrap()
            .command(&["CLUSTER", "KEYSLOT", key])
    }

    /// Which of the nodes serves a slot, as the running ones say.
    pub fn master_of(&self, slot: u16) -> usize {
        let is_it = |node: &ClusterNode| {
            let mut ranges = node.slots().unwrap_or_default().into_iter();
            ranges.any(|(slots, port)| slots.contains(&slot) && port == node.port)
        };
        self.nodes
            .iter()
            .position(is_it)
            .expect("somebody serves each slot")
    }

    /// Moves a slot to another master, a few keys at a time, as `redis-cli --cluster reshard` does.
    pub fn move_slot(&self, slot: u16, to: usize) {
        let from = self.master_of(slot);
        if from == to {
            return;
        }
        let (from, to) = (&self.nodes[from], &self.nodes[to]);
        let (from_id, to_id, slot) = (from.id(), to.id(), slot.to_string());
        to.command::<()>(&["CLUSTER", "SETSLOT", &slot, "IMPORTING", &from_id]);
        from.command::<()>(&["CLUSTER", "SETSLOT", &slot, "MIGRATING", &to_id]);
        loop {
            let keys: Vec<Vec<u8>> = from.command(&["CLUSTER", "GETKEYSINSLOT", &slot, "2"]);
            if keys.is_empty() {
                break;
            }
            let port = to.port.to_string();
            let mut command: Vec<Vec<u8>> =
                ["MIGRATE", "127.0.0.1", &port, "", "0", "5000", "KEYS"]
                    .map(|word| word.as_bytes().to_vec())
                    .to_vec();
            command.extend(keys);
            from.command::<()>(&command);
            // Long enough to be met half-way.
            std::thread::sleep(Duration::from_millis(10));
        }
        to.command::<()>(&["CLUSTER", "SETSLOT", &slot, "NODE", &to_id]);
        from.command::<()>(&["CLUSTER", "SETSLOT", &slot, "NODE", &to_id]);
        for node in &self.nodes[..] {
            let _ = node.try_command::<()>(&["CLUSTER", "SETSLOT", &slot, "NODE", &to_id]);
        }
    }

    /// A replica of a master.
    pub fn replica_of(&self, master: usize) -> usize {
        let id = self.nodes[master].id();
        let is_it = |node: &ClusterNode| {
            let nodes: String = node.command(&["CLUSTER", "NODES"]);
            let own = nodes.lines().find(|line| line.contains("myself"));
            own.is_some_and(|line| line.contains("slave") && line.contains(&id))
        };
        self.nodes
            .iter()
            .position(is_it)
            .expect("each master has a replica")
    }

    fn wait_until(&self, what: &str, is_so: impl Fn(&ClusterNode) -> bool) {
        let started = Instant::now();
        while !self
            .nodes
            .iter()
            .filter(|node| node.server.is_some())
            .all(&is_so)
        {
            let waited = started.elapsed();
            assert!(waited < START_LIMIT, "the nodes do not {what}: {:?}", {
                let infos = self.nodes.iter();
                infos
                    .map(|node| node.command::<String>(&["CLUSTER", "NODES"]))
                    .collect::<Vec<_>>()
            });
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl ClusterNode {
    fn start(node_timeout: Duration) -> Self {
        let mut node = Self {
            port: 0,
            bus_port: 0,
            node_timeout,
            directory: TempDir::new().unwrap(),
            server: None,
        };
        // Another process may take one of the ports in the meantime.
        for _ in 0..20 {
            (node.port, node.bus_port) = (free_port(), free_port());
            if node.restart() {
                return node;
            }
        }
        panic!(
            "redis-server does not start as a node of a cluster: it has to be version 7 or later"
        );
    }

    /// Starts the server, again on what it wrote before; whether it answers.
    pub fn restart(&mut self) -> bool {
        self.server = Some(Server::start(&[
            ("--port", &self.port.to_string()),
            ("--cluster-port", &self.bus_port.to_string()),
            ("--bind", "127.0.0.1"),
            ("--cluster-enabled", "yes"),
            (
                "--cluster-node-timeout",
                &self.node_timeout.as_millis().to_string(),
            ),
            // A replica of the tests may always take over, and soon.
            ("--cluster-replica-validity-factor", "0"),
            ("--repl-diskless-sync-delay", "0"),
            ("--save", ""),
            ("--dir", self.directory.path().to_str().unwrap()),
        ]));
        for _ in 0..500 {
            if self.try_command::<String>(&["PING"]).is_ok() {
                // Else it is another one that answers on this port.
                return self.id_of_process() == self.server.as_ref().unwrap().process_id;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        false
    }

    /// Ends the server as a crash does.
    pub fn kill(&mut self) {
        self.server = None;
    }

    /// Stops the server's clock until the value is dropped: it accepts connections, and answers nothing.
    pub fn freeze(&self) -> Frozen<'_> {
        self.signal("-STOP");
        Frozen(self)
    }

    fn signal(&self, name: &str) {
        let process_id = &self.server.as_ref().unwrap().process_id;
        let sent = Command::new("kill")
            .args([name, process_id])
            .status()
            .unwrap();
        assert!(sent.success(), "kill {name} {process_id}");
    }

    pub fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Runs one command on this node, whatever it says of slots.
    #[track_caller]
    pub fn command<T: FromRedisValue>(&self, arguments: &[impl ToRedisArgs]) -> T {
        self.try_command(arguments).unwrap()
    }

    pub fn try_command<T: FromRedisValue>(
        &self,
        arguments: &[impl ToRedisArgs],
    ) -> redis::RedisResult<T> {
        let client = redis::Client::open(format!("redis://{}", self.host()))?;
        let mut connection = client.get_connection_with_timeout(Duration::from_secs(5))?;
        connection.set_read_timeout(Some(Duration::from_secs(30)))?;
        let mut command = redis::Cmd::new();
        command.arg(arguments);
        command.query(&mut connection)
    }

    /// What the nodes call it.
    pub fn id(&self) -> String {
        self.command(&["CLUSTER", "MYID"])
    }

    /// A value of `CLUSTER INFO`.
    pub fn cluster_info(&self, name: &str) -> String {
        value_in(&self.command::<String>(&["CLUSTER", "INFO"]), name)
    }

    fn id_of_process(&self) -> String {
        value_in(&self.command::<String>(&["INFO", "server"]), "process_id")
    }

    /// Which slots stand where: ranges, and the port of their master.
    fn slots(&self) -> redis::RedisResult<Vec<(RangeInclusive<u16>, u16)>> {
        let ranges: Vec<Vec<redis::Value>> = self.try_command(&["CLUSTER", "SLOTS"])?;
        let read = |range: Vec<redis::Value>| {
            let [first, last, master, ..] = &range[..] else {
                panic!("{range:?}");
            };
            let master: Vec<redis::Value> = redis::from_redis_value(master.clone())?;
            let first = redis::from_redis_value(first.clone())?;
            let last = redis::from_redis_value(last.clone())?;
            Ok((first..=last, redis::from_redis_value(master[1].clone())?))
        };
        ranges.into_iter().map(read).collect()
    }

    /// How many replicas of slots it knows of.
    fn replicas_in_slots(&self) -> usize {
        // Of each range first and last slot, the master, and replicas.
        let ranges: Vec<Vec<redis::Value>> = self.command(&["CLUSTER", "SLOTS"]);
        ranges.iter().map(|range| range.len() - 3).sum()
    }
}

impl Server {
    fn start(arguments: &[(&str, &str)]) -> Self {
        let mut shell = Command::new("sh")
            .args(["-c", START_SERVER, "sh"])
            .args(arguments.iter().flat_map(|(name, value)| [name, value]))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let output = shell.stdout.as_mut().unwrap();
        BufReader::new(output).read_line(&mut line).unwrap();
        let process_id = line.trim().to_owned();
        Self { shell, process_id }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // With its standard input closed the shell kills the server, and ends.
        drop(self.shell.stdin.take());
        let _ = self.shell.wait();
    }
}

/// The value of a line `name:value`.
fn value_in(info: &str, name: &str) -> String {
    let line = info
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    line.unwrap_or_default().trim().to_owned()
}
