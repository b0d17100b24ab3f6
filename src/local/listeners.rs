//! The sockets of the local server: one for each address of `HOST`.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use anyhow::{Context, bail};
use tokio::net::{TcpListener, lookup_host};

use crate::config::{Host, LocalConfig};

/// Both loopback addresses. Clients try them in either order for `localhost`.
const LOOPBACK: [IpAddr; 2] = [
    IpAddr::V4(Ipv4Addr::LOCALHOST),
    IpAddr::V6(Ipv6Addr::LOCALHOST),
];
/// The number of free ports that are tried until one is free on every address.
const FREE_PORT_ATTEMPTS: u32 = 10;

/// Listens on every address of `HOST`, on the same port. Returns at least one listener. An address that this machine
/// does not have, such as the IPv6 one without IPv6, is left out if another one works.
///
/// # Errors
/// If the name does not resolve, the port is in use on one of the addresses, or no address works.
pub async fn listen(local: &LocalConfig) -> anyhow::Result<Vec<TcpListener>> {
    let addresses = addresses(&local.host).await?;
    let mut attempt = 1;
    loop {
        match bind_all(&addresses, local.port).await {
            Ok(listeners) => return Ok(listeners),
            Err((_, error))
                if error.kind() == io::ErrorKind::AddrInUse
                    && local.port == 0
                    && attempt < FREE_PORT_ATTEMPTS =>
            {
                attempt += 1;
            }
            Err((address, error)) => {
                let problem = explain(address, &error);
                return Err(error).context(problem);
            }
        }
    }
}

async fn addresses(host: &Host) -> anyhow::Result<Vec<IpAddr>> {
    let name = match host {
        Host::Localhost => return Ok(LOOPBACK.to_vec()),
        Host::Address(address) => return Ok(vec![*address]),
        Host::Name(name) => name,
    };
    let found = lookup_host((&**name, 0)).await.with_context(|| {
        format!(
            "the name in HOST, {name}, does not resolve: set HOST to localhost or an IP address"
        )
    })?;
    let mut addresses = Vec::new();
    for address in found {
        if !addresses.contains(&address.ip()) {
            addresses.push(address.ip());
        }
    }
    if addresses.is_empty() {
        bail!("the name in HOST, {name}, has no address: set HOST to localhost or an IP address");
    }
    Ok(addresses)
}

/// Listens on all addresses. With port 0, uses a free port of the first address for all.
async fn bind_all(
    addresses: &[IpAddr],
    port: u16,
) -> Result<Vec<TcpListener>, (SocketAddr, io::Error)> {
    let mut listeners = Vec::new();
    let mut port = port;
    let mut unavailable = None;
    for address in addresses {
        let address = SocketAddr::new(*address, port);
        match TcpListener::bind(address).await {
            Ok(listener) => {
                port = listener.local_addr().map_or(port, |bound| bound.port());
                listeners.push(listener);
            }
            Err(error) if is_occupied(&error) => return Err((address, error)),
            Err(error) => unavailable = Some((address, error)),
        }
    }
    match unavailable {
        Some(unavailable) if listeners.is_empty() => Err(unavailable),
        _ => Ok(listeners),
    }
}

/// Returns whether the address exists, and this process may not listen on the port.
fn is_occupied(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::AddrInUse | io::ErrorKind::PermissionDenied
    )
}

fn explain(address: SocketAddr, error: &io::Error) -> String {
    let remedy = match error.kind() {
        io::ErrorKind::AddrInUse => "stop the program on that port, or set PORT to another port",
        io::ErrorKind::PermissionDenied => "set PORT to 1024 or greater",
        _ => "set HOST to localhost or an address of this machine",
    };
    format!("cannot listen on {address}: {remedy}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const MISSING: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));

    #[tokio::test]
    async fn all_addresses_have_the_same_free_port() {
        let second = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));
        let listeners = bind_all(&[LOOPBACK[0], second], 0).await.unwrap();
        let ports: Vec<u16> = listeners
            .iter()
            .map(|listener| listener.local_addr().unwrap().port())
            .collect();
        assert!(ports.len() == 2 && ports[0] == ports[1], "{ports:?}");
    }

    #[tokio::test]
    async fn address_of_another_machine_is_left_out_unless_it_is_the_only_one() {
        let listeners = bind_all(&[MISSING, LOOPBACK[0]], 0).await.unwrap();
        assert_eq!(listeners.len(), 1);
        let (address, _) = bind_all(&[MISSING], 0).await.unwrap_err();
        assert_eq!(address.ip(), MISSING);
    }

    #[tokio::test]
    async fn port_in_use_on_one_address_is_an_error() {
        let second = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));
        let taken = TcpListener::bind((second, 0)).await.unwrap();
        let port = taken.local_addr().unwrap().port();
        let (address, error) = bind_all(&[LOOPBACK[0], second], port).await.unwrap_err();
        assert_eq!(
            (address.ip(), error.kind()),
            (second, io::ErrorKind::AddrInUse)
        );
    }
}
