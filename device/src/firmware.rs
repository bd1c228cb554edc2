//! The one seam at which a build of the module can differ from the shipped one.
//!
//! Every field is a decision that the module takes in exactly one place, written as a function of
//! what it knows there. [`SHIPPED`] holds the functions of the reference module, which live where
//! they belong. [`crate::mutant`] holds builds that replace one of them, or two.

use crate::at::LineSettings;
use crate::at::editor::Typed;
use crate::at::output::{self, Block};
use crate::at::result::ResultCode;
use crate::at::syntax::{self, Form};
use crate::command::{self, Flow};
use crate::core::{Core, Request};
use crate::exchange::{self, Abandoned, Event, Exchange, SessionAnswer, Way};
use crate::interpreter::Interpreter;
use crate::pop3::Session;
use crate::settings::Settings;
use crate::smtp::{Job, Outcome, Progress, Rules};
use std::borrow::Cow;
use tokio::sync::mpsc::UnboundedSender;

/// A build of the module's firmware: the shipped one, or one of [`crate::mutant`].
#[derive(Clone, Copy)]
pub struct Firmware {
    /// How much it takes and how long it waits, from what it was told at its start.
    pub(crate) make: fn(&mut Settings),
    /// What a completed command line is, before anything is read in it.
    pub(crate) typed: fn(Typed) -> Typed,
    /// The body of a command line as its commands are read from it.
    pub(crate) body: for<'a> fn(&'a [u8]) -> Cow<'a, [u8]>,
    /// What an extended command does, and how it ends.
    pub(crate) command: fn(&mut Core, &[u8], Form<'_>) -> Result<Flow, ResultCode>,
    /// The octets of what is said to the DTE.
    pub(crate) frame: fn(Block, &LineSettings, &[&[u8]], &mut Vec<u8>),
    /// Octets that are handed to the line at once.
    pub(crate) burst: usize,
    /// What becomes of the news from an exchange with a server: URC, result code, state.
    pub(crate) event: fn(&mut Interpreter, Event),
    /// What is sent, once it has been taken from the parameters.
    pub(crate) job: fn(&mut Job),
    /// How one mail is sent.
    pub(crate) send: fn(Job, Way, UnboundedSender<Progress>) -> Exchange<Outcome>,
    /// What the SMTP client writes, and what it makes of an ending.
    pub(crate) smtp: Rules,
    /// How the POP3 server is asked for one thing.
    pub(crate) ask: fn(Option<Session>, Request, Way) -> Exchange<SessionAnswer>,
    /// What becomes of an exchange that the DTE stops.
    pub(crate) abandon: fn(Abandoned),
}

/// The decisions of the reference module.
pub(crate) const SHIPPED: Firmware = Firmware {
    make: |_| {},
    typed: |typed| typed,
    body: syntax::without_blanks,
    command: command::extended,
    frame: output::framed,
    burst: usize::MAX,
    event: Interpreter::tell,
    job: |_| {},
    send: exchange::send,
    smtp: Rules::SHIPPED,
    ask: exchange::ask,
    abandon: drop,
};

impl Default for Firmware {
    /// The reference module.
    fn default() -> Self {
        SHIPPED
    }
}

impl std::fmt::Debug for Firmware {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Firmware").finish_non_exhaustive()
    }
}
