//! The client address of a request, to which the rate limit of unauthenticated callers applies.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use axum::extract::ConnectInfo;
use axum::http::HeaderName;
use axum::http::request::Parts;

use crate::config::Config;

/// The client address as Vercel sees it. Vercel overwrites the header if a client sends it.
const X_VERCEL_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-vercel-forwarded-for");

/// Returns the name under which requests from this address are counted. The header is trusted only on Vercel, which sets
/// it; elsewhere the address is the peer of the connection.
pub(crate) fn caller_address(parts: &Parts, config: &Config) -> String {
    let address = if config.is_on_vercel {
        let header = parts.headers.get(X_VERCEL_FORWARDED_FOR);
        let text = header.and_then(|it| it.to_str().ok()).unwrap_or_default();
        text.split(',').next().and_then(|it| it.trim().parse().ok())
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
