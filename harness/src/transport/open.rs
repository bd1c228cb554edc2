//! Opening the line to a device that is not embedded.

use super::{Endpoint, Port};
use std::io;
use std::process::Stdio;
use std::time::Duration;
use tokio_serial::SerialPortBuilderExt;

/// How long opening a TCP connection may take.
const CONNECT: Duration = Duration::from_secs(10);

/// Why the line cannot be opened: one sentence that names it and says what to do.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The port does not exist.
    #[error("{path}: no such port{hint}")]
    Missing {
        /// Path of the port.
        path: String,
        /// Which ports exist, in words.
        hint: String,
    },
    /// Another program has it.
    #[error("{path}: busy, another program has it open")]
    Busy {
        /// Path of the port.
        path: String,
    },
    /// Anything else about a serial port.
    #[error("{path}: failed to open it: {why}")]
    Serial {
        /// Path of the port.
        path: String,
        /// What the system said.
        why: String,
    },
    /// The command cannot be started.
    #[error("failed to start `{command}` on a PTY: {source}")]
    Pty {
        /// The command.
        command: String,
        /// What the system said.
        source: io::Error,
    },
    /// The connection cannot be made.
    #[error("failed to connect to {address}: {source}")]
    Tcp {
        /// Host and port.
        address: String,
        /// What the system said.
        source: io::Error,
    },
}

/// Opens the line to a device.
///
/// # Errors
/// One sentence for whoever has to mend it.
///
/// # Panics
/// Never; the embedded module has no line to open and gives an error.
pub async fn open(endpoint: &Endpoint, default_baud: u32) -> Result<Port, OpenError> {
    let name = endpoint.to_string();
    match endpoint {
        Endpoint::Sim | Endpoint::Build { .. } => Err(OpenError::Missing {
            path: name,
            hint: String::new(),
        }),
        Endpoint::Serial { path, baud } => {
            let stream = serial(path, baud.unwrap_or(default_baud))?;
            Ok(Port::new(name, Box::new(stream)))
        }
        Endpoint::Pty { command } => pty(command).map_err(|source| OpenError::Pty {
            command: command.clone(),
            source,
        }),
        Endpoint::Tcp { host, port } => {
            let address = format!("{host}:{port}");
            let connect = tokio::net::TcpStream::connect((host.as_str(), *port));
            let stream = match tokio::time::timeout(CONNECT, connect).await {
                Ok(result) => result,
                Err(_) => Err(io::ErrorKind::TimedOut.into()),
            };
            match stream.and_then(|stream| stream.set_nodelay(true).map(|()| stream)) {
                Ok(stream) => Ok(Port::new(name, Box::new(stream))),
                Err(source) => Err(OpenError::Tcp { address, source }),
            }
        }
    }
}

fn serial(path: &str, baud: u32) -> Result<tokio_serial::SerialStream, OpenError> {
    // A symbolic link is followed first, so that the lock is taken on the port itself.
    let real = std::fs::canonicalize(path).map_err(|error| missing_or(path, &error))?;
    let opened = tokio_serial::new(real.to_string_lossy(), baud).open_native_async();
    opened.map_err(|error| {
        let path = path.to_owned();
        let why = error.to_string();
        match error.kind() {
            // The path was just found, so this is the kind that the crate gives for EBUSY and for
            // a lock that another program holds.
            tokio_serial::ErrorKind::NoDevice => OpenError::Busy { path },
            _ if why.contains("exclusive lock") => OpenError::Busy { path },
            _ => OpenError::Serial { path, why },
        }
    })
}

fn missing_or(path: &str, error: &io::Error) -> OpenError {
    if error.kind() != io::ErrorKind::NotFound {
        return OpenError::Serial {
            path: path.to_owned(),
            why: error.to_string(),
        };
    }
    let ports = serialport::available_ports().unwrap_or_default();
    let names: Vec<_> = ports
        .iter()
        .map(|port| port.port_name.as_str())
        .take(8)
        .collect();
    let hint = match names.as_slice() {
        [] => " (this machine shows no serial port at all: is the device plugged in?)".to_owned(),
        names => format!(" (there are {})", names.join(", ")),
    };
    OpenError::Missing {
        path: path.to_owned(),
        hint,
    }
}

fn pty(command: &str) -> io::Result<Port> {
    let pty = urcheck_device::pty::Pty::open().map_err(io::Error::other)?;
    let user = std::fs::OpenOptions::new()
        .read(true)
        .write(true)
        .open(pty.path())?;
    let child = tokio::process::Command::new("/bin/sh")
        .arg("-c")
        .arg(format!("exec {command}"))
        .stdin(Stdio::from(user.try_clone()?))
        .stdout(Stdio::from(user))
        .kill_on_drop(true)
        .spawn()?;
    Ok(Port::new(format!("pty:{command}"), Box::new(pty)).with_child(child))
}
