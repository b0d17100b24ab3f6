//! The application on a Redis, single or cluster.

use super::{Client, Redis, SessionFixture, SharedRedis, config, in_process};

/// The application in this process, on a private Redis unless it is shared.
#[derive(Debug)]
pub struct TestApp<R = Redis> {
    pub api: Client,
    pub redis: R,
}

impl TestApp {
    /// Starts the application on a private Redis, for tests that look at all keys or all sessions, at fixed ids, or
    /// that change the server.
    pub async fn start() -> Self {
        let redis = Redis::start().await;
        let api = in_process(config(&redis.url()));
        Self { api, redis }
    }

    /// Starts the application on the Redis that tests share: a test may use only the sessions that it creates.
    #[allow(clippy::use_self, reason = "the types are the same on a cluster only")]
    pub async fn shared() -> TestApp<SharedRedis> {
        let redis = SharedRedis::get().await;
        let api = in_process(config(&redis.url()));
        TestApp { api, redis }
    }
}

impl<R> TestApp<R> {
    /// Creates a session of the user's default volume.
    pub async fn session(&self) -> SessionFixture {
        self.api.session("x").await
    }
}
