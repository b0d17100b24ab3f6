//! The client address of a request, to which the rate limit of unauthenticated callers applies.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use axum::extract::ConnectInfo;
use axum::http::request::Parts;

use super::vercel_headers::X_VERCEL_FORWARDED_FOR;
use crate::config::Config;

/// Returns the rate limit's name for the client address. The header is trusted only on Vercel, which sets it.
/// Elsewhere, the address is the peer of the connection.
pub(crate) fn caller_address(parts: &Parts, config: &Config) -> String {
    let address = if config.is_on_vercel {
        let header = parts.headers.get(X_VERCEL_FORWARDED_FOR);
        let text = header.and_then(|header| header.to_str().ok());
        let first = text.unwrap_or_default().split(',').next();
        first.and_then(|address| address.trim().parse().ok())
    } else {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        peer.map(|ConnectInfo(peer)| peer.ip())
    };
    match address {
        Some(address) => format!("address {}", network(address)),
        None => "address unknown".to_owned(),
    }
}

/// Returns the part of an address that a provider assigns to one customer: a whole IPv4 address, the /64 of an IPv6
/// address.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let prefix = address.to_bits() >> 64 << 64;
            Ipv6Addr::from_bits(prefix).into()
        }
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::Request;

    fn address(is_on_vercel: bool, headers: &[(&str, &str)]) -> String {
        let mut request = Request::builder();
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (mut parts, ()) = request.body(()).unwrap().into_parts();
        let peer = SocketAddr::from(([192, 0, 2, 7], 1234));
        parts.extensions.insert(ConnectInfo(peer));
        let config = Config {
            is_on_vercel,
            ..Config::default()
        };
        caller_address(&parts, &config)
    }

    #[test]
    fn client_address_header_of_vercel_is_trusted_only_on_vercel() {
        let headers = [
            ("x-forwarded-for", "198.51.100.1"),
            ("x-real-ip", "198.51.100.2"),
            ("forwarded", "for=198.51.100.3"),
            ("x-vercel-forwarded-for", "203.0.113.9"),
        ];
        assert_eq!(address(true, &headers), "address 203.0.113.9");
        assert_eq!(address(false, &headers), "address 192.0.2.7");
        assert_eq!(address(true, &headers[..3]), "address unknown");
        assert_eq!(
            address(true, &[("x-vercel-forwarded-for", "2001:db8:1:2:3:4:5:6")]),
            "address 2001:db8:1:2::"
        );
    }
}
