//! What the module knows: everything that a command reads or changes.

use crate::at::LineSettings;
use crate::at::output::Output;
use crate::clock::Rtc;
use crate::command::basic::Registers;
use crate::command::conflict::Rivals;
use crate::command::network::Network;
use crate::command::pop3::Pop3;
use crate::command::smtp::Smtp;
use crate::files::FileSystem;
use crate::files::path::{DriveName, ModulePath};
use crate::pop3::Account;
use crate::settings::{Echo, Settings};
use crate::smtp::Job;
use std::collections::VecDeque;

/// Everything that a command reads or changes.
#[derive(Debug)]
pub(crate) struct Core {
    /// How the module is made.
    pub(crate) settings: Settings,
    /// The line, as the DTE set it.
    pub(crate) line: LineSettings,
    /// Registers that change nothing on this line.
    pub(crate) registers: Registers,
    /// The line as `AT&W` kept it: for `ATZ` and the next power-up.
    pub(crate) kept_line: LineSettings,
    /// Bytes on their way to the DTE.
    pub(crate) output: Output,
    /// The real time clock.
    pub(crate) rtc: Rtc,
    /// The drives.
    pub(crate) files: FileSystem,
    /// The drive that mails are saved on (`AT+FSLOCA`).
    pub(crate) mail_drive: DriveName,
    /// The current directory (`AT+FSCD`).
    pub(crate) directory: ModulePath,
    /// Socket contexts and registration.
    pub(crate) network: Network,
    /// The SMTP application.
    pub(crate) smtp: Smtp,
    /// The POP3 application.
    pub(crate) pop3: Pop3,
    /// The applications that exclude e-mail (note chapter 5).
    pub(crate) rivals: Rivals,
    /// What the shell is to do next, in order.
    pub(crate) actions: VecDeque<Action>,
}

/// What only the shell can do, because it takes time or a network.
#[derive(Debug)]
pub(crate) enum Action {
    /// Send a mail; the shell reports the connection and the ending.
    Send(Box<Job>),
    /// Close the session of the sending at once.
    StopSending,
    /// Ask the POP3 server; the shell reports the answer.
    Ask(Request),
    /// Close the POP3 session at once, whatever it is doing.
    StopPop3,
}

/// What the POP3 server is asked.
#[derive(Clone, Debug)]
pub(crate) enum Request {
    /// Connect and log in.
    LogIn(Account),
    /// How many messages there are.
    Number,
    /// The size of one message.
    List(u32),
    /// The sizes of all.
    ListAll,
    /// The header of one.
    Header(u32),
    /// One message, to be stored with the time of this clock.
    Retrieve {
        /// Its number.
        number: u32,
        /// Where it is stored: the drives,
        files: FileSystem,
        /// and which of them.
        drive: DriveName,
        /// What stamps it.
        rtc: Rtc,
    },
    /// Mark one as deleted.
    Delete(u32),
    /// Log out.
    LogOut,
}

impl Core {
    /// As after the first power-up.
    pub(crate) fn new(settings: Settings, files: FileSystem, rtc: Rtc) -> Self {
        let line = LineSettings::factory(settings.echo == Echo::On);
        Self {
            kept_line: line.clone(),
            line,
            registers: Registers::default(),
            output: Output::new(settings.firmware.frame),
            rtc,
            files,
            mail_drive: DriveName::default(),
            directory: ModulePath::default(),
            network: Network::default(),
            smtp: Smtp::default(),
            pop3: Pop3::default(),
            rivals: Rivals::default(),
            actions: VecDeque::new(),
            settings,
        }
    }

    /// As after another power-up: clock, files and what `AT&W` kept stay; the rest is lost.
    pub(crate) fn power_cycle(&mut self) {
        self.line = self.kept_line.clone();
        self.registers = Registers::default();
        self.output.clear();
        self.mail_drive = DriveName::default();
        self.directory = ModulePath::default();
        self.network = Network::default();
        self.smtp = Smtp::default();
        self.pop3 = Pop3::default();
        self.rivals = Rivals::default();
        self.actions.clear();
    }

    /// Sends one line of information text.
    pub(crate) fn say(&mut self, text: impl AsRef<[u8]>) {
        self.output.information(&self.line, &[text]);
    }

    /// Sends a block of information text.
    pub(crate) fn say_all<T: AsRef<[u8]>>(&mut self, lines: &[T]) {
        if !lines.is_empty() {
            self.output.information(&self.line, lines);
        }
    }

    /// Sends an unsolicited result code with the lines that belong to it.
    pub(crate) fn report<T: AsRef<[u8]>>(&mut self, lines: &[T]) {
        self.output.unsolicited(&self.line, lines);
    }

    /// Whether SMTP or POP3 is active, which excludes the commands of note chapter 5.
    pub(crate) fn is_mail_active(&self) -> bool {
        self.smtp.is_sending() || !self.pop3.is_free()
    }
}
