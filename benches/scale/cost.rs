//! The cost of requests: processor time of the function and of Redis, as counted by the operating system.

use std::time::Duration;

use axum::http::Method;

use crate::support::{Client, Process, Redis};
use crate::usage::processor_time;

/// The number of uncounted requests that warm up caches and allocators.
const WARM_UP: usize = 20;
/// The number of requests per round.
const REQUESTS: usize = 100;
/// The number of rounds; the median is used because the machine may have other load.
const ROUNDS: usize = 5;

/// The cost of one request.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    pub function: Duration,
    pub redis: Duration,
    /// The maximum number of round trips of a request.
    pub round_trips: u32,
    /// The size of the last response, in bytes.
    pub bytes: usize,
}

/// The costs of a route by size of the data.
#[derive(Debug)]
pub struct Curve {
    pub route: &'static str,
    pub costs: Vec<(usize, Cost)>,
}

/// The costs of all routes while one kind of data grows.
#[derive(Debug)]
pub struct Growth {
    pub unit: &'static str,
    pub curves: Vec<Curve>,
    /// Further figures, one line each.
    pub notes: Vec<String>,
}

impl Growth {
    pub fn new(unit: &'static str) -> Self {
        Self {
            unit,
            curves: Vec::new(),
            notes: Vec::new(),
        }
    }

    pub fn add(&mut self, route: &'static str, size: usize, cost: Cost) {
        println!("{} {size}: {route}: {cost:?}", self.unit);
        match self.curves.iter_mut().find(|curve| curve.route == route) {
            Some(curve) => curve.costs.push((size, cost)),
            None => self.curves.push(Curve {
                route,
                costs: vec![(size, cost)],
            }),
        }
    }
}

/// A function and the Redis behind it.
#[derive(Debug)]
pub struct Subject<'a> {
    pub api: &'a Client,
    pub function: &'a Process,
    pub redis: &'a Redis,
}

/// Starts Redis and the function of sessions.
pub async fn sessions_function() -> (Redis, Process, Client) {
    let redis = Redis::start().await;
    let url = redis.url();
    let environment = [("REDIS_URL", url.as_str()), ("REQUEST_LOG", "off")];
    let (function, api) = Process::function(env!("CARGO_BIN_EXE_sessions"), &environment).await;
    (redis, function, api)
}

impl Subject<'_> {
    /// Measures a request that is sent many times.
    pub async fn cost(&self, method: Method, path: &str, body: &str) -> Cost {
        self.cost_of_each(method, vec![path.to_owned(); REQUESTS_OF_EACH], body)
            .await
    }

    /// Measures a request to each of these paths; the first ones are not counted.
    pub async fn cost_of_each(&self, method: Method, paths: Vec<String>, body: &str) -> Cost {
        self.cost_of_bodies(method, paths, |_| body.to_owned())
            .await
    }

    /// Measures a request to each of these paths, with the body for its number.
    pub async fn cost_of_bodies(
        &self,
        method: Method,
        paths: Vec<String>,
        body: impl Fn(usize) -> String,
    ) -> Cost {
        let mut numbers = 0..;
        let mut next_body = || body(numbers.next().unwrap_or_default());
        let (warm_up, counted) = paths.split_at(WARM_UP);
        for path in warm_up {
            self.send(&method, path, &next_body()).await;
        }
        let (mut function, mut redis) = (Vec::new(), Vec::new());
        let (mut round_trips, mut bytes) = (0, 0);
        for round in counted.chunks(REQUESTS) {
            let before = self.processor_times();
            for path in round {
                let (trips, length) = self.send(&method, path, &next_body()).await;
                round_trips = round_trips.max(trips);
                bytes = length;
            }
            let after = self.processor_times();
            let requests = u32::try_from(round.len()).unwrap();
            function.push((after.0 - before.0) / requests);
            redis.push((after.1 - before.1) / requests);
        }
        Cost {
            function: median(function),
            redis: median(redis),
            round_trips,
            bytes,
        }
    }

    async fn send(&self, method: &Method, path: &str, body: &str) -> (u32, usize) {
        let response = self.api.send_json(method.clone(), path, body).await;
        assert!(response.status.is_success(), "{path}: {response:?}");
        (response.round_trips(), response.body.len())
    }

    fn processor_times(&self) -> (Duration, Duration) {
        (
            processor_time(self.function.id()).unwrap(),
            processor_time(process_id(self.redis)).unwrap(),
        )
    }
}

/// The number of paths that [`Subject::cost_of_each`] needs.
pub const REQUESTS_OF_EACH: usize = WARM_UP + ROUNDS * REQUESTS;

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

fn process_id(redis: &Redis) -> u32 {
    let server: String = redis.command(&["INFO", "server"]);
    let (_, rest) = server.split_once("process_id:").unwrap();
    rest.lines().next().unwrap().trim().parse().unwrap()
}
