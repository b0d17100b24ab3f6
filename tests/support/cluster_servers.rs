//! A Redis Cluster of six nodes: three masters with a replica each.

use std::time::{Duration, Instant};

use super::ClusterNode;

const MASTERS: usize = 3;
const NODES: usize = 2 * MASTERS;
const SLOTS: usize = 16384;

/// The time limit for nodes to connect.
const START_LIMIT: Duration = Duration::from_secs(60);

/// A running cluster.
#[derive(Debug)]
pub struct ClusterServers {
    pub nodes: Vec<ClusterNode>,
}

impl ClusterServers {
    /// Starts a cluster with this `cluster-node-timeout`.
    pub fn start(node_timeout: Duration) -> Self {
        let nodes: Vec<ClusterNode> = (0..NODES)
            .map(|_| ClusterNode::start(node_timeout))
            .collect();
        for (index, node) in nodes.iter().enumerate() {
            // With distinct epochs from the start the nodes need not negotiate them.
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
        cluster.wait_until("connect to each other", |node| {
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

    /// Returns the value for `REDIS_URL`.
    pub fn url(&self) -> String {
        let hosts: Vec<String> = self
            .nodes
            .iter()
            .take(MASTERS)
            .map(ClusterNode::host)
            .collect();
        format!("redis://{}", hosts.join(","))
    }

    /// Waits until every running node reports that all slots are served and all replicas are connected.
    pub fn wait_until_healthy(&self) {
        self.wait_until("agree", |node| {
            let info: String = node.command(&["INFO", "replication"]);
            node.cluster_info("cluster_state") == "ok"
                && node.cluster_info("cluster_slots_ok") == SLOTS.to_string()
                && (info.contains("role:master") || info.contains("master_link_status:up"))
                && node.replicas_in_slots() == MASTERS
        });
    }

    /// Returns the slot of a key.
    pub fn slot_of(&self, key: &str) -> u16 {
        let mut running = self.nodes.iter().filter(|node| node.is_running());
        running
            .next()
            .unwrap()
            .command(&["CLUSTER", "KEYSLOT", key])
    }

    /// Returns the index of the node that serves a slot.
    pub fn master_of(&self, slot: u16) -> usize {
        let is_wanted = |node: &ClusterNode| {
            let mut ranges = node.slots().unwrap_or_default().into_iter();
            ranges.any(|(slots, port)| slots.contains(&slot) && port == node.port)
        };
        self.nodes
            .iter()
            .position(is_wanted)
            .expect("a node serves each slot")
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
            // Long enough for requests to arrive during the migration.
            std::thread::sleep(Duration::from_millis(10));
        }
        to.command::<()>(&["CLUSTER", "SETSLOT", &slot, "NODE", &to_id]);
        from.command::<()>(&["CLUSTER", "SETSLOT", &slot, "NODE", &to_id]);
        for node in &self.nodes[..] {
            let _ = node.try_command::<()>(&["CLUSTER", "SETSLOT", &slot, "NODE", &to_id]);
        }
    }

    /// Returns the index of the replica of a master.
    pub fn replica_of(&self, master: usize) -> usize {
        let id = self.nodes[master].id();
        let is_wanted = |node: &ClusterNode| {
            let nodes: String = node.command(&["CLUSTER", "NODES"]);
            let own = nodes.lines().find(|line| line.contains("myself"));
            own.is_some_and(|line| line.contains("slave") && line.contains(&id))
        };
        self.nodes
            .iter()
            .position(is_wanted)
            .expect("each master has a replica")
    }

    fn wait_until(&self, what: &str, is_true: impl Fn(&ClusterNode) -> bool) {
        let started = Instant::now();
        while !self
            .nodes
            .iter()
            .filter(|node| node.is_running())
            .all(&is_true)
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
