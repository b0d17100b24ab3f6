//! One thread that generates answers, one at a time, and the queue before it.

use std::collections::VecDeque;
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Instant;

use anyhow::Result;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::error::ApiError;
use crate::llama::{CONTEXT_TOKENS, Llama};
use crate::request::{Message, Options};
use crate::sampler::Sampler;
use crate::stop::StopFilter;
use crate::vocabulary::Vocabulary;

/// The most requests that wait while one is answered.
const MAX_WAITING: usize = 4;
/// The prompt is read in chunks of this many tokens: between them the client's connection is checked.
/// Chunks start at multiples of it, so the result does not depend on the chunks that a former prompt left.
const CHUNK_TOKENS: usize = 32;

/// A part of an answer.
#[derive(Debug)]
pub(crate) enum Event {
    Text(String),
    End { finish: Finish, usage: Usage },
    Failed(String),
}

/// The reason for the end of an answer.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Finish {
    Stop,
    Length,
}

impl Finish {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Stop => "stop",
            Self::Length => "length",
        }
    }
}

/// Counts of tokens.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Usage {
    pub(crate) prompt: usize,
    pub(crate) cached: usize,
    pub(crate) completion: usize,
}

#[derive(Debug)]
struct Job {
    prompt: Vec<u32>,
    options: Options,
    events: UnboundedSender<Event>,
}

/// The handle of the thread that generates answers.
#[derive(Debug)]
pub(crate) struct Engine {
    vocabulary: Arc<Vocabulary>,
    queue: Arc<Queue>,
}

#[derive(Debug, Default)]
struct Queue {
    jobs: Mutex<VecDeque<Job>>,
    added: Condvar,
}

impl Engine {
    /// Starts the thread.
    pub(crate) fn start(llama: Llama, vocabulary: Vocabulary) -> Self {
        let vocabulary = Arc::new(vocabulary);
        let queue = Arc::new(Queue::default());
        let mut worker = Worker {
            llama,
            vocabulary: Arc::clone(&vocabulary),
            read: Vec::new(),
        };
        let jobs = Arc::clone(&queue);
        thread::spawn(move || {
            let _ = catch_unwind(AssertUnwindSafe(|| {
                loop {
                    worker.run(jobs.pop());
                }
            }));
            // Without this thread no request would end.
            std::process::exit(1);
        });
        Self { vocabulary, queue }
    }

    /// Queues a request. Generation stops when the receiver of its events is dropped.
    pub(crate) fn submit(
        &self,
        messages: &[Message],
        options: Options,
    ) -> Result<UnboundedReceiver<Event>, ApiError> {
        let prompt = self
            .vocabulary
            .encode_chat(messages)
            .map_err(|error| ApiError::internal(format!("{error:#}")))?;
        if prompt.len() >= CONTEXT_TOKENS {
            return Err(ApiError::context_exceeded(prompt.len(), CONTEXT_TOKENS));
        }
        let (events, receiver) = unbounded_channel();
        self.queue.push(Job {
            prompt,
            options,
            events,
        })?;
        Ok(receiver)
    }
}

impl Queue {
    fn push(&self, job: Job) -> Result<(), ApiError> {
        let mut jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        jobs.retain(|job| !job.events.is_closed());
        if jobs.len() >= MAX_WAITING {
            return Err(ApiError::overloaded());
        }
        jobs.push_back(job);
        self.added.notify_one();
        Ok(())
    }

    fn pop(&self) -> Job {
        let mut jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(job) = jobs.pop_front() {
                return job;
            }
            jobs = self
                .added
                .wait(jobs)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }
}

struct Worker {
    llama: Llama,
    vocabulary: Arc<Vocabulary>,
    /// The tokens of whole chunks whose keys and values the context contains.
    read: Vec<u32>,
}

/// The result of a generation that did not fail. `None` is a closed connection.
type Outcome = Option<Finish>;

impl Worker {
    fn run(&mut self, job: Job) {
        let started = Instant::now();
        let mut usage = Usage {
            prompt: job.prompt.len(),
            cached: 0,
            completion: 0,
        };
        let mut first_token = None;
        let events = job.events.clone();
        let outcome = self.generate(job, &mut usage, &mut first_token);
        let finish = match &outcome {
            Ok(Some(finish)) => finish.name(),
            Ok(None) => "closed",
            Err(_) => "error",
        };
        let first = first_token.unwrap_or_else(Instant::now);
        // Writing to a closed stderr is not an error of the request.
        let _ = writeln!(
            std::io::stderr(),
            "finish={finish} prompt_tokens={} cached_tokens={} completion_tokens={} first_token_ms={} tokens_per_second={:.1}",
            usage.prompt,
            usage.cached,
            usage.completion,
            (first - started).as_millis(),
            usage.completion.saturating_sub(1) as f64 / first.elapsed().as_secs_f64(),
        );
        // A send fails if the client has closed its connection.
        let _ = match outcome {
            Ok(Some(finish)) => events.send(Event::End { finish, usage }),
            Ok(None) => Ok(()),
            Err(error) => events.send(Event::Failed(format!("{error:#}"))),
        };
    }

    fn generate(
        &mut self,
        job: Job,
        usage: &mut Usage,
        first_token: &mut Option<Instant>,
    ) -> Result<Outcome> {
        let Job {
            prompt,
            options,
            events,
        } = job;
        let Some(mut logits) = self.read_prompt(&prompt, usage, &events)? else {
            return Ok(None);
        };
        let mut sampler = Sampler::new(options.temperature, options.top_p, options.seed);
        let mut filter = StopFilter::new(options.stop);
        let vocabulary = Arc::clone(&self.vocabulary);
        let mut decode = vocabulary.decoder();
        let finish = loop {
            let token = sampler.choose(&logits);
            first_token.get_or_insert_with(Instant::now);
            if vocabulary.is_end(token) {
                break Finish::Stop;
            }
            usage.completion += 1;
            let (text, stopped) = filter.push(&decode(token)?.unwrap_or_default());
            if (!text.is_empty() && events.send(Event::Text(text)).is_err()) || events.is_closed() {
                return Ok(None);
            }
            if stopped {
                return Ok(Some(Finish::Stop));
            }
            let position = prompt.len() + usage.completion - 1;
            if usage.completion == options.max_tokens || position + 1 >= CONTEXT_TOKENS {
                break Finish::Length;
            }
            logits = self.llama.forward(&[token], position)?;
        };
        let rest = filter.finish();
        if !rest.is_empty() {
            let _ = events.send(Event::Text(rest));
        }
        Ok(Some(finish))
    }

    /// Reads the part of the prompt that differs from the former one. Returns the logits after its last token, or
    /// `None` if the client closed its connection.
    fn read_prompt(
        &mut self,
        prompt: &[u32],
        usage: &mut Usage,
        events: &UnboundedSender<Event>,
    ) -> Result<Option<Vec<f32>>> {
        let equal = self
            .read
            .iter()
            .zip(prompt)
            .take_while(|(a, b)| a == b)
            .count();
        let mut position = equal.min(prompt.len() - 1) / CHUNK_TOKENS * CHUNK_TOKENS;
        self.read.truncate(position);
        usage.cached = position;
        loop {
            if events.is_closed() {
                return Ok(None);
            }
            let end = (position + CHUNK_TOKENS).min(prompt.len());
            let chunk = &prompt[position..end];
            let logits = self.llama.forward(chunk, position)?;
            if chunk.len() == CHUNK_TOKENS {
                self.read.extend(chunk);
            }
            position = end;
            if position == prompt.len() {
                return Ok(Some(logits));
            }
        }
    }
}
