//! One node of a Redis Cluster.

use std::collections::HashSet;
use std::io::{BufRead, BufReader};
use std::ops::RangeInclusive;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use redis::{FromRedisValue, ToRedisArgs};
use tempfile::TempDir;

use super::ReservedPort;

/// Starts a server that ends when the other end of its standard input closes, for any reason, and prints
/// its process id.
const START_SERVER: &str = r#"
redis-server "$@" </dev/null >/dev/null & server=$!
echo $server
cat >/dev/null
kill -KILL $server
wait $server 2>/dev/null"#;

/// A node of a cluster.
#[derive(Debug)]
pub struct ClusterNode {
    pub port: u16,
    pub bus_port: u16,
    _ports: [ReservedPort; 2],
    node_timeout: Duration,
    directory: TempDir,
    server: Option<Server>,
}

/// A redis-server that ends with the value and with this process.
#[derive(Debug)]
struct Server {
    shell: Child,
    process_id: String,
}

/// A stopped server process.
#[derive(Debug)]
pub struct Frozen<'a>(&'a ClusterNode);

impl Drop for Frozen<'_> {
    fn drop(&mut self) {
        self.0.signal("-CONT");
    }
}

impl ClusterNode {
    /// Starts a node that is not connected to others.
    pub fn start(node_timeout: Duration) -> Self {
        let ports = [ReservedPort::new(), ReservedPort::new()];
        let mut node = Self {
            port: ports[0].number(),
            bus_port: ports[1].number(),
            _ports: ports,
            node_timeout,
            directory: TempDir::new().unwrap(),
            server: None,
        };
        assert!(
            node.restart(),
            "redis-server does not start as a node of a cluster: it has to be version 7 or later"
        );
        node
    }

    /// Starts the server on its data directory; returns whether it answers.
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
            // A replica may always take over, without a delay.
            ("--cluster-replica-validity-factor", "0"),
            ("--repl-diskless-sync-delay", "0"),
            ("--save", ""),
            ("--dir", self.directory.path().to_str().unwrap()),
        ]));
        for _ in 0..500 {
            if self.try_command::<String>(&["PING"]).is_ok() {
                // If the ids differ, another server answers on this port.
                return self.id_of_process() == self.server.as_ref().unwrap().process_id;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        false
    }

    pub fn is_running(&self) -> bool {
        self.server.is_some()
    }

    /// Kills the server.
    pub fn kill(&mut self) {
        self.server = None;
    }

    /// Stops the server process until the value is dropped: it accepts connections and answers nothing.
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

    /// Runs one command on this node, without redirection.
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

    /// Returns the id of the node in the cluster.
    pub fn id(&self) -> String {
        self.command(&["CLUSTER", "MYID"])
    }

    /// Returns a value of `CLUSTER INFO`.
    pub fn cluster_info(&self, name: &str) -> String {
        value_in(&self.command::<String>(&["CLUSTER", "INFO"]), name)
    }

    fn id_of_process(&self) -> String {
        value_in(&self.command::<String>(&["INFO", "server"]), "process_id")
    }

    /// Returns the slot ranges, each with the port of its master.
    pub fn slots(&self) -> redis::RedisResult<Vec<(RangeInclusive<u16>, u16)>> {
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

    /// Returns the number of replicas in `CLUSTER SLOTS`. After slots were moved, a replica is in several ranges.
    pub fn replicas_in_slots(&self) -> usize {
        // Each range has first and last slot, the master, and replicas.
        let ranges: Vec<Vec<redis::Value>> = self.command(&["CLUSTER", "SLOTS"]);
        let replicas = ranges.iter().flat_map(|range| &range[3..]);
        let replicas: HashSet<String> = replicas.map(|replica| format!("{replica:?}")).collect();
        replicas.len()
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
        // When its standard input closes, the shell kills the server and exits.
        drop(self.shell.stdin.take());
        let _ = self.shell.wait();
    }
}

/// Returns the value of a line `name:value`.
fn value_in(info: &str, name: &str) -> String {
    let line = info
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    line.unwrap_or_default().trim().to_owned()
}
