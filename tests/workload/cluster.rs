//! The conversation on a Redis Cluster, whose nodes close connections all the time.

use std::time::{Duration, Instant};

use super::check::Findings;
use super::client::Situation;
use super::database::Database;
use super::world::{FUNCTION, borrowed, environment};
use super::{Clients, Outcome, WARM_UP, WRITERS, conversation};
use crate::support::{ClusterServers, Process};

/// Longer than a busy machine delays a node.
const NODE_TIMEOUT: Duration = Duration::from_secs(15);
const BETWEEN_KILLS: Duration = Duration::from_secs(1);

/// Runs the writers on one session of a cluster while its nodes close connections, and checks the outcome.
pub async fn run_on_cluster(time: Duration) -> Outcome {
    let servers = tokio::task::spawn_blocking(|| ClusterServers::start(NODE_TIMEOUT));
    let servers = servers.await.unwrap();
    let environment = environment(servers.url());
    let (first, api) = Process::function(FUNCTION, &borrowed(&environment)).await;
    let (second, other) = Process::function(FUNCTION, &borrowed(&environment)).await;
    let conversation = conversation::start(&other, super::CONVERSATION).await;
    let situation = Situation {
        is_conversation_only: true,
        ..Situation::new([api, other], String::new(), conversation.clone())
    };
    let clients = Clients::start(situation, WRITERS);

    tokio::time::sleep(WARM_UP).await;
    let memory = || first.memory() + second.memory();
    let before = memory();
    let started = Instant::now();
    while started.elapsed() < time {
        for node in &servers.nodes {
            node.command::<u64>(&["CLIENT", "KILL", "TYPE", "normal"]);
        }
        tokio::time::sleep(BETWEEN_KILLS).await;
    }
    let (histories, apis) = clients.stop().await;

    let mut findings = Findings::default();
    let database = Database::Cluster(&servers);
    findings
        .check_conversation(&histories, &conversation, database, &apis[0])
        .await;
    let mut outcome = Outcome::of("cluster closes connections", histories, findings);
    outcome.memory = (before, memory());
    outcome.judge(super::fault::WAIT_LIMIT);
    outcome
}
