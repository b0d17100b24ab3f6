//! Transports of commands: one server, or the nodes of a cluster.

use std::time::Instant;

use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::io::tcp::TcpSettings;
use redis::{
    Client, Cmd, ConnectionAddr, ConnectionInfo, ProtocolVersion, RedisResult, TlsCertificates,
    Value,
};

use super::cluster::Cluster;
use super::timeouts::{CONNECT_TIMEOUT, RESPONSE_TIMEOUT};
use super::url::{self, Target};
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
    pub(super) fn preferred_protocol(&self) -> RedisResult<ProtocolVersion> {
        let target = url::parse(&self.url)?;
        if self.url.contains("protocol=") {
            return Ok(target.first().redis_settings().protocol());
        }
        Ok(ProtocolVersion::RESP3)
    }

    /// Returns a transport that connects on first use.
    pub(super) fn lazy_transport(&self, protocol: ProtocolVersion) -> RedisResult<Transport> {
        let with_settings = |info: ConnectionInfo| {
            let redis = info.redis_settings().clone().set_protocol(protocol);
            info.set_redis_settings(redis)
                .set_tcp_settings(TcpSettings::default().set_nodelay(true))
        };
        let certificates = self.ca_certificate.as_ref().map(|pem| TlsCertificates {
            client_tls: None,
            root_cert: Some(pem.clone().into_bytes()),
        });
        match url::parse(&self.url)? {
            Target::One(info) => {
                let is_encrypted = matches!(info.addr(), ConnectionAddr::TcpTls { .. });
                let client = match certificates {
                    Some(certificates) if is_encrypted => {
                        Client::build_with_tls(with_settings(*info), certificates)?
                    }
                    _ => Client::open(with_settings(*info))?,
                };
                let config = ConnectionManagerConfig::new()
                    .set_number_of_retries(0)
                    .set_connection_timeout(Some(CONNECT_TIMEOUT))
                    .set_response_timeout(Some(RESPONSE_TIMEOUT))
                    .set_pipeline_buffer_size(COMMANDS_IN_FLIGHT);
                Ok(Transport::One(client.get_connection_manager_lazy(config)?))
            }
            Target::Cluster(nodes) => {
                let nodes = nodes.into_iter().map(with_settings).collect();
                Ok(Transport::Cluster(Cluster::new(nodes, certificates)?))
            }
        }
    }
}

impl Transport {
    /// Sends a command and counts the round trip.
    pub(super) async fn send(&mut self, command: &Cmd) -> RedisResult<Value> {
        let started = Instant::now();
        let reply = match self {
            Self::One(manager) => manager.send_packed_command(command).await,
            Self::Cluster(cluster) => cluster.send(command).await,
        };
        metrics::count_round_trip(started.elapsed());
        reply
    }
}
