//! Redis Cluster: the connections to its nodes, and operations in several steps, one slot each.
//!
//! A session's own keys share a slot and change together, in one script, as they do on one Redis. What the script
//! has to say to other slots, the index above all, it returns, and that is sent before the answer is given.

use std::io;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};
use redis::aio::ConnectionLike;
use redis::cluster::ClusterClientBuilder;
use redis::cluster_async::ClusterConnection;
use redis::cluster_routing::{RoutingInfo, SingleNodeRoutingInfo};
use redis::io::tcp::TcpSettings;
use redis::{Cmd, ConnectionInfo, RedisError, RedisResult, TlsCertificates, Value};
use tokio::time::timeout;

use super::RESPONSE_TIMEOUT;
use super::node::Node;

/// How long a connection to a node may take to be made: a new process makes some to the nodes that `REDIS_URL`
/// names, then those to all others, and one node that is silent must not use up a request's time.
const NODE_CONNECT_TIMEOUT: Duration = Duration::from_millis(700);
/// How long a node may take to answer a command: less than a request may, so that who waits learns why.
const NODE_RESPONSE_TIMEOUT: Duration = Duration::from_millis(1500);
/// How often a command is sent again that a node did not run: because the slot moved or moves, or because nobody
/// serves it just now. The pauses grow to the longest one, and come to about 1.3 s.
const RETRIES: u32 = 16;
const SHORTEST_PAUSE_MILLISECONDS: u64 = 5;
const LONGEST_PAUSE_MILLISECONDS: u64 = 200;

/// A way to all nodes. Made at the first command, which others wait for.
#[derive(Clone)]
pub(super) struct Cluster {
    connected: Shared<BoxFuture<'static, RedisResult<ClusterConnection<Node>>>>,
}

impl Cluster {
    /// Prepares connections to the cluster that some nodes tell of.
    pub(super) fn new(
        nodes: Vec<ConnectionInfo>,
        certificates: Option<TlsCertificates>,
    ) -> RedisResult<Self> {
        let protocol = nodes.first().map(|node| node.redis_settings().protocol());
        let mut builder = ClusterClientBuilder::new(nodes)
            .connection_timeout(NODE_CONNECT_TIMEOUT)
            .response_timeout(NODE_RESPONSE_TIMEOUT)
            .overall_response_timeout(Some(RESPONSE_TIMEOUT))
            .retries(RETRIES)
            .min_retry_wait(SHORTEST_PAUSE_MILLISECONDS)
            .max_retry_wait(LONGEST_PAUSE_MILLISECONDS)
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

    /// Whether what fails is remade in it, node by node: not where no node could be reached at first.
    pub(super) fn mends_itself(&self) -> bool {
        !matches!(self.connected.peek(), Some(Err(_)))
    }

    pub(super) async fn send(&self, command: &Cmd) -> RedisResult<Value> {
        let answer = async {
            let mut connection = self.connected.clone().await?;
            // What a node says about itself is asked of one, not of all.
            if command.args_iter().next() == Some(redis::Arg::Simple(b"INFO")) {
                let any = RoutingInfo::SingleNode(SingleNodeRoutingInfo::Random);
                return connection.route_command(command.clone(), any).await;
            }
            connection.req_packed_command(command).await
        };
        match timeout(RESPONSE_TIMEOUT, answer).await {
            Ok(answer) => answer.map_err(super::node::as_it_was),
            Err(_) => Err(late()),
        }
    }
}

/// The error of what takes too long.
pub(in crate::store) fn late() -> RedisError {
    io::Error::from(io::ErrorKind::TimedOut).into()
}
