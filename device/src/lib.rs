//! The reference module of urcheck: the system that the application note describes.
//!
//! [`Module`] is an AT interpreter (ITU-T V.250, and the commands of the note) with a real SMTP
//! client, a real POP3 client and a file system confined to one directory. It serves a DTE on any
//! byte stream: a memory pipe, a TCP connection, or a pseudo terminal ([`pty::Pty`]). It behaves
//! as the note says; where the note is silent, as the manual of the sibling module SIM5320 and
//! V.250 say.
//!
//! ```
//! use std::sync::Arc;
//! use tokio::io::{AsyncReadExt, AsyncWriteExt};
//! use urcheck_device::{Module, Settings, net::TcpDialer};
//!
//! # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
//! let mut module = Module::new(Settings::default(), Arc::new(TcpDialer))?;
//! let (mut dte, line) = tokio::io::duplex(1024);
//! dte.write_all(b"AT+SMTPSRV=\"smtp.server.com\",25\r").await?;
//! dte.shutdown().await?;
//! module.run(line).await?;
//! let mut answer = String::new();
//! dte.read_to_string(&mut answer).await?;
//! assert!(answer.ends_with("\r\nOK\r\n"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod at;
mod clock;
mod command;
mod core;
mod exchange;
mod files;
mod firmware;
mod interpreter;
pub mod mail;
mod mail_store;
mod module;
pub mod mutant;
pub mod net;
pub mod pop3;
pub mod pty;
mod settings;
pub mod smtp;
mod urc;

pub use clock::{ClockText, ClockTextError};
pub use firmware::Firmware;
pub use module::{Module, StartError};
pub use settings::{Echo, Identity, Limits, Root, SettingError, Settings, Storage, Timers};
