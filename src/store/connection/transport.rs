//! What commands go through: the connection to one server, or those to the nodes of a cluster.

use std::time::Instant;

use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::io::tcp::TcpSettings;
use redis::{
    Client, Cmd, ConnectionAddr, ConnectionInfo, ProtocolVersion, RedisResult, TlsCertificates,
    Value,
};

use super::address::{self, Target};
use super::cluster::Cluster;
use super::{CONNECT_TIMEOUT, RESPONSE_TIMEOUT};
use crate::util::metrics;

/// How many commands may wait to be sent: more than an instance has requests at once.
const COMMANDS_IN_FLIGHT: usize = 1024;

/// What commands go through.
#[derive(Clone)]
pub(super) enum Transport {
    One(ConnectionManager),
    Cluster(Cluster),
}

/// Where to connect, and how.
pub(super) struct Settings {
    pub(super) url: String,
    pub(super) ca_certificate: Option<String>,
}

impl Settings {
    /// RESP3, with which a closed connection is noticed before it is used; else what the URL says.
    pub(super) fn preferred_protocol(&self) -> RedisResult<ProtocolVersion> {
        let target = address::parse(&self.url)?;
        if self.url.contains("protocol=") {
            return Ok(target.first().redis_settings().protocol());
        }
        Ok(ProtocolVersion::RESP3)
    }

    /// A transport that connects when it is first used.
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
        match address::parse(&self.url)? {
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
    pub(super) async fn send(&mut self, command: &Cmd) -> RedisResult<Value> {
        let started = Instant::now();
        let answer = match self {
            Self::One(manager) => manager.send_packed_command(command).await,
            Self::Cluster(cluster) => cluster.send(command).await,
        };
        metrics::count_round_trip(started.elapsed());
        answer
    }
}
