//! Fault workloads: clients work during a fault, and every acknowledged write must be stored afterwards.

mod check;
mod client;
mod fault;
mod history;
mod request;
mod world;

use std::fmt;
use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use self::check::{Findings, check};
use self::client::Situation;
pub use self::fault::Fault;
use self::world::World;

const CLIENTS: usize = 16;
/// The name of the shared session.
const SHARED: &str = "shared";
/// The time before the fault, in which memory use becomes stable.
const WARM_UP: Duration = Duration::from_secs(1);
/// The time that the clients work after all have recovered.
const AFTERMATH: Duration = Duration::from_millis(500);
/// The time limit from the end of the fault to the next acknowledged write of every client. A client that waits
/// for a dropped answer times out after 2 s; the rest is a margin for a busy machine.
const RECOVERY_LIMIT: Duration = Duration::from_secs(5);
/// The allowed growth of the memory of both processes.
const MEMORY_LIMIT: u64 = 4 * 1024 * 1024;

/// The outcome of a fault.
#[derive(Debug)]
pub struct Outcome {
    pub fault: Fault,
    pub operations: u64,
    pub acknowledged: u64,
    pub findings: Findings,
    pub longest_wait: Duration,
    pub recovery: Duration,
    /// Resident memory in bytes before and after the fault.
    pub memory: (u64, u64),
}

/// Runs the workload during a fault of this duration and checks the outcome.
pub async fn run(fault: Fault, time: Duration) -> Outcome {
    let mut world = World::start(fault).await;
    let shared = world.apis[1].create_session(SHARED).await;
    let situation = Arc::new(Situation {
        apis: world.apis.clone(),
        shared_session: shared.clone(),
        connections_may_fail: fault.is_of_connections_to_us(),
        reads_may_lag: fault == Fault::FailedOver,
        lifted: OnceLock::new(),
        recovered: AtomicUsize::new(0),
        stopped: AtomicBool::new(false),
    });
    let clients = (0..CLIENTS).map(|number| tokio::spawn(client::work(number, situation.clone())));
    let clients: Vec<_> = clients.collect();

    tokio::time::sleep(WARM_UP).await;
    let before = world.memory();
    fault.happen(&mut world, time).await;
    let lifted = Instant::now();
    situation.lifted.set(lifted).unwrap();
    while situation.recovered.load(Ordering::SeqCst) < CLIENTS
        && lifted.elapsed() < 2 * RECOVERY_LIMIT
    {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    tokio::time::sleep(AFTERMATH).await;
    situation.stopped.store(true, Ordering::SeqCst);
    let mut histories = Vec::new();
    for client in clients {
        histories.push(client.await.unwrap());
    }

    let mut findings = check(&histories, &shared, &world.redis, &world.apis[0]).await;
    findings.wrong.extend(
        histories
            .iter_mut()
            .flat_map(|history| std::mem::take(&mut history.wrong)),
    );
    let waits = histories.iter().map(|history| history.longest_wait);
    let recoveries = histories
        .iter()
        .map(|history| history.recovered_after.unwrap_or(Duration::MAX));
    let mut outcome = Outcome {
        fault,
        operations: histories.iter().map(|history| history.operations).sum(),
        acknowledged: histories.iter().map(|history| history.acknowledged).sum(),
        findings,
        longest_wait: waits.max().unwrap(),
        recovery: recoveries.max().unwrap(),
        memory: (before, world.memory()),
    };
    outcome.judge(time);
    outcome
}

impl Outcome {
    /// Adds exceeded limits to the violations.
    fn judge(&mut self, time: Duration) {
        let limits = [
            ("a wait", self.longest_wait, self.fault.wait_limit(time)),
            ("recovery", self.recovery, RECOVERY_LIMIT),
        ];
        for (what, took, limit) in limits {
            if took > limit {
                let text = format!("{what} took {took:?}, more than {limit:?}");
                self.findings.wrong.push(text);
            }
        }
        let (before, after) = self.memory;
        if after > before + MEMORY_LIMIT {
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
            self.fault.name(),
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
