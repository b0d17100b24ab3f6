//! Ports for children that cannot report a port of their own choice: functions print `VERCEL_DEV_PORT` as they
//! got it, and redis-server cannot bind port 0.

use std::fmt;

use tokio::net::TcpSocket;

/// A port of 127.0.0.1 that the system gives to no other socket while this value lives.
///
/// The socket is bound and does not listen, so connections are refused until a child listens there. On Linux a
/// child may do that, because it sets `SO_REUSEADDR` on its socket as this one does; elsewhere the socket has to be
/// closed first, and another process may take the port in between.
#[derive(Debug)]
pub struct ReservedPort {
    number: u16,
    _socket: Option<TcpSocket>,
}

impl ReservedPort {
    pub fn new() -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_reuseaddr(true).unwrap();
        socket.bind(([127, 0, 0, 1], 0).into()).unwrap();
        Self {
            number: socket.local_addr().unwrap().port(),
            _socket: cfg!(target_os = "linux").then_some(socket),
        }
    }

    pub fn number(&self) -> u16 {
        self.number
    }
}

impl fmt::Display for ReservedPort {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.number.fmt(formatter)
    }
}
