//! Configuration of the local server.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;

use super::{ConfigError, Environment};

/// Configuration that only the local server (`cargo run`) has.
#[derive(Clone, Debug)]
pub struct LocalConfig {
    /// `PORT`: the port. Default: 3000; 0 is any free port.
    pub port: u16,
    /// `HOST`: the address to listen on. Default: 127.0.0.1.
    pub host: IpAddr,
    /// `LLMOS_DIR`: the folder of local data. Default: `.llmos`.
    pub directory: PathBuf,
}

impl LocalConfig {
    /// Reads the environment of the process.
    ///
    /// # Errors
    /// The first variable with an invalid value.
    pub fn from_env() -> Result<Self, ConfigError> {
        Self::read(&Environment(&std::env::var_os))
    }

    pub(super) fn read(environment: &Environment<'_>) -> Result<Self, ConfigError> {
        let port = environment.parse("PORT", "a number from 0 to 65535")?;
        let host = environment.parse("HOST", "an IP address")?;
        let directory = environment.variable("LLMOS_DIR");
        Ok(Self {
            port: port.unwrap_or(3000),
            host: host.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST)),
            directory: directory.unwrap_or_else(|| ".llmos".to_owned()).into(),
        })
    }
}
