//! The measurements of chat.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::client::StreamRequest;
use super::model::{self, Pace};
use super::monitor::Monitor;
use super::{Both, ChatFigures, ChatReport};
use crate::measure::settled_processor_time;
use crate::redis_server::RedisServer;
use crate::report::function_sizes;
use crate::request::Request;
use crate::server::{Kind, Server};
use crate::usage::{peak_memory, processor_time};
use crate::{COLD_STARTS, progress};

const WARM_UPS: usize = 30;
/// The number of turns whose first token is timed, on each server.
const FIRST_TOKENS: usize = 100;
/// The tokens of the turn whose processor time and commands are measured: 20 s.
const TOKENS: u32 = 1_000;
const TURNS_AT_ONCE: u32 = 200;
const TOKENS_AT_ONCE: u32 = 250;
const FURTHER_READERS: usize = 10;
const LARGE_BYTES: u32 = 1_000_000;
const REPLAY_BYTES: u32 = 100_000;
const REPLAYS: usize = 30;
/// The time in which commands are counted, in the middle of a turn.
const WINDOW: Duration = Duration::from_secs(5);
/// The time for readers to find their place.
const JOIN: Duration = Duration::from_millis(1_000);

/// The servers.
struct Bench {
    redis: RedisServer,
    model: String,
    environment: Vec<(&'static str, String)>,
    ours: Server,
    node: Server,
    sessions: u32,
}

/// Measures everything.
pub async fn all(started: Instant) -> Result<ChatReport> {
    let redis = RedisServer::start()?;
    let model = model::start()?.to_string();
    let base = format!("http://{model}/v1");
    let environment = vec![
        ("LLMOS_MODEL_BASE_URL", base.clone()),
        ("MODEL_BASE_URL", base),
    ];
    let ours = Server::start_with(Kind::Chat, &redis, &environment)?;
    let node = Server::start_with(Kind::ChatNode, &redis, &environment)?;
    let mut bench = Bench {
        redis,
        model,
        environment,
        ours,
        node,
        sessions: 0,
    };
    let [added, added_p95] = bench.first_tokens().await?;
    progress(started, "chat: first tokens");
    let (one_turn_micros, one_turn_redis_micros) = bench.one_turn().await?;
    progress(started, "chat: one turn");
    let (own, further_reader_commands, other_process_commands) = bench.commands().await?;
    progress(started, "chat: commands");
    let (replay, large_reader_memory) = bench.readers().await?;
    progress(started, "chat: readers");
    let (ours_micros, ours_memory) = bench.many_turns(Kind::Chat).await?;
    let (node_micros, node_memory) = bench.many_turns(Kind::ChatNode).await?;
    progress(started, "chat: many turns");
    let cold_starts = bench.cold_starts()?;
    let sizes = function_sizes()?;
    let chat = sizes.iter().find(|(name, _)| name == "chat");
    let figures = ChatFigures {
        added,
        added_p95,
        one_turn_micros,
        one_turn_redis_micros,
        many_turns_micros: Both {
            ours: ours_micros,
            node: node_micros,
        },
        many_turns_memory: Both {
            ours: ours_memory,
            node: node_memory,
        },
        large_reader_memory,
        own_reader_commands: own,
        further_reader_commands,
        other_process_commands,
        replay,
        function_bytes: chat.context("chat is not built")?.1,
        cold_starts,
    };
    progress(started, "chat: done");
    Ok(ChatReport(figures))
}

impl Bench {
    /// Returns the request that asks in a new session, and the session.
    fn ask(&mut self, server: &str, pace: Pace) -> (StreamRequest, String) {
        self.sessions += 1;
        let session = format!("measured-{}", self.sessions);
        (StreamRequest::ask(server, &session, pace), session)
    }

    /// Returns the times until the first token, less that of the model itself: medians, and those of 19 of 20 turns.
    async fn first_tokens(&mut self) -> Result<[Both<Duration>; 2]> {
        let pace = Pace {
            tokens: 20,
            rate: 0,
            size: 4,
        };
        let bases = [self.ours.base.clone(), self.node.base.clone()];
        let mut times = [const { Vec::new() }; 3];
        for number in 0..WARM_UPS + FIRST_TOKENS {
            for (index, times) in times.iter_mut().enumerate() {
                let request = match bases.get(index) {
                    Some(base) => self.ask(base, pace).0,
                    None => StreamRequest::ask_model(&self.model, pace),
                };
                let streamed = request.send().await?;
                if number >= WARM_UPS {
                    times.push(streamed.first);
                }
            }
        }
        for times in &mut times {
            times.sort_unstable();
        }
        let model = times[2][FIRST_TOKENS / 2];
        Ok(
            [FIRST_TOKENS / 2, FIRST_TOKENS * 19 / 20].map(|place| Both {
                ours: times[0][place].saturating_sub(model),
                node: times[1][place].saturating_sub(model),
            }),
        )
    }

    /// Returns the processor time of one turn on each server, and that of Redis for ours.
    async fn one_turn(&mut self) -> Result<(Both<f64>, f64)> {
        let mut micros = [0.0; 2];
        let mut redis_micros = 0.0;
        for (index, (base, pid)) in [
            (self.ours.base.clone(), self.ours.pid()),
            (self.node.base.clone(), self.node.pid()),
        ]
        .into_iter()
        .enumerate()
        {
            let (request, _) = self.ask(&base, Pace::streamed(TOKENS));
            let redis_before = processor_time(self.redis.pid())?;
            let before = processor_time(pid)?;
            request.send().await?;
            micros[index] = per_thousand(before, settled_processor_time(pid)?, TOKENS);
            if index == 0 {
                let after = processor_time(self.redis.pid())?;
                redis_micros = per_thousand(redis_before, after, TOKENS);
            }
        }
        let [ours, node] = micros;
        Ok((Both { ours, node }, redis_micros))
    }

    /// Returns the commands per second of a turn with its own reader on both servers, and what further readers in our
    /// process, and readers in another one, add.
    async fn commands(&mut self) -> Result<(Both<f64>, f64, f64)> {
        let other = Server::start_with(Kind::Chat, &self.redis, &self.environment)?;
        let monitor = Monitor::start(&self.redis.socket()).await?;
        let bases = [self.ours.base.clone(), self.node.base.clone()];
        let mut own = [0.0; 2];
        for (index, base) in bases.iter().enumerate() {
            let (request, _) = self.ask(base, Pace::streamed(TOKENS));
            let (tell, told) = oneshot::channel();
            let turn = tokio::spawn(async move { request.send_and_tell(Some(tell)).await });
            told.await?;
            let before = monitor.commands();
            let streamed = turn.await??;
            let time = streamed.whole - streamed.first;
            own[index] = (monitor.commands() - before) as f64 / time.as_secs_f64();
        }
        let ours = self.ours.base.clone();
        let (request, session) = self.ask(&ours, Pace::streamed(TOKENS));
        let turn = tokio::spawn(async move { request.send().await });
        // The first seconds of a turn have more entries.
        sleep(Duration::from_millis(2_500)).await;
        let alone = counted(&monitor).await;
        let mut readers = JoinSet::new();
        let path = format!("/api/chat/{session}/stream");
        let mut added = [0.0; 2];
        for (index, base) in [&ours, &other.base].into_iter().enumerate() {
            for _ in 0..FURTHER_READERS {
                let request = StreamRequest::read(base, path.clone());
                readers.spawn(async move { request.send().await });
            }
            sleep(JOIN).await;
            added[index] = counted(&monitor).await;
        }
        turn.await??;
        while let Some(read) = readers.join_next().await {
            read??;
        }
        let [own_ours, own_node] = own;
        let own = Both {
            ours: own_ours,
            node: own_node,
        };
        let [further, others] = added;
        Ok((own, (further - alone).max(0.0), (others - further).max(0.0)))
    }

    /// Returns the median time to read an answer of 100 KB again, in another process, and the growth of that process by a
    /// reader of 1 MB.
    async fn readers(&mut self) -> Result<(Duration, u64)> {
        let ours = self.ours.base.clone();
        let mut paths = Vec::new();
        for bytes in [REPLAY_BYTES, LARGE_BYTES] {
            let pace = Pace {
                tokens: bytes / 1_000,
                rate: 0,
                size: 1_000,
            };
            let (request, session) = self.ask(&ours, pace);
            request.send().await?;
            let turn = Request::get(format!("/api/chat/{session}/turn")).send(&ours)?;
            let turn: serde_json::Value = serde_json::from_str(&turn)?;
            let path = turn["turn"]["stream_url"].as_str();
            paths.push(path.context("the turn has no stream")?.to_owned());
        }
        let other = Server::start_with(Kind::Chat, &self.redis, &self.environment)?;
        let mut times = Vec::new();
        for _ in 0..REPLAYS {
            let read = StreamRequest::read(&other.base, paths[0].clone())
                .send()
                .await?;
            times.push(read.whole);
        }
        times.sort_unstable();
        let before = peak_memory(other.pid())?;
        StreamRequest::read(&other.base, paths[1].clone())
            .send()
            .await?;
        Ok((times[REPLAYS / 2], peak_memory(other.pid())? - before))
    }

    /// Returns the processor time and the peak memory of a new process with many turns at once.
    async fn many_turns(&mut self, kind: Kind) -> Result<(f64, u64)> {
        let server = Server::start_with(kind, &self.redis, &self.environment)?;
        self.ask(&server.base, Pace::streamed(1)).0.send().await?;
        let before = processor_time(server.pid())?;
        let mut turns = JoinSet::new();
        for _ in 0..TURNS_AT_ONCE {
            let (request, _) = self.ask(&server.base, Pace::streamed(TOKENS_AT_ONCE));
            turns.spawn(async move { request.send().await });
        }
        while let Some(turn) = turns.join_next().await {
            turn??;
        }
        let after = settled_processor_time(server.pid())?;
        let micros = per_thousand(before, after, TURNS_AT_ONCE * TOKENS_AT_ONCE);
        Ok((micros, peak_memory(server.pid())?))
    }

    /// Returns the median times of the first answers of new processes of `chat` and of `sessions`, from the same session.
    fn cold_starts(&self) -> Result<[Duration; 2]> {
        // The first session is one of ours.
        let session = "measured-1";
        let subjects = [
            (
                Kind::Chat,
                Request::get(format!("/api/chat/{session}/turn")),
            ),
            (Kind::Ours, Request::get(format!("/api/sessions/{session}"))),
        ];
        let mut times = [const { Vec::new() }; 2];
        for _ in 0..COLD_STARTS {
            for ((kind, request), times) in subjects.iter().zip(&mut times) {
                times.push(Server::time_first_answer(*kind, &self.redis, request)?);
            }
        }
        Ok(times.map(|mut times| {
            times.sort_unstable();
            times[COLD_STARTS / 2]
        }))
    }
}

fn per_thousand(before: Duration, after: Duration, tokens: u32) -> f64 {
    after.saturating_sub(before).as_secs_f64() * 1e6 / f64::from(tokens) * 1e3
}

/// Returns the commands per second in a window of time.
async fn counted(monitor: &Monitor) -> f64 {
    let (started, before) = (Instant::now(), monitor.commands());
    sleep(WINDOW).await;
    (monitor.commands() - before) as f64 / started.elapsed().as_secs_f64()
}
