//! Faults of Redis, the network and the service process.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::database::lose_indexes;
use super::world::World;
use crate::support::Mode;

/// The time limit of every request. A round trip ends after 2 s; an update has two of them, and one
/// may be repeated on a new connection, which has 1 s. The rest is a margin for a busy machine.
pub(super) const WAIT_LIMIT: Duration = Duration::from_secs(6);
/// The descriptor limit of [`Fault::FewDescriptors`]; the process itself needs about a dozen.
const FEW_DESCRIPTORS: u32 = 30;
/// The number of concurrent connections that use up the rest.
const CROWD: usize = 64;
/// The interval at which connections are cut: in commands, in answers, and between.
const BETWEEN_CUTS: Duration = Duration::from_millis(15);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    RedisKilled,
    RedisStopped,
    ClientsPaused,
    OutOfMemory,
    FailedOver,
    ReadOnly,
    ConnectionsCut,
    AnswersDelayed,
    AnswersSwallowed,
    AnswersSplit,
    ProcessKilled,
    ProcessFrozen,
    FewDescriptors,
    ClockJumps,
    IndexLost,
}

impl Fault {
    pub const ALL: [Self; 15] = [
        Self::RedisKilled,
        Self::RedisStopped,
        Self::ClientsPaused,
        Self::OutOfMemory,
        Self::FailedOver,
        Self::ReadOnly,
        Self::ConnectionsCut,
        Self::AnswersDelayed,
        Self::AnswersSwallowed,
        Self::AnswersSplit,
        Self::ProcessKilled,
        Self::ProcessFrozen,
        Self::FewDescriptors,
        Self::ClockJumps,
        Self::IndexLost,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::RedisKilled => "Redis killed and restarted",
            Self::RedisStopped => "Redis stopped and continued",
            Self::ClientsPaused => "Redis pauses its clients",
            Self::OutOfMemory => "Redis out of memory",
            Self::FailedOver => "Redis failed over to a replica",
            Self::ReadOnly => "Redis made read-only",
            Self::ConnectionsCut => "connections cut in mid-command",
            Self::AnswersDelayed => "answers delayed",
            Self::AnswersSwallowed => "answers swallowed",
            Self::AnswersSplit => "commands and answers byte by byte",
            Self::ProcessKilled => "our process killed",
            Self::ProcessFrozen => "our process frozen and thawed",
            Self::FewDescriptors => "30 file descriptors",
            Self::ClockJumps => "the clock jumps, connections are cut",
            Self::IndexLost => "keys of the message index lost",
        }
    }

    /// Returns whether the fault needs a proxy between the function and Redis.
    pub(super) fn is_of_the_network(self) -> bool {
        matches!(
            self,
            Self::FailedOver
                | Self::ConnectionsCut
                | Self::AnswersDelayed
                | Self::AnswersSwallowed
                | Self::AnswersSplit
                | Self::ClockJumps
        )
    }

    /// Returns whether the fault can break connections to the process.
    pub(super) fn is_of_connections_to_us(self) -> bool {
        matches!(self, Self::ProcessKilled | Self::FewDescriptors)
    }

    /// Returns the time limit of a request.
    pub(super) fn wait_limit(self, time: Duration) -> Duration {
        match self {
            // A frozen process answers after it is continued.
            Self::ProcessFrozen => WAIT_LIMIT + time,
            _ => WAIT_LIMIT,
        }
    }

    /// Returns how often the fault is repeated in this time: often enough for many states, long enough for timeouts.
    fn rounds(self, time: Duration) -> u32 {
        let length = match self {
            Self::ProcessFrozen => return 1,
            Self::RedisKilled | Self::ProcessKilled => 1,
            Self::FailedOver => 2,
            _ => 4,
        };
        u32::try_from(time.as_secs() / length).unwrap().max(1)
    }

    /// Runs the fault for this time and ends it.
    pub(super) async fn happen(self, world: &mut World, time: Duration) {
        let rounds = self.rounds(time);
        for round in 1..=rounds {
            let length = time / rounds;
            if round == rounds {
                self.strike(world, length).await;
                return self.lift(world).await;
            }
            self.strike(world, length * 2 / 3).await;
            self.lift(world).await;
            tokio::time::sleep(length / 3).await;
        }
    }

    async fn strike(self, world: &mut World, time: Duration) {
        let redis = &world.redis;
        match self {
            Self::RedisKilled => world.redis.kill(),
            Self::RedisStopped => redis.freeze(),
            Self::ClientsPaused => {
                let milliseconds = time.as_millis().to_string();
                redis.command::<()>(&["CLIENT", "PAUSE", &milliseconds, "ALL"]);
            }
            Self::OutOfMemory => redis.command::<()>(&["CONFIG", "SET", "maxmemory", "1"]),
            Self::FailedOver => world.fail_over().await,
            // The address refuses connections, so the replica waits for its primary and keeps its data.
            Self::ReadOnly => redis.command::<()>(&["REPLICAOF", "127.0.0.1", "1"]),
            Self::ConnectionsCut => return cut_connections(world, time).await,
            Self::AnswersDelayed => world.proxy.set(Mode::Delay),
            Self::AnswersSwallowed => world.proxy.set(Mode::SwallowAnswers),
            Self::AnswersSplit => world.proxy.set(Mode::Split),
            Self::ProcessKilled => world.process.kill(),
            Self::ProcessFrozen => world.process.signal("-STOP"),
            Self::FewDescriptors => {
                world.process.limit_descriptors(FEW_DESCRIPTORS);
                return crowd(world, time).await;
            }
            Self::ClockJumps => {
                // Only requests repeated during the fault can be mistaken for new ones.
                for offset in ["+400d", "-400d"] {
                    world.set_clock(offset).await;
                    cut_connections(world, time / 2).await;
                }
                return;
            }
            Self::IndexLost => return lose_indexes(world, time).await,
        }
        tokio::time::sleep(time).await;
    }

    async fn lift(self, world: &mut World) {
        let redis = &world.redis;
        match self {
            Self::RedisKilled => world.redis.restart().await,
            Self::RedisStopped => redis.thaw(),
            // The process exits by itself.
            Self::ClientsPaused | Self::IndexLost => {}
            Self::OutOfMemory => redis.command::<()>(&["CONFIG", "SET", "maxmemory", "0"]),
            Self::FailedOver => world.proxy.cut_all(),
            Self::ReadOnly => redis.command::<()>(&["REPLICAOF", "NO", "ONE"]),
            Self::ConnectionsCut
            | Self::AnswersDelayed
            | Self::AnswersSwallowed
            | Self::AnswersSplit => world.proxy.set(Mode::Pass),
            Self::ProcessKilled => world.restart_process().await,
            Self::ProcessFrozen => world.process.signal("-CONT"),
            Self::FewDescriptors => world.process.limit_descriptors(1024),
            Self::ClockJumps => {
                world.proxy.set(Mode::Pass);
                world.set_clock("+0").await;
            }
        }
    }
}

async fn cut_connections(world: &World, time: Duration) {
    let started = Instant::now();
    for mode in [Mode::CutCommand, Mode::LoseAnswer, Mode::Pass]
        .into_iter()
        .cycle()
    {
        if started.elapsed() > time {
            return;
        }
        match mode {
            Mode::Pass => world.proxy.cut_all(),
            mode => world.proxy.set(mode),
        }
        tokio::time::sleep(BETWEEN_CUTS).await;
    }
}

/// Opens many slow connections to the process, over and over.
async fn crowd(world: &World, time: Duration) {
    let started = Instant::now();
    let visitors = (0..CROWD).map(|_| {
        let address = world.apis[0].address().to_owned();
        tokio::spawn(async move {
            while started.elapsed() < time {
                // Most connections are rejected.
                let _ = tokio::time::timeout(time, visit(&address)).await;
            }
        })
    });
    let visitors: Vec<_> = visitors.collect();
    while started.elapsed() < time {
        // A new connection to Redis needs a descriptor as well.
        let killed = ["CLIENT", "KILL", "TYPE", "normal"];
        world.redis.command::<u64>(&killed);
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    for visitor in visitors {
        visitor.await.unwrap();
    }
    let starts = world
        .process
        .output()
        .matches("Dev server listening")
        .count();
    assert!(
        starts > 1,
        "there was a descriptor for everybody, which proves nothing"
    );
}

async fn visit(address: &str) -> std::io::Result<()> {
    const REQUEST: &[u8] =
        b"GET /api/sessions?limit=1 HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    tokio::time::sleep(Duration::from_millis(20)).await;
    let mut stream = TcpStream::connect(address).await?;
    tokio::time::sleep(Duration::from_millis(200)).await;
    stream.write_all(REQUEST).await?;
    stream.read_to_end(&mut Vec::new()).await.map(drop)
}
