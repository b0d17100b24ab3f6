//! Work that goes on after the response of its request.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio_util::task::TaskTracker;

/// A task.
pub type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The tasks of a process.
#[derive(Clone, Debug, Default)]
pub struct Background {
    tracker: TaskTracker,
    shutdown: watch::Sender<bool>,
}

impl Background {
    /// Returns a receiver that tells when the process is about to end.
    pub fn shutdown(&self) -> watch::Receiver<bool> {
        self.shutdown.subscribe()
    }

    /// Starts a task. `keeper` keeps its request open at the platform until the task has ended.
    pub(crate) fn spawn(&self, task: Task, keeper: Option<&RequestKeeper>) {
        let task = Box::pin(self.tracker.track_future(task));
        match keeper {
            Some(keeper) => (keeper.0)(task),
            None => drop(tokio::spawn(task)),
        }
    }

    /// Tells all tasks that the process is about to end, and waits until they have ended, at most for `limit`.
    pub async fn end(&self, limit: Duration) {
        self.shutdown.send_replace(true);
        self.tracker.close();
        if tokio::time::timeout(limit, self.tracker.wait())
            .await
            .is_err()
        {
            let tasks = self.tracker.len();
            tracing::warn!(tasks, "tasks were cut off at the end of the process");
        }
    }
}

/// Starts tasks so that the platform keeps their request open: an extension of the request.
#[derive(Clone)]
pub struct RequestKeeper(Arc<dyn Fn(Task) + Send + Sync>);

impl RequestKeeper {
    /// Returns a keeper that starts tasks with `start`.
    pub fn new(start: impl Fn(Task) + Send + Sync + 'static) -> Self {
        Self(Arc::new(start))
    }
}

impl std::fmt::Debug for RequestKeeper {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("RequestKeeper")
    }
}
