//! Configuration of the local server.

use std::net::IpAddr;
use std::path::PathBuf;

use super::variable::Environment;
use super::{ConfigError, Sources};
use crate::util::host::is_host_name;

/// Configuration that only the local server (`cargo run`) has.
#[derive(Clone, Debug)]
pub struct LocalConfig {
    /// `PORT`: the port. Default: 3000; 0 is any free port.
    pub port: u16,
    /// `HOST`: the address to listen on. Default: localhost.
    pub host: Host,
    /// Whether `HOST` in the environment was ignored, because it is not an address.
    pub is_host_ignored: bool,
    /// `LLMOS_DIR`: the folder of local data. Default: `.llmos`.
    pub directory: PathBuf,
}

/// The value of `HOST`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Host {
    /// `localhost`: both loopback addresses.
    Localhost,
    /// An IP address.
    Address(IpAddr),
    /// A name that the system resolves.
    Name(String),
}

impl LocalConfig {
    /// Reads the environment of the process, into which `.env` files were loaded.
    ///
    /// # Errors
    /// The first variable with an invalid value.
    pub fn from_env(sources: &Sources) -> Result<Self, ConfigError> {
        Self::read(&Environment(&std::env::var_os), sources)
    }

    pub(super) fn read(
        environment: &Environment<'_>,
        sources: &Sources,
    ) -> Result<Self, ConfigError> {
        let port = environment.parse("PORT", "a number from 0 to 65535")?;
        let (host, is_host_ignored) = host(environment, sources)?;
        let directory = environment.variable("LLMOS_DIR");
        Ok(Self {
            port: port.unwrap_or(3000),
            host: host.unwrap_or(Host::Localhost),
            is_host_ignored,
            directory: directory.unwrap_or_else(|| ".llmos".to_owned()).into(),
        })
    }
}

/// Returns `HOST`, and whether its value in the environment was ignored. Some shells export the name of the machine as
/// `HOST`, so a name is used only if a file contains it.
fn host(
    environment: &Environment<'_>,
    sources: &Sources,
) -> Result<(Option<Host>, bool), ConfigError> {
    let in_environment = environment
        .variable("HOST")
        .filter(|_| !sources.is_from_file("HOST"));
    let is_name = |host: &Host| matches!(host, Host::Name(_));
    match in_environment.map(|text| parse_host(&text)) {
        Some(Some(host)) if !is_name(&host) => return Ok((Some(host), false)),
        Some(_) => {
            let file = sources.host_in_file.clone();
            let lookup = move |_| file.clone().map(Into::into);
            let host = read_host(&Environment(&lookup))?;
            return Ok((host, true));
        }
        None => {}
    }
    Ok((read_host(environment)?, false))
}

fn read_host(environment: &Environment<'_>) -> Result<Option<Host>, ConfigError> {
    environment.parse_with(
        "HOST",
        "localhost, an IP address, or a host name",
        parse_host,
    )
}

fn parse_host(text: &str) -> Option<Host> {
    let address = text.trim_matches(['[', ']']).parse();
    if let Ok(address) = address {
        return Some(Host::Address(address));
    }
    if text.eq_ignore_ascii_case("localhost") {
        return Some(Host::Localhost);
    }
    is_host_name(text).then(|| Host::Name(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: &str, is_from_file: bool, in_file: Option<&str>) -> Option<(Host, bool)> {
        let lookup = |name: &str| (name == "HOST").then(|| value.into());
        let mut sources = Sources::default();
        if is_from_file {
            sources.set_from_file("HOST", ".env");
        }
        sources.host_in_file = in_file.map(ToOwned::to_owned);
        let config = LocalConfig::read(&Environment(&lookup), &sources).ok()?;
        Some((config.host, config.is_host_ignored))
    }

    #[test]
    fn host_is_an_address_or_localhost_or_a_name_from_a_file() {
        let address = |text: &str| Host::Address(text.parse().unwrap());
        let name = |text: &str| Host::Name(text.to_owned());
        for (value, from_environment, from_file) in [
            (
                "127.0.0.1",
                (address("127.0.0.1"), false),
                Some(address("127.0.0.1")),
            ),
            (
                "0.0.0.0",
                (address("0.0.0.0"), false),
                Some(address("0.0.0.0")),
            ),
            ("[::1]", (address("::1"), false), Some(address("::1"))),
            ("::", (address("::"), false), Some(address("::"))),
            ("LocalHost", (Host::Localhost, false), Some(Host::Localhost)),
            ("", (Host::Localhost, false), Some(Host::Localhost)),
            (
                "mac.local",
                (Host::Localhost, true),
                Some(name("mac.local")),
            ),
            (
                "x86_64-apple-darwin22",
                (Host::Localhost, true),
                Some(name("x86_64-apple-darwin22")),
            ),
            ("127.0.0.1:3000", (Host::Localhost, true), None),
            ("http://localhost", (Host::Localhost, true), None),
            ("*", (Host::Localhost, true), None),
        ] {
            assert_eq!(read(value, false, None), Some(from_environment), "{value}");
            let from_file = from_file.map(|host| (host, false));
            assert_eq!(read(value, true, Some(value)), from_file, "{value}");
        }
    }

    #[test]
    fn host_in_a_file_replaces_an_ignored_one() {
        let address = Host::Address("0.0.0.0".parse().unwrap());
        let found = read("mac.local", false, Some("0.0.0.0"));
        assert_eq!(found, Some((address, true)));
        let found = read("127.0.0.1", false, Some("0.0.0.0"));
        assert_eq!(
            found,
            Some((Host::Address("127.0.0.1".parse().unwrap()), false))
        );
    }
}
