//! The redis-server that ordinary tests share.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use redis::{FromRedisValue, ToRedisArgs};
use tempfile::TempDir;
use tokio::sync::OnceCell;

use super::redis::{missing, run};

/// Runs a server until the standard input closes, at the latest with this process, and removes its directory.
const SERVE: &str = r#"
redis-server --port 0 --unixsocket "$0/redis.sock" --save "" --dir "$0" </dev/null >/dev/null & server=$!
cat >/dev/null
kill -KILL $server
wait $server 2>/dev/null
rm -rf "$0""#;

/// A static is never dropped: the shell ends when this process ends and closes the pipe.
static SERVER: OnceCell<(String, Child)> = OnceCell::const_new();

/// The server that other tests use at the same time.
#[derive(Debug)]
pub struct SharedRedis(&'static str);

impl SharedRedis {
    pub async fn get() -> Self {
        let (url, _) = SERVER.get_or_init(start).await;
        Self(url)
    }

    pub fn url(&self) -> String {
        self.0.to_owned()
    }

    /// Runs one command on a new connection.
    #[track_caller]
    pub fn command<T: FromRedisValue>(&self, arguments: &[impl ToRedisArgs]) -> T {
        run(self.0, arguments).unwrap()
    }
}

#[allow(clippy::zombie_processes, reason = "the shell ends with this process")]
async fn start() -> (String, Child) {
    let installed = Command::new("redis-server").arg("--version").output();
    if let Err(error) = installed {
        missing(&error);
    }
    let directory = TempDir::new().unwrap().keep();
    let shell = Command::new("sh")
        .args(["-c", SERVE])
        .arg(&directory)
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let url = format!("redis+unix://{}/redis.sock", directory.display());
    for _ in 0..500 {
        if run::<String>(&url, &["PING"]).is_ok() {
            return (url, shell);
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("redis-server did not answer within 5 s");
}
