//! Transports of commands: one server, or the nodes of a cluster.

use std::time::Instant;

use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::io::tcp::TcpSettings;
use redis::{
    Client, Cmd, ConnectionAddr, ConnectionInfo, ErrorKind, Pipeline, ProtocolVersion, RedisResult,
    TlsCertificates, Value,
};

use super::cluster::Cluster;
use super::timeouts::{CONNECT_TIMEOUT, RESPONSE_TIMEOUT};
use super::url::{self, RedisUrl};
use crate::store::error::Result;
use crate::util::metrics;

/// Maximum number of commands that wait to be sent. It exceeds the concurrent requests of an instance.
const COMMANDS_IN_FLIGHT: usize = 1024;

/// Sends commands to Redis.
#[derive(Clone)]
pub(super) enum Transport {
    One(ConnectionManager),
    Cluster(Cluster),
}

/// Address and options of a connection.
pub(super) struct ConnectOptions {
    pub(super) url: String,
    pub(super) ca_certificate: Option<String>,
}

impl ConnectOptions {
    /// Returns the protocol in the URL, else RESP3: with RESP3 the crate notices a closed connection before using it.
    pub(super) fn preferred_protocol(&self) -> Result<ProtocolVersion> {
        let protocol = url::parse(&self.url)?.protocol;
        Ok(protocol.unwrap_or(ProtocolVersion::RESP3))
    }

    /// Returns a transport that connects on first use.
    pub(super) fn lazy_transport(&self, protocol: ProtocolVersion) -> Result<Transport> {
        let with_settings = |info: ConnectionInfo| {
            let redis = info.redis_settings().clone().set_protocol(protocol);
            info.set_redis_settings(redis)
                .set_tcp_settings(TcpSettings::default().set_nodelay(true))
        };
        let certificates = self.ca_certificate.as_ref().map(|pem| TlsCertificates {
            client_tls: None,
            root_cert: Some(pem.clone().into_bytes()),
        });
        let RedisUrl {
            servers,
            is_cluster,
            ..
        } = url::parse(&self.url)?;
        let mut servers: Vec<_> = servers.into_iter().map(with_settings).collect();
        if is_cluster {
            return Ok(Transport::Cluster(Cluster::new(servers, certificates)?));
        }
        let server = servers.remove(0);
        let is_encrypted = matches!(server.addr(), ConnectionAddr::TcpTls { .. });
        let client = match certificates {
            Some(certificates) if is_encrypted => Client::build_with_tls(server, certificates)?,
            _ => Client::open(server)?,
        };
        let config = ConnectionManagerConfig::new()
            .set_number_of_retries(0)
            .set_connection_timeout(Some(CONNECT_TIMEOUT))
            .set_response_timeout(Some(RESPONSE_TIMEOUT))
            .set_pipeline_buffer_size(COMMANDS_IN_FLIGHT);
        Ok(Transport::One(client.get_connection_manager_lazy(config)?))
    }
}

impl Transport {
    /// Sends a request and counts the round trip.
    pub(super) async fn send(&mut self, request: Request<'_>) -> RedisResult<Value> {
        let started = Instant::now();
        let reply = match (self, request) {
            (Self::One(manager), Request::Command(command)) => {
                manager.send_packed_command(command).await
            }
            (Self::One(manager), Request::Pipeline(commands)) => {
                let replies = manager.send_packed_commands(commands, 0, commands.len());
                replies.await.map(Value::Array)
            }
            (Self::Cluster(cluster), Request::Command(command)) => cluster.send(command).await,
            (Self::Cluster(_), Request::Pipeline(_)) => Err((
                ErrorKind::InvalidClientConfig,
                "pipelines are not used on a cluster",
            )
                .into()),
        };
        metrics::count_round_trip(started.elapsed());
        reply
    }
}

/// What is sent to Redis at once.
#[derive(Clone, Copy)]
pub(in crate::store) enum Request<'a> {
    /// One command.
    Command(&'a Cmd),
    /// Several commands.
    Pipeline(&'a Pipeline),
}
