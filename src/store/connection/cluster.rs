//! Connections to the nodes of a Redis Cluster.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};
use redis::aio::ConnectionLike;
use redis::cluster::ClusterClientBuilder;
use redis::cluster_async::ClusterConnection;
use redis::cluster_routing::{RoutingInfo, SingleNodeRoutingInfo};
use redis::io::tcp::TcpSettings;
use redis::{Cmd, ConnectionInfo, RedisResult, TlsCertificates, Value};
use tokio::time::timeout;

use super::node::{Node, restore_error};
use super::timeouts::{
    NODE_CONNECT_TIMEOUT, NODE_MAX_PAUSE_MILLISECONDS, NODE_MIN_PAUSE_MILLISECONDS,
    NODE_RESPONSE_TIMEOUT, NODE_RETRIES, RESPONSE_TIMEOUT, deadline_exceeded,
};

/// Connections to all nodes. The first command opens them; commands that arrive meanwhile wait for it.
#[derive(Clone)]
pub(super) struct Cluster {
    connected: Shared<BoxFuture<'static, RedisResult<ClusterConnection<Node>>>>,
    progress: Arc<Progress>,
}

/// Whether the crate still answers. If it loses several nodes at once under load, its recovery can wait for a lock that
/// a suspended command holds; it then sends nothing any more (redis 1.8.1, redis-rs issue 2418 is such a case).
#[derive(Default)]
struct Progress {
    /// The number of replies and errors that the crate returned.
    answers: AtomicU64,
    is_stuck: AtomicBool,
}

impl Cluster {
    /// Prepares connections to the cluster that contains `nodes`.
    pub(super) fn new(
        nodes: Vec<ConnectionInfo>,
        certificates: Option<TlsCertificates>,
    ) -> RedisResult<Self> {
        let protocol = nodes.first().map(|node| node.redis_settings().protocol());
        let mut builder = ClusterClientBuilder::new(nodes)
            .connection_timeout(NODE_CONNECT_TIMEOUT)
            .response_timeout(NODE_RESPONSE_TIMEOUT)
            .overall_response_timeout(Some(RESPONSE_TIMEOUT))
            .retries(NODE_RETRIES)
            .min_retry_wait(NODE_MIN_PAUSE_MILLISECONDS)
            .max_retry_wait(NODE_MAX_PAUSE_MILLISECONDS)
            .use_protocol(protocol.unwrap_or_default())
            .tcp_settings(TcpSettings::default().set_nodelay(true));
        if let Some(certificates) = certificates {
            builder = builder.certs(certificates);
        }
        let client = builder.build()?;
        let connect = async move { client.get_async_generic_connection::<Node>().await };
        Ok(Self {
            connected: connect.boxed().shared(),
            progress: Arc::default(),
        })
    }

    /// Returns whether failed nodes are reconnected one by one. False if no node could be reached at first, or if the
    /// recovery is stuck.
    pub(super) fn reconnects_itself(&self) -> bool {
        let is_stuck = self.progress.is_stuck.load(Ordering::Relaxed);
        !is_stuck && !matches!(self.connected.peek(), Some(Err(_)))
    }

    /// Sends a command to the node that owns its slot.
    pub(super) async fn send(&self, command: &Cmd) -> RedisResult<Value> {
        let reply = async {
            let mut connection = self.connected.clone().await?;
            // INFO describes one node, so one node is enough. The crate would send it to all of them.
            if command.args_iter().next() == Some(redis::Arg::Simple(b"INFO")) {
                let any = RoutingInfo::SingleNode(SingleNodeRoutingInfo::Random);
                return connection.route_command(command.clone(), any).await;
            }
            connection.req_packed_command(command).await
        };
        let before = self.progress.answers.load(Ordering::Relaxed);
        match timeout(RESPONSE_TIMEOUT, reply).await {
            // The crate has the same deadline. The timeout of a node is another error until it is restored.
            Ok(Err(error)) if error.is_timeout() => self.progress.check(before),
            Err(_) => self.progress.check(before),
            Ok(reply) => {
                self.progress.answers.fetch_add(1, Ordering::Relaxed);
                return reply.map_err(restore_error);
            }
        }
        Err(deadline_exceeded())
    }
}

impl Progress {
    /// Records that a command exceeded its deadline. A node that hangs delays the commands for its own slots only, so
    /// the recovery is stuck if no command was answered meanwhile.
    fn check(&self, before: u64) {
        if self.answers.load(Ordering::Relaxed) == before {
            self.is_stuck.store(true, Ordering::Relaxed);
        }
    }
}
