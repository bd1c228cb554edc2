//! The ways to reach a device under test, and the line to it once it is open.
//!
//! Must not know what is said on the line.

mod open;
mod port;

pub use open::open;
pub use port::{LineLost, Port};

use crate::diagnostic::nearest;
use std::fmt;
use std::str::FromStr;
use tokio::io::{AsyncRead, AsyncWrite};
use urcheck_device::mutant;

/// Something that bytes to and from a device travel over.
pub trait Transport: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Transport for T {}

/// Where the device under test is, as `--dut` names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// The embedded reference module.
    Sim,
    /// An embedded build that differs from the reference module on purpose.
    Build {
        /// The name of the mutant or conforming variant.
        name: &'static str,
    },
    /// A serial port, or the user side of a PTY, with the speed if one was given.
    Serial {
        /// Path of the port.
        path: String,
        /// Bits per second; `None`: the profile's.
        baud: Option<u32>,
    },
    /// A command that is started with a PTY as its standard input and output.
    Pty {
        /// The command, for the shell.
        command: String,
    },
    /// A raw TCP connection.
    Tcp {
        /// Name or address.
        host: String,
        /// Port.
        port: u16,
    },
}

/// What is wrong with a `--dut`.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum EndpointError {
    /// Nothing after the scheme.
    #[error("`{0}` names no device: try sim, /dev/ttyUSB2@115200, pty:COMMAND or tcp:HOST:PORT")]
    Empty(String),
    /// The speed is not a number.
    #[error("`{0}` is not a speed in bits per second, such as 115200")]
    Speed(String),
    /// Host or port is missing.
    #[error("`{0}` needs a host and a port, as in tcp:192.168.0.7:2000")]
    HostPort(String),
    /// There is neither a mutant nor a variant of that name.
    #[error(
        "there is no mutant or variant `{name}`{hint}; `urcheck module --list-mutants` lists them"
    )]
    Variant {
        /// What was asked for.
        name: String,
        /// The name that was probably meant, in words.
        hint: String,
    },
}

impl FromStr for Endpoint {
    type Err = EndpointError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "sim" {
            return Ok(Self::Sim);
        }
        if let Some(name) = text.strip_prefix("sim:") {
            return build(name).map(|name| Self::Build { name });
        }
        if let Some(command) = text.strip_prefix("pty:") {
            if command.trim().is_empty() {
                return Err(EndpointError::Empty(text.to_owned()));
            }
            return Ok(Self::Pty {
                command: command.to_owned(),
            });
        }
        if let Some(address) = text.strip_prefix("tcp:") {
            let address = address.strip_prefix("//").unwrap_or(address);
            let (host, port) = address
                .rsplit_once(':')
                .and_then(|(host, port)| Some((host, port.parse().ok()?)))
                .filter(|(host, _)| !host.is_empty())
                .ok_or_else(|| EndpointError::HostPort(text.to_owned()))?;
            let host = host.trim_matches(['[', ']']).to_owned();
            return Ok(Self::Tcp { host, port });
        }
        let (path, baud) = match text.rsplit_once('@') {
            Some((path, speed)) => {
                let speed: u32 = speed
                    .parse()
                    .map_err(|_| EndpointError::Speed(speed.to_owned()))?;
                (path, Some(speed))
            }
            None => (text, None),
        };
        if path.is_empty() {
            return Err(EndpointError::Empty(text.to_owned()));
        }
        Ok(Self::Serial {
            path: path.to_owned(),
            baud,
        })
    }
}

/// The mutant or variant of that name.
fn build(name: &str) -> Result<&'static str, EndpointError> {
    mutant::names().find(|known| *known == name).ok_or_else(|| {
        let hint = nearest(name, mutant::names())
            .map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
        EndpointError::Variant {
            name: name.to_owned(),
            hint,
        }
    })
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sim => f.write_str("sim"),
            Self::Build { name } => write!(f, "sim:{name}"),
            Self::Serial { path, baud: None } => f.write_str(path),
            Self::Serial {
                path,
                baud: Some(baud),
            } => write!(f, "{path}@{baud}"),
            Self::Pty { command } => write!(f, "pty:{command}"),
            Self::Tcp { host, port } if host.contains(':') => write!(f, "tcp:[{host}]:{port}"),
            Self::Tcp { host, port } => write!(f, "tcp:{host}:{port}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("sim", Endpoint::Sim)]
    #[case("sim:p-stop-commits", Endpoint::Build { name: "p-stop-commits" })]
    #[case("sim:ok-first", Endpoint::Build { name: "ok-first" })]
    #[case("/dev/ttyUSB2", Endpoint::Serial { path: "/dev/ttyUSB2".into(), baud: None })]
    #[case("/dev/ttyUSB2@9600", Endpoint::Serial { path: "/dev/ttyUSB2".into(), baud: Some(9600) })]
    #[case("./dut", Endpoint::Serial { path: "./dut".into(), baud: None })]
    #[case("pty:urcheck module", Endpoint::Pty { command: "urcheck module".into() })]
    #[case("tcp:127.0.0.1:2000", Endpoint::Tcp { host: "127.0.0.1".into(), port: 2000 })]
    #[case("tcp:[::1]:2000", Endpoint::Tcp { host: "::1".into(), port: 2000 })]
    fn endpoints_survive_printing(#[case] text: &str, #[case] endpoint: Endpoint) {
        assert_eq!(text.parse(), Ok(endpoint.clone()));
        assert_eq!(endpoint.to_string(), text);
    }

    #[rstest]
    #[case("")]
    #[case("sim:")]
    #[case("sim:no-such-mutant")]
    #[case("pty:")]
    #[case("tcp:host")]
    #[case("tcp::1")]
    #[case("/dev/ttyUSB2@fast")]
    fn mistakes_are_refused(#[case] text: &str) {
        assert!(text.parse::<Endpoint>().is_err());
    }

    #[test]
    fn a_mistyped_mutant_is_told_from_the_one_that_is_meant() {
        let error = "sim:p-stop-comits".parse::<Endpoint>().unwrap_err();
        assert!(error.to_string().contains("did you mean `p-stop-commits`?"));
    }
}
