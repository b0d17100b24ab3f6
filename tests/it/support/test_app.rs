//! The application on a private Redis, single or cluster.

use super::{Client, Redis, SessionFixture, config, in_process};

/// The application in this process, on a private Redis.
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

    /// Creates a session of the user's default volume.
    pub async fn session(&self) -> SessionFixture {
        self.api.session("x").await
    }
}
