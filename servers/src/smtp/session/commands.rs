//! Command lines: the rules that hold for any line, and what each command does.

use super::{Effect, Hello, Session};
use crate::{
    engine::{Line, LineEnd},
    fault::Position,
    smtp::{
        command::{self, Command, Fault},
        reply::Reply,
    },
};
use std::sync::Arc;

/// RFC 5321 §4.5.3.1.4: a command line has at most 512 octets with CRLF.
const COMMAND: u64 = 512;
/// What real servers still take.
const TOLERATED: u64 = 2048;

impl Session {
    /// The rules that hold for any line.
    pub(super) fn check_line(&mut self, line: Line<'_>) {
        if line.end == LineEnd::Lf {
            self.lint("smtp.bare-lf", "the line ends with LF alone");
        }
        if line.text.contains(&b'\r') {
            self.lint("smtp.bare-cr", "there is a CR inside the line");
        }
        if line.text.iter().any(|&byte| byte < 32 && byte != b'\r') {
            self.lint(
                "smtp.control-character",
                "there are control characters in the line",
            );
        }
        if !line.text.is_ascii() {
            self.lint(
                "smtp.8bit-command",
                "there are octets above 127 in the line",
            );
        }
        if line.ahead {
            self.check_ahead();
        }
        self.batched = line.ahead && self.has("PIPELINING");
        if self.told_421 && !line.text.eq_ignore_ascii_case(b"QUIT") {
            self.lint("smtp.talk-after-421", "the client goes on after a 421");
        }
    }

    /// RFC 2920 §3.1: what may be sent before the reply to the command before has come.
    fn check_ahead(&mut self) {
        if !self.greeted {
            self.greeted = true;
            self.lint(
                "smtp.talk-before-greeting",
                "the client did not wait for the greeting",
            );
            return;
        }
        let must_wait = [
            "EHLO", "HELO", "DATA", "VRFY", "EXPN", "TURN", "QUIT", "NOOP", "AUTH", "STARTTLS",
        ];
        if !self.has("PIPELINING") {
            self.lint(
                "smtp.pipelining",
                "the client did not wait for the reply before",
            );
        } else if must_wait.contains(&self.last_verb.as_str()) {
            let message = format!(
                "the client did not wait for the reply to {}",
                self.last_verb
            );
            self.lint("smtp.pipelining", message);
        }
    }

    pub(super) fn command(&mut self, line: Line<'_>) {
        let octets = line.octets();
        if octets > COMMAND {
            let message = format!("the command line has {octets} octets");
            self.lint("smtp.line-too-long", message);
        }
        self.record.facts().command(line.text);
        let text = String::from_utf8_lossy(line.text);
        let reading = command::read(&text);
        let known = !matches!(reading.command, Ok(Command::Unknown));
        self.last_verb = if known { reading.verb } else { String::new() };
        if known {
            self.record.facts().verb(&self.last_verb);
        }
        // An authentication response has its own limit (RFC 4954 §4.3) in its command, too.
        if octets > TOLERATED && self.last_verb != "AUTH" || line.omitted > 0 {
            self.say(Position::Unknown, 500, "5.5.2", "Line too long");
            return;
        }
        for (id, message) in reading.lints {
            self.lint(id, message);
        }
        let position = position_of(&self.last_verb);
        // What is no ASCII cannot be an address or a parameter here (no SMTPUTF8).
        match reading.command {
            Ok(command) => self.obey(command),
            Err(Fault::Arguments(problem)) => {
                let message = format!("{}: {problem}", self.last_verb);
                self.lint("smtp.bad-syntax", message);
                self.say(position, 501, "5.5.4", problem);
            }
            Err(Fault::Address(problem)) => {
                let message = format!("{}: {problem}", self.last_verb);
                self.lint("smtp.bad-address", message);
                let enhanced = match position {
                    Position::Mail => "5.1.7",
                    _ => "5.1.3",
                };
                self.say(position, 501, enhanced, problem);
            }
        }
    }

    fn obey(&mut self, command: Command) {
        match command {
            Command::Ehlo(name) => self.ehlo(name),
            Command::Helo(name) => {
                if !self.tried_ehlo {
                    let message = "HELO although EHLO was never tried (RFC 5321 §3.2)";
                    self.lint("smtp.helo-without-ehlo", message);
                }
                let text = self.setup.domain.clone();
                let reply = Reply::new(Position::Helo, 250, "", text);
                self.reply(reply, Effect::Hello(Hello::Plain, name));
            }
            Command::Mail(path, parameters) => self.mail(path, parameters),
            Command::Rcpt(path, parameters) => self.rcpt(path, &parameters),
            Command::Data => self.start_data(),
            Command::Rset => {
                let reply = Reply::new(Position::Rset, 250, "2.0.0", "Reset");
                self.reply(reply, Effect::Reset);
            }
            Command::Noop => self.say(Position::Noop, 250, "2.0.0", "OK"),
            Command::Quit => {
                self.record.facts().quit = true;
                let text = format!("{} closing", self.setup.domain);
                let reply = Reply::new(Position::Quit, 221, "2.0.0", text);
                self.reply(reply, Effect::Close);
            }
            Command::Vrfy => {
                let text = "Cannot verify, but will take mail and try to deliver it";
                self.say(Position::Vrfy, 252, "2.5.0", text);
            }
            Command::Expn => self.say(Position::Expn, 502, "5.5.1", "Lists are not shown"),
            Command::Help => {
                let text = "EHLO HELO MAIL RCPT DATA RSET NOOP QUIT VRFY AUTH STARTTLS";
                self.say(Position::Help, 214, "2.0.0", text);
            }
            Command::StartTls => self.start_tls(),
            Command::Auth(mechanism, initial) => self.auth(mechanism, initial.as_deref()),
            Command::Elsewhere => {
                self.lint("smtp.unknown-command", "this command was not offered");
                self.say(Position::Unknown, 502, "5.5.1", "Command not implemented");
            }
            Command::Unknown => {
                self.lint("smtp.unknown-command", "no such command");
                self.say(Position::Unknown, 500, "5.5.2", "Command not recognized");
            }
        }
    }

    fn ehlo(&mut self, name: String) {
        self.tried_ehlo = true;
        let setup = Arc::clone(&self.setup);
        let mut reply = Reply::new(Position::Ehlo, 250, "", setup.domain.clone());
        for keyword in &setup.extensions {
            reply.lines.push(match keyword.as_str() {
                "SIZE" => format!("SIZE {}", setup.size),
                other => other.to_owned(),
            });
        }
        let mechanisms = setup.mechanisms();
        if !mechanisms.is_empty() {
            reply.lines.push(format!("AUTH {}", mechanisms.join(" ")));
        }
        if setup.starttls && !self.secure && self.connection.can_start_tls {
            reply.lines.push("STARTTLS".to_owned());
        }
        self.reply(reply, Effect::Hello(Hello::Extended, name));
    }

    fn start_tls(&mut self) {
        if !self.setup.starttls || !self.connection.can_start_tls {
            self.lint("smtp.unknown-command", "STARTTLS was not offered");
            self.say(Position::Starttls, 502, "5.5.1", "TLS is not available");
        } else if self.secure {
            self.lint("smtp.bad-sequence", "STARTTLS under TLS");
            self.say(Position::Starttls, 503, "5.5.1", "TLS is in use already");
        } else if self.hello.is_none() {
            self.lint("smtp.no-hello", "STARTTLS before EHLO");
            self.say(Position::Starttls, 503, "5.5.1", "Send EHLO first");
        } else {
            let reply = Reply::new(Position::Starttls, 220, "2.0.0", "Go ahead");
            self.reply(reply, Effect::StartTls);
        }
    }
}

/// The place of the reply to a command that could not be read.
fn position_of(verb: &str) -> Position {
    match verb {
        "EHLO" => Position::Ehlo,
        "HELO" => Position::Helo,
        "MAIL" => Position::Mail,
        "RCPT" => Position::Rcpt,
        "DATA" => Position::Data,
        "RSET" => Position::Rset,
        "QUIT" => Position::Quit,
        "AUTH" => Position::Auth,
        "STARTTLS" => Position::Starttls,
        "VRFY" => Position::Vrfy,
        _ => Position::Unknown,
    }
}
