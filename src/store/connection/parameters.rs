//! The parameters in the query of `REDIS_URL`, and the database in its path. Each is applied, or rejected by name.

use redis::ProtocolVersion;
use reqwest::Url;

use super::url_error::UrlError;

/// The longest name of a parameter that an error repeats.
const MAX_NAME_CHARS: usize = 32;

/// The parameters of all URLs in a list. They apply to all of its hosts.
#[derive(Debug, Default)]
pub(super) struct Parameters {
    /// The path, or `db`.
    pub(super) database: Option<i64>,
    /// `protocol`.
    pub(super) protocol: Option<ProtocolVersion>,
    /// `cluster`.
    cluster: Option<bool>,
    /// `user` of a socket. The crate reads it as well.
    user: Option<String>,
    /// `pass` of a socket. The crate reads it as well.
    password: Option<String>,
}

impl Parameters {
    /// Reads the query of a URL.
    pub(super) fn read(&mut self, url: &Url) -> Result<(), UrlError> {
        let is_socket = url.scheme().ends_with("unix");
        let is_encrypted = matches!(url.scheme(), "rediss" | "valkeys");
        for (name, value) in url.query_pairs() {
            let value = &*value;
            match &*name {
                "db" => set(
                    &mut self.database,
                    "db",
                    parse_database(value),
                    "a number, 0 or greater",
                )?,
                "protocol" => set(
                    &mut self.protocol,
                    "protocol",
                    parse_protocol(value),
                    "resp2 or resp3",
                )?,
                "cluster" if is_socket => return Err(contradiction("cluster")),
                "cluster" => set(
                    &mut self.cluster,
                    "cluster",
                    value.parse().ok(),
                    "true or false",
                )?,
                "user" if is_socket => {
                    set(&mut self.user, "user", Some(value.to_owned()), "a name")?
                }
                "pass" if is_socket => set(
                    &mut self.password,
                    "pass",
                    Some(value.to_owned()),
                    "a password",
                )?,
                // Clients of Node.js use it to look up IPv4 and IPv6 addresses, as this service always does.
                "family" if !is_socket => {
                    check("family", value == "0", "0, which is both IPv4 and IPv6")?
                }
                "ssl_cert_reqs" if !is_socket => {
                    let is_required = ["required", "CERT_REQUIRED"].contains(&value);
                    check("ssl_cert_reqs", is_required, CERTIFICATES)?;
                    if !is_encrypted {
                        return Err(contradiction("ssl_cert_reqs"));
                    }
                }
                name => return Err(unknown(name, self.password.is_some())),
            }
        }
        Ok(())
    }

    /// Reads the path of a URL with a host.
    pub(super) fn read_path(&mut self, path: &str) -> Result<(), UrlError> {
        match path.trim_matches('/') {
            "" => Ok(()),
            text => match parse_database(text) {
                None => Err(UrlError::new(
                    "the database after the host must be a number".to_owned(),
                    "correct or remove it: redis://host:6379/0; percent-encode a / in the password (%2F)",
                )),
                database => set(&mut self.database, "db", database, ""),
            },
        }
    }

    /// Returns whether a URL with this number of hosts names a cluster.
    pub(super) fn is_cluster(&self, hosts: usize) -> Result<bool, UrlError> {
        match self.cluster {
            Some(false) if hosts > 1 => Err(contradiction("cluster")),
            cluster => Ok(cluster.unwrap_or(hosts > 1)),
        }
    }
}

const CERTIFICATES: &str = "required, because certificates are always verified; set REDIS_CA_CERT to trust another authority";

/// Sets a parameter that has no other value yet.
fn set<T: PartialEq>(
    parameter: &mut Option<T>,
    name: &str,
    value: Option<T>,
    expected: &str,
) -> Result<(), UrlError> {
    check(name, value.is_some(), expected)?;
    if parameter.is_some() && *parameter != value {
        return Err(contradiction(name));
    }
    *parameter = value;
    Ok(())
}

fn check(name: &str, is_valid: bool, expected: &str) -> Result<(), UrlError> {
    let problem = || format!("the parameter {name} must be {expected}");
    let remedy = "correct or remove it";
    is_valid
        .then_some(())
        .ok_or_else(|| UrlError::new(problem(), remedy))
}

fn contradiction(name: &str) -> UrlError {
    UrlError::new(
        format!("the parameter {name} contradicts another part of the URL"),
        "remove one of the two",
    )
}

/// Returns the error of an unknown parameter. Omits the name if it can be a part of a password with an unescaped `&` or
/// `?`.
fn unknown(name: &str, follows_password: bool) -> UrlError {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
    let is_shown = !follows_password
        && (1..=MAX_NAME_CHARS).contains(&name.len())
        && name.bytes().all(is_plain);
    let problem = match is_shown {
        true => format!("the parameter {name} is unknown"),
        false => "a parameter is unknown".to_owned(),
    };
    UrlError::new(
        problem,
        "remove it; the known ones are db, protocol and cluster, for a socket also user and pass; percent-encode & \
         and ? in a password (%26, %3F)",
    )
}

fn parse_database(text: &str) -> Option<i64> {
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().ok()).flatten()
}

fn parse_protocol(text: &str) -> Option<ProtocolVersion> {
    match text {
        "2" | "resp2" => Some(ProtocolVersion::RESP2),
        "3" | "resp3" => Some(ProtocolVersion::RESP3),
        _ => None,
    }
}
