//! Turns of chat during a fault: clients that ask, read, leave, come back and stop, with a model that fails as well.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::check::Findings;
use super::fault::Fault;
use super::turn_client::{Situation, TurnHistory, work};
use super::world::{FUNCTION, World, borrowed, environment};
use super::{Outcome, WARM_UP, turn_model};
use crate::support::Process;

const CHAT: &str = env!("CARGO_BIN_EXE_chat");
const CLIENTS: usize = 12;
/// Longer than the lease of a turn, so that a frozen producer loses its turns.
const FROZEN: Duration = Duration::from_secs(20);
/// The time limit of a turn besides that of the fault: a lost producer is noticed after 15 s.
const TURN_LIMIT: Duration = Duration::from_secs(30);
/// The time limit from the end of the fault to the next whole turn of every client.
const RECOVERY_LIMIT: Duration = Duration::from_secs(40);
/// The allowed growth of the memory of both processes.
const MEMORY_LIMIT: u64 = 24 * 1024 * 1024;

/// The faults of turns.
pub const TURN_FAULTS: [Fault; 9] = [
    Fault::RedisKilled,
    Fault::RedisStopped,
    Fault::FailedOver,
    Fault::ConnectionsCut,
    Fault::AnswersDelayed,
    Fault::AnswersSwallowed,
    Fault::AnswersSplit,
    Fault::ProcessKilled,
    Fault::ProcessFrozen,
];

/// Runs turns during a fault of this duration, and checks the outcome.
pub async fn run_turns(fault: Fault, time: Duration) -> Outcome {
    let time = match fault {
        Fault::ProcessFrozen => time.max(FROZEN),
        _ => time,
    };
    let model = turn_model::start().await;
    // The model counts the requests of the turns alone.
    let further = [
        ("LLMOS_MODEL_BASE_URL", model.base_url()),
        ("LLMOS_TITLES", "off".to_owned()),
        ("CHAT_LIMITS", "concurrent_turns=100".to_owned()),
    ];
    let mut world = World::start_function(CHAT, fault, &further).await;
    let situation = Arc::new(Situation {
        apis: world.apis.clone(),
        is_stopped: AtomicBool::new(false),
        lifted: std::sync::OnceLock::new(),
        recovered: AtomicUsize::new(0),
    });
    let clients = (0..CLIENTS).map(|number| tokio::spawn(work(number, situation.clone())));
    let clients: Vec<_> = clients.collect();

    tokio::time::sleep(WARM_UP).await;
    let before = world.memory();
    fault.happen(&mut world, time).await;
    let lifted = Instant::now();
    situation.lifted.set(lifted).unwrap();
    while situation.recovered.load(Ordering::SeqCst) < CLIENTS && lifted.elapsed() < RECOVERY_LIMIT
    {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    situation.is_stopped.store(true, Ordering::SeqCst);
    let mut histories = Vec::new();
    for client in clients {
        histories.push(client.await.unwrap());
    }
    let memory = (before, world.memory());

    let environment = environment(world.redis.url());
    let (_process, sessions) = Process::function(FUNCTION, &borrowed(&environment)).await;
    let mut findings = Findings::default();
    findings
        .check_turns(&histories, &world.redis, &model, &world.apis[1], &sessions)
        .await;
    let mut outcome = outcome(name(fault), histories, findings);
    outcome.memory = memory;
    outcome.judge_with(TURN_LIMIT + time, RECOVERY_LIMIT);
    outcome
}

fn outcome(name: &'static str, mut histories: Vec<TurnHistory>, mut findings: Findings) -> Outcome {
    let wrong = histories
        .iter_mut()
        .flat_map(|history| std::mem::take(&mut history.wrong));
    findings.wrong.extend(wrong);
    let recoveries = histories
        .iter()
        .map(|history| history.recovered_after.unwrap_or(Duration::MAX));
    Outcome {
        name,
        operations: histories.iter().map(|history| history.operations).sum(),
        acknowledged: histories.iter().map(|it| it.turns.len() as u64).sum(),
        findings,
        longest_wait: histories.iter().map(|it| it.longest_turn).max().unwrap(),
        recovery: recoveries.max().unwrap(),
        memory: (0, 0),
        memory_limit: MEMORY_LIMIT,
    }
}

fn name(fault: Fault) -> &'static str {
    match fault {
        Fault::RedisKilled => "turns: Redis killed and restarted",
        Fault::RedisStopped => "turns: Redis stopped and continued",
        Fault::FailedOver => "turns: Redis failed over to a replica",
        Fault::ConnectionsCut => "turns: connections to Redis cut",
        Fault::AnswersDelayed => "turns: answers of Redis delayed",
        Fault::AnswersSwallowed => "turns: answers of Redis swallowed",
        Fault::AnswersSplit => "turns: answers of Redis byte by byte",
        Fault::ProcessKilled => "turns: producers and readers killed",
        Fault::ProcessFrozen => "turns: producers frozen past their lease",
        _ => "turns",
    }
}
