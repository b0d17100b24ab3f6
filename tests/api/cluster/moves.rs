//! A cluster that changes under load: moving slots, failover, a killed master.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::sync::Mutex;

use super::support::{Client, ClusterServers, config, in_process};
use super::workload::Workload;

/// Short, so that a dead master is replaced quickly.
const NODE_TIMEOUT: Duration = Duration::from_secs(2);

/// The lock that runs these tests one at a time, each on a private cluster.
static SERVERS: OnceLock<Mutex<ClusterServers>> = OnceLock::new();

fn servers() -> &'static Mutex<ClusterServers> {
    SERVERS.get_or_init(|| Mutex::new(ClusterServers::start(NODE_TIMEOUT)))
}

fn api(servers: &ClusterServers) -> Client {
    in_process(config(&servers.url()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn moving_slots_under_load_loses_nothing() {
    let servers = servers().lock().await;
    let api = api(&servers);
    let workload = Workload::start(&api, 4);
    let session = api.session("x").await;

    let keys = ["{all}", "{user:default}", &format!("{{{}}}", session.id)];
    for round in 0..3 {
        for key in keys {
            let slot = servers.slot_of(key);
            let masters: Vec<usize> = [0, 6000, 12000]
                .map(|slot| servers.master_of(slot))
                .to_vec();
            servers.move_slot(slot, masters[round]);
            api.append(&session.id, "y").await.assert_status(200);
        }
    }

    let history = workload.stop().await;
    assert!(history.acknowledged > 50);
    history.check(&api).await;
    let found = api.get(&session.path()).await;
    assert_eq!(found.json()["message_count"], 9);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn failover_under_load_loses_nothing() {
    let servers = servers().lock().await;
    let api = api(&servers);
    let workload = Workload::start(&api, 4);
    tokio::time::sleep(Duration::from_millis(300)).await;

    let master = servers.master_of(servers.slot_of("{all}"));
    let replica = servers.replica_of(master);
    servers.nodes[replica].command::<()>(&["CLUSTER", "FAILOVER"]);
    let started = Instant::now();
    while servers.master_of(servers.slot_of("{all}")) != replica {
        assert!(started.elapsed() < Duration::from_secs(30));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    tokio::time::sleep(Duration::from_millis(500)).await;

    let history = workload.stop().await;
    history.check(&api).await;
    servers.wait_until_healthy();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_master_under_load_is_replaced_and_replicated_data_is_kept() {
    let mut servers = servers().lock().await;
    let api = api(&servers);
    let before = Workload::start(&api, 4);
    tokio::time::sleep(Duration::from_secs(1)).await;
    let before = before.stop().await;
    // Replication is asynchronous, so wait until the replica has the data.
    let master = servers.master_of(servers.slot_of("{all}"));
    let replicas: u64 = servers.nodes[master].command(&["WAIT", "1", "5000"]);
    assert_eq!(replicas, 1);

    let replica = servers.replica_of(master);
    let during = Workload::start(&api, 4);
    servers.nodes[master].kill();
    let killed = Instant::now();
    let body = json!({"name": "x", "volume": "user"});
    while !api.post("/api/sessions", &body).await.status.is_success() {
        assert!(killed.elapsed() < Duration::from_secs(60));
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(killed.elapsed() < Duration::from_secs(30));
    assert!(during.stop().await.acknowledged > 0);
    let after = Workload::start(&api, 4);
    tokio::time::sleep(Duration::from_secs(1)).await;
    let after = after.stop().await;

    assert_eq!(servers.master_of(servers.slot_of("{all}")), replica);
    before.check(&api).await;
    after.check(&api).await;
    assert_eq!(after.refused, 0);
    assert!(servers.nodes[master].restart());
    servers.wait_until_healthy();
}
