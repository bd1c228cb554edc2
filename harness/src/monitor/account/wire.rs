//! The connections of a case, as the wire recorded them.

use std::time::Duration;
use urcheck_reports::{Event, EventKind, Protocol};

/// One connection of the device to a server.
#[derive(Debug)]
pub struct Connection {
    /// Which server.
    pub protocol: Protocol,
    /// Its number at that server, from 1.
    pub number: u32,
    /// Index of the event at which it was opened.
    pub event: usize,
    /// When.
    pub at: Duration,
    /// What went over it, in order.
    pub traffic: Vec<Traffic>,
    /// When the device closed its side, or reset the connection.
    pub closed_by_client: Option<Closed>,
    /// When the server did.
    pub closed_by_server: Option<Closed>,
    /// Whether a fault rule fired on it.
    pub faulty: bool,
}

/// One read or write on a connection.
#[derive(Debug)]
pub struct Traffic {
    /// Index of the event.
    pub event: usize,
    /// When.
    pub at: Duration,
    /// Whether the device sent it.
    pub from_client: bool,
    /// How many bytes.
    pub length: u64,
}

/// The end of one side of a connection.
#[derive(Clone, Copy, Debug)]
pub struct Closed {
    /// Index of the event.
    pub event: usize,
    /// When.
    pub at: Duration,
}

impl Connection {
    /// When the first side closed it; `None`: it was open at the end of the case.
    pub fn closed(&self) -> Option<Closed> {
        let both = [self.closed_by_client, self.closed_by_server];
        both.into_iter().flatten().min_by_key(|end| end.event)
    }
}

/// The connections of these events.
pub(super) fn connections(events: &[Event]) -> Vec<Connection> {
    let mut all: Vec<Connection> = Vec::new();
    for (index, event) in events.iter().enumerate() {
        let at = event.at;
        let mut on = |of: Protocol, number: u32, change: &mut dyn FnMut(&mut Connection)| {
            let of_it = |c: &&mut Connection| c.protocol == of && c.number == number;
            if let Some(connection) = all.iter_mut().rev().find(of_it) {
                change(connection);
            }
        };
        match &event.kind {
            EventKind::Connected {
                protocol,
                connection,
            } => all.push(Connection {
                protocol: *protocol,
                number: *connection,
                event: index,
                at,
                traffic: Vec::new(),
                closed_by_client: None,
                closed_by_server: None,
                faulty: false,
            }),
            EventKind::FromClient {
                protocol,
                connection,
                bytes,
                omitted,
            }
            | EventKind::FromServer {
                protocol,
                connection,
                bytes,
                omitted,
            } => {
                let from_client = matches!(event.kind, EventKind::FromClient { .. });
                let length = bytes.len() as u64 + omitted;
                on(*protocol, *connection, &mut |c| {
                    c.traffic.push(Traffic {
                        event: index,
                        at,
                        from_client,
                        length,
                    });
                });
            }
            EventKind::Fault {
                protocol,
                connection,
                ..
            } => on(*protocol, *connection, &mut |c| c.faulty = true),
            EventKind::Wire {
                protocol,
                connection,
                what,
            } => {
                let by_client = match what.as_str() {
                    "client closed" | "client reset the connection" => true,
                    "server closed" | "server reset the connection" => false,
                    _ => continue,
                };
                on(*protocol, *connection, &mut |c| {
                    let side = if by_client {
                        &mut c.closed_by_client
                    } else {
                        &mut c.closed_by_server
                    };
                    side.get_or_insert(Closed { event: index, at });
                });
            }
            _ => {}
        }
    }
    all
}
