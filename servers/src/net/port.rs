//! A TCP port that can be shut for real: attempts to connect are refused by the system, or never
//! answered, as if no server were there. The socket stays bound all the while, so that the port number is
//! nobody else's and the next server finds it.
//!
//! * *Refused*: the socket stays bound but does not listen any more.
//! * *Never answered*: the queue of the socket has room for one connection, which is ours, so the
//!   system drops every further SYN.
//!
//! Nobody is told of an attempt that comes to nothing. What there is are counters of the system
//! (Linux: resets sent, SYNs dropped at a full queue). Where they stand still nobody has met the
//! shut port for sure; where they rise somebody has, as far as nothing else on this machine did
//! the same at that time. Where there are no counters the port does not shut.

use super::{Door, Listener};
use socket2::{Domain, SockRef, Socket, Type};
use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};

/// How many connections may wait to be accepted while the port is open.
const BACKLOG: i32 = 128;
/// How long the connection that fills the queue may take; on one machine it takes none.
const FILL: Duration = Duration::from_millis(200);

/// A TCP port for a row of servers, one after the other.
#[derive(Debug)]
pub struct TcpPort {
    address: SocketAddr,
    shared: Arc<Mutex<Shared>>,
}

#[derive(Debug)]
struct Shared {
    listener: std::net::TcpListener,
    /// Which of the listeners that were handed out may use it: the last one.
    generation: u64,
}

impl TcpPort {
    /// Takes a port; 0 is any free one. From now on connections queue up.
    ///
    /// # Errors
    /// The port is taken or not allowed.
    pub fn bind(address: SocketAddr) -> io::Result<Self> {
        let mut address = address;
        // A port that the system chose is given up when the socket stops listening. One that was
        // asked for by number is kept, so ask for the chosen one by its number.
        let chosen = match address.port() {
            0 => {
                let socket = bound(address)?;
                address.set_port(port_of(&socket)?);
                Some(socket)
            }
            _ => None,
        };
        let socket = bound(address)?;
        drop(chosen);
        socket.listen(BACKLOG)?;
        socket.set_nonblocking(true)?;
        Ok(Self {
            address,
            shared: Arc::new(Mutex::new(Shared {
                listener: socket.into(),
                generation: 0,
            })),
        })
    }

    /// Address and port.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Opens the port for the next server. Connections that wait already are closed, and listeners
    /// from before get no more. To be called in a runtime.
    ///
    /// # Errors
    /// The system does not hand out another descriptor.
    pub fn listener(&self) -> io::Result<TcpPortListener> {
        let mut shared = lock(&self.shared);
        SockRef::from(&shared.listener).listen(BACKLOG)?;
        while shared.listener.accept().is_ok() {}
        let open = tokio_listener(&shared.listener)?;
        shared.generation += 1;
        Ok(TcpPortListener {
            address: self.address,
            shared: Arc::clone(&self.shared),
            generation: shared.generation,
            open: Some(open),
            waiting: VecDeque::new(),
            filler: None,
            door: Door::Open,
            counted: 0,
        })
    }
}

/// One server's hold on a [`TcpPort`].
#[derive(Debug)]
pub struct TcpPortListener {
    address: SocketAddr,
    shared: Arc<Mutex<Shared>>,
    generation: u64,
    /// `None` while the port is shut.
    open: Option<TcpListener>,
    /// Connections that came about before the port was shut, or just behind.
    waiting: VecDeque<(std::net::TcpStream, SocketAddr)>,
    /// The connection that fills the queue.
    filler: Option<std::net::TcpStream>,
    door: Door,
    /// The counter of the system when the port was shut.
    counted: u64,
}

impl TcpPortListener {
    fn set_door(&mut self, door: Door) -> io::Result<()> {
        let shared = Arc::clone(&self.shared);
        let shared = lock(&shared);
        if shared.generation != self.generation {
            return Err(io::ErrorKind::AddrInUse.into());
        }
        let socket = SockRef::from(&shared.listener);
        // Looked for first: without a counter nothing may be shut.
        let counted = counter(door)?;
        self.open = None;
        self.door = Door::Open;
        match door {
            Door::Open => socket.listen(BACKLOG)?,
            Door::Refuse => {
                self.take_waiting(&shared.listener);
                socket.shutdown(Shutdown::Both)?;
            }
            Door::BlackHole => {
                self.take_waiting(&shared.listener);
                socket.listen(0)?;
                // That it does not come about can only mean that the queue is full without it.
                let filler = std::net::TcpStream::connect_timeout(&reachable(self.address), FILL);
                self.filler = filler.ok();
            }
        }
        if door == Door::Open {
            self.take_waiting(&shared.listener);
            self.filler = None;
            self.open = Some(tokio_listener(&shared.listener)?);
        }
        self.door = door;
        // Read again: the filler may have been counted itself.
        self.counted = counter(door).unwrap_or(counted);
        Ok(())
    }

    /// Takes what waits to be accepted, but not our own filler.
    fn take_waiting(&mut self, listener: &std::net::TcpListener) {
        let filler = self.filler.as_ref();
        let filler = filler.and_then(|filler| filler.local_addr().ok());
        while let Ok((stream, peer)) = listener.accept() {
            if Some(peer) != filler && self.waiting.len() < BACKLOG.unsigned_abs() as usize {
                self.waiting.push_back((stream, peer));
            }
        }
    }
}

impl Listener for TcpPortListener {
    type Stream = TcpStream;

    async fn accept(&mut self) -> io::Result<(TcpStream, String)> {
        let (stream, peer) = match (self.waiting.pop_front(), &self.open) {
            (Some((stream, peer)), _) => {
                stream.set_nonblocking(true)?;
                (TcpStream::from_std(stream)?, peer)
            }
            (None, Some(open)) => open.accept().await?,
            (None, None) => std::future::pending().await,
        };
        stream.set_nodelay(true)?;
        Ok((stream, peer.to_string()))
    }

    fn shut(&mut self, door: Door) -> bool {
        if door == self.door {
            return true;
        }
        if self.set_door(door).is_ok() {
            return true;
        }
        // Better open than in between.
        if door != Door::Open {
            self.set_door(Door::Open).ok();
        }
        false
    }

    fn was_met(&mut self) -> bool {
        self.door != Door::Open && counter(self.door).is_ok_and(|now| now > self.counted)
    }
}

fn bound(address: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    // As the standard library does: a port with old connections in TIME-WAIT can be had.
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    Ok(socket)
}

fn port_of(socket: &Socket) -> io::Result<u16> {
    let address = socket.local_addr()?.as_socket();
    address
        .map(|address| address.port())
        .ok_or_else(|| io::ErrorKind::Unsupported.into())
}

fn tokio_listener(listener: &std::net::TcpListener) -> io::Result<TcpListener> {
    listener.try_clone().and_then(TcpListener::from_std)
}

/// The address under which this machine itself reaches a listening address.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(ip) if ip.is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    address
}

/// The counter of the system that rises when somebody meets a port that is shut like this.
fn counter(door: Door) -> io::Result<u64> {
    let (file, group, name) = match door {
        Door::Open => return Ok(0),
        Door::Refuse => ("/proc/self/net/snmp", "Tcp:", "OutRsts"),
        Door::BlackHole => ("/proc/self/net/netstat", "TcpExt:", "ListenOverflows"),
    };
    let text = std::fs::read_to_string(file)?;
    figure(&text, group, name).ok_or_else(|| io::ErrorKind::Unsupported.into())
}

/// A figure in a file that has a line of names and below it a line of figures for each group.
fn figure(text: &str, group: &str, name: &str) -> Option<u64> {
    let mut lines = text.lines().filter(|line| line.starts_with(group));
    let names = lines.next()?.split_whitespace();
    let figures = lines.next()?.split_whitespace();
    let (_, figure) = names.zip(figures).find(|(one, _)| *one == name)?;
    figure.parse().ok()
}

/// A poisoned lock only says that some other task panicked; the state behind it is plain data.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_found_by_their_names() {
        let text = "Ip: A B\nIp: 1 2\nTcp: A OutRsts B\nTcp: 5 106 7\n";
        assert_eq!(figure(text, "Tcp:", "OutRsts"), Some(106));
        assert_eq!(figure(text, "Ip:", "B"), Some(2));
        assert_eq!(figure(text, "Tcp:", "InErrs"), None);
        assert_eq!(figure("Tcp: OutRsts\n", "Tcp:", "OutRsts"), None);
    }
}
