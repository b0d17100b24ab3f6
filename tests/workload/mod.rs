//! Fault workloads: clients work during a fault, and every acknowledged write must be stored afterwards.

mod check;
mod client;
mod cluster;
mod conversation;
mod conversation_check;
mod database;
mod fault;
mod history;
mod message_changes;
mod request;
mod transcript;
mod turn_check;
mod turn_client;
mod turn_model;
mod turn_stream;
mod turns;
mod world;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use tokio::task::JoinHandle;

use self::check::{Findings, check};
use self::client::Situation;
pub use self::cluster::run_on_cluster;
pub use self::fault::Fault;
use self::history::History;
pub use self::turns::{TURN_FAULTS, run_turns};
use self::world::World;
use crate::support::Client;

const CLIENTS: usize = 16;
/// The number of clients that write to one session.
const WRITERS: usize = 64;
/// The names of the sessions that all clients write to.
const SHARED: &str = "shared";
const CONVERSATION: &str = "conversation";
/// The time before the fault, in which memory use becomes stable.
const WARM_UP: Duration = Duration::from_secs(1);
/// The time that the clients work after all have recovered.
const AFTERMATH: Duration = Duration::from_millis(500);
/// The time limit from the end of the fault to the next acknowledged write of every client. A client that waits
/// for a dropped answer times out after 2 s; the rest is a margin for a busy machine.
const RECOVERY_LIMIT: Duration = Duration::from_secs(5);
/// The allowed growth of the memory of both processes.
const MEMORY_LIMIT: u64 = 4 * 1024 * 1024;

/// The allowed growth for each acknowledged change, where many writers store messages for a minute.
const BYTES_PER_CHANGE: u64 = 512;

/// The outcome of a fault.
#[derive(Debug)]
pub struct Outcome {
    /// The name of the fault.
    pub name: &'static str,
    pub operations: u64,
    pub acknowledged: u64,
    pub findings: Findings,
    pub longest_wait: Duration,
    pub recovery: Duration,
    /// Resident memory in bytes before and after the fault.
    pub memory: (u64, u64),
    /// The allowed growth of it.
    pub memory_limit: u64,
}

/// Runs the workload during a fault of this duration and checks the outcome.
pub async fn run(fault: Fault, time: Duration) -> Outcome {
    run_clients(fault, time, CLIENTS, false).await
}

/// Runs many writers on one session during a fault of this duration and checks the outcome.
pub async fn run_on_one_session(fault: Fault, time: Duration) -> Outcome {
    run_clients(fault, time, WRITERS, true).await
}

async fn run_clients(
    fault: Fault,
    time: Duration,
    count: usize,
    is_conversation_only: bool,
) -> Outcome {
    let mut world = World::start(fault).await;
    let shared = world.apis[1].create_session(SHARED).await;
    let conversation = conversation::start(&world.apis[1], CONVERSATION).await;
    world.conversation.clone_from(&conversation);
    let situation = Situation {
        is_conversation_only,
        connections_may_fail: fault.is_of_connections_to_us(),
        reads_may_lag: fault == Fault::FailedOver,
        ..Situation::new(world.apis.clone(), shared.clone(), conversation.clone())
    };
    let clients = Clients::start(situation, count);

    tokio::time::sleep(WARM_UP).await;
    let before = world.memory();
    fault.happen(&mut world, time).await;
    let (histories, apis) = clients.stop().await;

    let findings = check(&histories, &shared, &conversation, &world.redis, &apis[0]).await;
    let mut outcome = Outcome::of(fault.name(), histories, findings);
    outcome.memory = (before, world.memory());
    if is_conversation_only {
        outcome.memory_limit += BYTES_PER_CHANGE * outcome.acknowledged;
    }
    outcome.judge(fault.wait_limit(time));
    outcome
}

/// The clients at work.
struct Clients {
    situation: Arc<Situation>,
    tasks: Vec<JoinHandle<History>>,
}

impl Clients {
    fn start(situation: Situation, count: usize) -> Self {
        let situation = Arc::new(situation);
        let tasks = (0..count)
            .map(|number| tokio::spawn(client::work(number, situation.clone())))
            .collect();
        Self { situation, tasks }
    }

    /// Stops the clients some time after all have recovered from the fault, which ends now. Returns their histories, and
    /// the processes.
    async fn stop(self) -> (Vec<History>, [Client; 2]) {
        let situation = self.situation;
        let lifted = Instant::now();
        situation.lifted.set(lifted).unwrap();
        while situation.recovered.load(Ordering::SeqCst) < self.tasks.len()
            && lifted.elapsed() < 2 * RECOVERY_LIMIT
        {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        tokio::time::sleep(AFTERMATH).await;
        situation.stopped.store(true, Ordering::SeqCst);
        let mut histories = Vec::new();
        for task in self.tasks {
            histories.push(task.await.unwrap());
        }
        (histories, situation.apis.clone())
    }
}

impl Outcome {
    /// Returns the outcome of the clients, apart from their memory.
    fn of(name: &'static str, mut histories: Vec<History>, mut findings: Findings) -> Self {
        let wrong = histories
            .iter_mut()
            .flat_map(|history| std::mem::take(&mut history.wrong));
        findings.wrong.extend(wrong);
        let waits = histories.iter().map(|history| history.longest_wait);
        let recoveries = histories
            .iter()
            .map(|history| history.recovered_after.unwrap_or(Duration::MAX));
        Self {
            name,
            operations: histories.iter().map(|history| history.operations).sum(),
            acknowledged: histories.iter().map(|history| history.acknowledged).sum(),
            findings,
            longest_wait: waits.max().unwrap(),
            recovery: recoveries.max().unwrap(),
            memory: (0, 0),
            memory_limit: MEMORY_LIMIT,
        }
    }

    /// Adds exceeded limits to the violations.
    fn judge(&mut self, wait_limit: Duration) {
        self.judge_with(wait_limit, RECOVERY_LIMIT);
    }

    fn judge_with(&mut self, wait_limit: Duration, recovery_limit: Duration) {
        let limits = [
            ("a wait", self.longest_wait, wait_limit),
            ("recovery", self.recovery, recovery_limit),
        ];
        for (what, took, limit) in limits {
            if took > limit {
                let text = format!("{what} took {took:?}, more than {limit:?}");
                self.findings.wrong.push(text);
            }
        }
        let (before, after) = self.memory;
        if after > before + self.memory_limit {
            self.findings
                .wrong
                .push(format!("memory grew from {before} to {after} bytes"));
        }
    }

    pub fn is_good(&self) -> bool {
        let Findings {
            lost,
            duplicated,
            wrong,
        } = &self.findings;
        lost.is_empty() && duplicated.is_empty() && wrong.is_empty()
    }
}

/// Formats a row of the table.
impl fmt::Display for Outcome {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let megabytes = |bytes: u64| f64::from(u32::try_from(bytes >> 10).unwrap()) / 1024.0;
        write!(
            formatter,
            "| {} | {} | {} | {} | {} | {} | {} ms | {} ms | {:.1} to {:.1} MB |",
            self.name,
            self.operations,
            self.acknowledged,
            self.findings.lost.len(),
            self.findings.duplicated.len(),
            self.findings.wrong.len(),
            self.longest_wait.as_millis(),
            self.recovery.as_millis(),
            megabytes(self.memory.0),
            megabytes(self.memory.1),
        )
    }
}
