//! Test support: real servers that stop with the test, and clients for them.

mod blob_store;
mod client;
mod cluster_node;
mod cluster_servers;
mod key_server;
mod model_answer;
mod model_script;
mod model_server;
mod node;
mod port;
mod process;
mod proxy;
mod python;
mod redis;
mod routes;
mod runtime;
mod shared_redis;
mod skills;
mod stream;
mod test_app;
mod tls;
mod tokens;
mod vercel;

use llmos::app::App;
use llmos::config::Config;
use llmos::http::{self, layers::service};
use llmos::util::secret::Secret;

pub use self::blob_store::{BlobServer, Fault};
pub use self::client::{Client, Response, SessionFixture, http_client};
pub use self::cluster_node::ClusterNode;
pub use self::cluster_servers::ClusterServers;
pub use self::key_server::KeyServer;
pub use self::model_answer::ModelAnswer;
pub use self::model_script::{Script, Step};
pub use self::model_server::{ModelCall, ModelServer};
pub use self::node::{run_python, run_script};
pub use self::port::ReservedPort;
pub use self::process::{Process, clear_configuration};
pub use self::proxy::{Mode, Proxy};
pub use self::python::write_python_session;
pub use self::redis::Redis;
pub use self::routes::{
    MAX_ROUND_TRIPS, check_chat_routes, check_file_routes, check_old_ids, check_session_routes,
    check_skill_and_file_routes, check_skill_routes,
};
pub use self::runtime::Runtime;
pub use self::shared_redis::SharedRedis;
pub use self::skills::{SkillsApp, blob_config, put};
pub use self::stream::read_events;
pub use self::test_app::TestApp;
pub use self::tls::TlsRedis;
pub use self::tokens::{AUDIENCE, Claims, ISSUER, Issuer, encoded, in_seconds};
pub use self::vercel::{Cli, Tree};

/// Starts the service in this process, without a socket.
pub fn in_process(config: Config) -> Client {
    Client::in_process(service(http::router(), App::new(config)))
}

/// Returns the configuration of a production deployment on this Redis.
pub fn config(redis_url: &str) -> Config {
    Config {
        redis_url: Some(Secret::new(redis_url.to_owned())),
        vercel_env: Some("production".to_owned()),
        ..Config::default()
    }
}
