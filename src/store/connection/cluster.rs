//! Connections to the nodes of a Redis Cluster.

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
        })
    }

    /// Returns whether failed nodes are reconnected one by one. False if no node could be reached at first.
    pub(super) fn reconnects_itself(&self) -> bool {
        !matches!(self.connected.peek(), Some(Err(_)))
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
        match timeout(RESPONSE_TIMEOUT, reply).await {
            Ok(reply) => reply.map_err(restore_error),
            Err(_) => Err(deadline_exceeded()),
        }
    }
}
