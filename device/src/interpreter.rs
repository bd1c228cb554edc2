//! The interpreter: bytes of the DTE in, bytes to the DTE and actions for the shell out.
//!
//! It does no I/O but for files on its drive. What takes time is an [`Action`]; the shell carries
//! it out and reports back.

use crate::at::editor::{Editor, Typed};
use crate::at::result::ResultCode;
use crate::at::syntax::{self, Command};
use crate::command::entry::Entry;
use crate::command::pop3::Phase;
use crate::command::print::Source;
use crate::command::{Flow, basic};
use crate::core::{Action, Core};
use crate::exchange::Event;
use crate::files::path::ModulePath;
use crate::mail::HeaderFields;
use crate::pop3::{DropListing, Failure, ScanListing};
use crate::smtp::Outcome;
use crate::urc;

/// While more than this is on its way to the DTE, no more commands are taken from it.
const OUTPUT_HIGH: usize = 64 * 1024;

/// The interpreter.
#[derive(Debug)]
pub(crate) struct Interpreter {
    pub(crate) core: Core,
    editor: Editor,
    /// What `A/` repeats.
    last_line: Vec<u8>,
    /// The command line that is being carried out, while it cannot go on.
    line: Option<Line>,
    /// What the line waits for.
    pub(crate) waiting: Option<Waiting>,
    /// What is typed after a prompt.
    pub(crate) entry: Option<Entry>,
    /// What is being printed.
    source: Option<Source>,
    /// Unsolicited result codes that came in the meantime.
    held: Vec<Vec<String>>,
}

/// A command line that is being carried out.
#[derive(Debug)]
struct Line {
    body: Vec<u8>,
    /// Where its next command begins.
    next: usize,
}

/// What a command line waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Waiting {
    /// The SMTP session.
    Smtp,
    /// An answer of the POP3 server.
    Pop3,
}

/// What the POP3 server answered.
#[derive(Debug)]
pub(crate) enum Answer {
    /// That it is done.
    Done,
    /// Number and size of all mails.
    Number(DropListing),
    /// Number and size of one.
    Listing(ScanListing),
    /// Number and size of each.
    Listings(Vec<ScanListing>),
    /// The header of one.
    Header(HeaderFields),
    /// A mail, which was stored in this file.
    Stored(ModulePath),
}

impl Interpreter {
    /// An interpreter as after power-up.
    pub(crate) fn new(core: Core) -> Self {
        Self {
            editor: Editor::new(core.settings.limits.command_line),
            core,
            last_line: Vec::new(),
            line: None,
            waiting: None,
            entry: None,
            source: None,
            held: Vec::new(),
        }
    }

    /// As after another power-up.
    pub(crate) fn power_cycle(&mut self) {
        self.core.power_cycle();
        self.last_line.clear();
        self.waiting = None;
        self.attach();
    }

    /// Pulls the storage card out or puts it back.
    pub(crate) fn set_card(&mut self, present: bool) {
        self.core.files.set_card(present);
    }

    /// Another DTE is on the line: what the last one left half-typed is not its business.
    pub(crate) fn attach(&mut self) {
        self.editor = Editor::new(self.core.settings.limits.command_line);
        self.line = None;
        self.entry = None;
        self.source = None;
        self.held.clear();
        self.core.output.clear();
    }

    /// Bytes to the DTE.
    pub(crate) fn output(&self) -> &[u8] {
        self.core.output.pending()
    }

    /// Notes that the first `count` bytes of [`Interpreter::output`] were sent.
    pub(crate) fn sent(&mut self, count: usize) {
        self.core.output.advance(count);
    }

    /// What the shell is to do next.
    pub(crate) fn next_action(&mut self) -> Option<Action> {
        self.core.actions.pop_front()
    }

    /// Whether it takes bytes: not while a command waits or prints, an action is to be carried out,
    /// or much output is on its way.
    pub(crate) fn is_ready(&self) -> bool {
        self.waiting.is_none()
            && self.source.is_none()
            && self.core.actions.is_empty()
            && self.has_room()
    }

    fn has_room(&self) -> bool {
        self.core.output.pending().len() < OUTPUT_HIGH
    }

    /// Prints more of a file, if one is being printed and there is room.
    pub(crate) fn print(&mut self) {
        while self.has_room()
            && let Some(source) = &mut self.source
        {
            if let Some(result) = source.print(&mut self.core) {
                self.source = None;
                self.resume(result);
                self.release();
            }
        }
    }

    /// Whether a command waits for a server. Its session can be stopped meanwhile, so the bytes
    /// that come are worth looking at, although they are not taken.
    pub(crate) fn is_waiting(&self) -> bool {
        self.waiting.is_some()
    }

    /// Takes bytes from the DTE as long as it is ready; returns how many.
    pub(crate) fn feed(&mut self, bytes: &[u8]) -> usize {
        self.make_way_for_stop(bytes);
        let mut rest = bytes;
        while self.is_ready() && !rest.is_empty() {
            let taken = self.take(rest);
            rest = rest.get(taken..).unwrap_or_default();
        }
        bytes.len() - rest.len()
    }

    /// A command that waits for a server ends in `ERROR` when the next line is the command that
    /// stops its session; that line is then carried out like any other. So every line has its one
    /// result code, in the order in which they were typed.
    fn make_way_for_stop(&mut self, bytes: &[u8]) {
        let Some(waiting) = self.waiting else { return };
        let stop: &[u8] = match waiting {
            Waiting::Smtp => b"+SMTPSTOP",
            Waiting::Pop3 => b"+POP3STOP",
        };
        let mut editor = Editor::new(self.core.settings.limits.command_line);
        let typed = bytes
            .iter()
            .map(|byte| editor.take(*byte, &self.core.line))
            .find(|typed| *typed != Typed::Nothing);
        if let Some(Typed::Line(body)) = typed
            && syntax::without_blanks(&body).eq_ignore_ascii_case(stop)
        {
            self.waiting = None;
            self.resume(Err(ERROR));
        }
    }

    fn take(&mut self, bytes: &[u8]) -> usize {
        if let Some(entry) = &mut self.entry {
            let (taken, ended) = entry.take(bytes, &mut self.core);
            if let Some(result) = ended {
                self.entry = None;
                self.resume(result);
                self.release();
            }
            return taken;
        }
        let Some(&byte) = bytes.first() else { return 0 };
        self.core.output.echo(&self.core.line, byte);
        let typed = self.editor.take(byte, &self.core.line);
        match (self.core.settings.firmware.typed)(typed) {
            Typed::Nothing => {}
            Typed::TooLong => self.core.output.result(&self.core.line, ResultCode::Error),
            Typed::Repeat => self.begin(self.last_line.clone()),
            Typed::Line(body) => {
                self.last_line.clone_from(&body);
                self.begin(body);
            }
        }
        1
    }

    fn begin(&mut self, body: Vec<u8>) {
        let body = (self.core.settings.firmware.body)(&body).into_owned();
        self.run(Line { body, next: 0 });
    }

    /// Carries out a command line from where it stands: to its result code, or to a command that
    /// has to wait.
    fn run(&mut self, mut line: Line) {
        loop {
            let rest = line.body.get(line.next..).unwrap_or_default();
            let (command, after) = match syntax::next_command(rest) {
                Ok(Some(next)) => next,
                Ok(None) => return self.core.output.result(&self.core.line, ResultCode::Ok),
                Err(_) => return self.core.output.result(&self.core.line, ResultCode::Error),
            };
            let next = line.body.len() - after.len();
            let flow = execute(&mut self.core, command);
            line.next = next;
            match flow {
                Ok(Flow::Done) => {}
                Ok(Flow::Enter(entry)) => {
                    self.entry = Some(entry);
                    self.line = Some(line);
                    return;
                }
                Ok(Flow::Print(source)) => {
                    self.source = Some(source);
                    self.line = Some(line);
                    return;
                }
                Ok(Flow::Wait) => {
                    self.waiting = Some(match self.core.actions.back() {
                        Some(Action::Send(_)) => Waiting::Smtp,
                        _ => Waiting::Pop3,
                    });
                    self.line = Some(line);
                    return;
                }
                Err(code) => return self.core.output.result(&self.core.line, code),
            }
        }
    }

    /// Goes on with the command line that had to wait, if its DTE is still there.
    pub(crate) fn resume(&mut self, result: Result<(), ResultCode>) {
        let Some(line) = self.line.take() else { return };
        match result {
            Ok(()) => self.run(line),
            Err(code) => self.core.output.result(&self.core.line, code),
        }
    }

    /// Whether a command waits for that; then it does so no longer.
    pub(crate) fn stop_waiting_for(&mut self, what: Waiting) -> bool {
        let waits = self.waiting == Some(what);
        if waits {
            self.waiting = None;
        }
        waits
    }

    /// Takes news from the exchanges with the servers.
    pub(crate) fn tell(&mut self, event: Event) {
        match event {
            Event::SmtpConnected => self.smtp_connected(),
            Event::SmtpEnded(outcome) => self.smtp_ended(&outcome),
            Event::Pop3Answered { answer, open } => self.pop3_answered(answer, open),
        }
    }

    /// Ends the command line that waited, and takes the news after that.
    pub(crate) fn announce_after(&mut self, result: Result<(), ResultCode>, event: Event) {
        self.resume(result);
        self.tell(event);
    }

    /// The SMTP session is there.
    fn smtp_connected(&mut self) {
        self.announce(vec![urc::Smtp::Connected.line()]);
        if self.stop_waiting_for(Waiting::Smtp) {
            self.resume(Ok(()));
        }
    }

    /// The sending has ended.
    fn smtp_ended(&mut self, outcome: &Outcome) {
        self.core.smtp.ended(outcome);
        self.announce(vec![urc::Smtp::Ended(outcome).line()]);
        if self.stop_waiting_for(Waiting::Smtp) {
            let ended = if *outcome == Outcome::Success {
                Ok(())
            } else {
                Err(ERROR)
            };
            self.resume(ended);
        }
    }

    /// The POP3 server has answered; `open` says whether the session is still there.
    fn pop3_answered(&mut self, answer: Result<Answer, Failure>, open: bool) {
        self.core.pop3.phase = if open {
            Phase::LoggedIn
        } else {
            Phase::LoggedOut
        };
        let failed = answer.is_err();
        match answer {
            Ok(Answer::Done) => self.announce(vec![urc::POP3_SUCCESS.to_owned()]),
            Ok(Answer::Number(listing)) => self.core.say(urc::pop3_number(listing)),
            Ok(Answer::Listing(listing)) => self.core.say(urc::pop3_listing(listing)),
            Ok(Answer::Listings(listings)) => self.core.say_all(&urc::pop3_listings(&listings)),
            Ok(Answer::Header(fields)) => self.core.say_all(&urc::pop3_header(&fields)),
            Ok(Answer::Stored(path)) => self.stored(path),
            Err(failure) => self.announce(vec![urc::pop3_failure(failure)]),
        }
        if self.stop_waiting_for(Waiting::Pop3) {
            self.resume(if failed { Err(ERROR) } else { Ok(()) });
        }
    }

    fn stored(&mut self, path: ModulePath) {
        let file = path.name().unwrap_or_default().to_owned();
        self.announce(urc::pop3_stored(&path.parent().as_directory(), &file).into());
        self.core.pop3.last_mail = Some(path);
    }

    /// Sends an unsolicited result code, but not into what is being typed or printed.
    pub(crate) fn announce(&mut self, lines: Vec<String>) {
        if self.entry.is_some() || self.source.is_some() {
            self.held.push(lines);
        } else {
            self.core.report(&lines);
        }
    }

    /// Takes away what is being typed or printed, until it is put back.
    pub(crate) fn take_foreground(&mut self) -> (Option<Entry>, Option<Source>) {
        (self.entry.take(), self.source.take())
    }

    /// Puts back what [`Interpreter::take_foreground`] took.
    pub(crate) fn put_foreground(&mut self, entry: Option<Entry>, source: Option<Source>) {
        (self.entry, self.source) = (entry, source);
    }

    fn release(&mut self) {
        if self.entry.is_none() && self.source.is_none() {
            for lines in std::mem::take(&mut self.held) {
                self.core.report(&lines);
            }
        }
    }
}

const ERROR: ResultCode = ResultCode::Error;

fn execute(core: &mut Core, command: Command<'_>) -> Result<Flow, ResultCode> {
    match command {
        Command::Extended(name, form) => {
            return (core.settings.firmware.command)(core, name, form);
        }
        Command::Basic(letter, number) => basic::basic(core, letter, number),
        Command::Ampersand(letter, number) => basic::ampersand(core, letter, number),
        Command::Register(register, form) => basic::register(core, register, form),
    }?;
    Ok(Flow::Done)
}
