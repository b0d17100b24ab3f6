//! The application on a Redis of its own, of whichever kind.

use super::{Client, Redis, config, in_process};

/// The application in this process, on a Redis of its own.
#[derive(Debug)]
pub struct TestApp {
    pub api: Client,
    pub redis: Redis,
}

impl TestApp {
    pub async fn start() -> Self {
        let redis = Redis::start().await;
        let api = in_process(config(&redis.url()));
        Self { api, redis }
    }
}
