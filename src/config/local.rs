//! What is configured of the local server.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;

use super::ConfigError;
use super::variable::{parsed, variable};

/// What only the local server (`cargo run`) needs to know.
#[derive(Clone, Debug)]
pub struct LocalConfig {
    /// `PORT`: where to listen; 3000 if unset, 0 for any free port.
    pub port: u16,
    /// `HOST`: the address to listen on; 127.0.0.1 if unset.
    pub host: IpAddr,
    /// `LLMOS_DIR`: the folder for local data; `.llmos` if unset.
    pub directory: PathBuf,
}

impl LocalConfig {
    /// Reads the environment.
    ///
    /// # Errors
    /// Names the variable whose value is none it can have.
    pub fn from_env() -> Result<Self, ConfigError> {
        Ok(Self {
            port: parsed("PORT", "a number from 0 to 65535")?.unwrap_or(3000),
            host: parsed("HOST", "an IP address")?.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST)),
            directory: variable("LLMOS_DIR")
                .unwrap_or_else(|| ".llmos".to_owned())
                .into(),
        })
    }
}
