//! The mail transaction: MAIL, RCPT, DATA and the message.

use super::{Declared, Effect, Session};
use crate::{
    fault::Position,
    smtp::{
        address::Path, command::Parameter, form, incoming::Message, reply::Reply, store::Envelope,
    },
};

/// RFC 5321 §4.5.3.1.8 demands room for 100.
const RECIPIENTS: usize = 1000;

impl Session {
    pub(super) fn mail(&mut self, path: Path, parameters: Vec<Parameter>) {
        let from = match path {
            Path::Null => String::new(),
            Path::Mailbox(mailbox) => mailbox,
            Path::Postmaster => {
                self.lint("smtp.bad-address", "a reverse-path needs a domain");
                self.say(Position::Mail, 501, "5.1.7", "no domain in address");
                return;
            }
        };
        if self.hello.is_none() {
            self.lint("smtp.no-hello", "MAIL before EHLO or HELO");
            self.say(Position::Mail, 503, "5.5.1", "Send EHLO first");
        } else if self.setup.requires_auth() && self.user.is_none() {
            self.say(Position::Mail, 530, "5.7.0", "Authentication required");
        } else if self.transaction.is_some() {
            self.lint("smtp.bad-sequence", "MAIL inside a mail transaction");
            self.say(Position::Mail, 503, "5.5.1", "Sender is given already");
        } else if let Some(declared) = self.mail_parameters(parameters) {
            if declared.size.is_some_and(|size| size > self.setup.size) {
                let text = "Message size exceeds the fixed limit";
                self.say(Position::Mail, 552, "5.3.4", text);
                return;
            }
            let envelope = Envelope {
                from,
                recipients: Vec::new(),
            };
            let reply = Reply::new(Position::Mail, 250, "2.1.0", "Sender OK");
            self.reply(reply, Effect::Mail(envelope, declared));
        }
    }

    /// Reads the parameters of MAIL. `None`: one was wrong, and the client was told so.
    fn mail_parameters(&mut self, parameters: Vec<Parameter>) -> Option<Declared> {
        let mut declared = Declared::default();
        let mut seen = Vec::new();
        for Parameter { keyword, value } in parameters {
            let extension = match keyword.as_str() {
                "SIZE" => "SIZE",
                "BODY" => "8BITMIME",
                "AUTH" => "AUTH",
                _ => "",
            };
            if !self.has(extension) {
                let message = format!("MAIL with {keyword}, which was not offered");
                self.lint("smtp.parameter-not-offered", message);
                let text = format!("Parameter {keyword} not recognized");
                self.say(Position::Mail, 555, "5.5.4", &text);
                return None;
            }
            let value = value.unwrap_or_default();
            let fine = !seen.contains(&keyword)
                && match keyword.as_str() {
                    "SIZE" => {
                        declared.size = value.parse().ok();
                        let digits = value.bytes().all(|byte| byte.is_ascii_digit());
                        // RFC 1870 §4: up to 20 digits; more than any machine holds is too much.
                        if digits && value.len() <= 20 && declared.size.is_none() {
                            declared.size = Some(u64::MAX);
                        }
                        digits && (1..=20).contains(&value.len())
                    }
                    "BODY" => {
                        declared.eight_bit = value.eq_ignore_ascii_case("8BITMIME");
                        declared.eight_bit || value.eq_ignore_ascii_case("7BIT")
                    }
                    _ => !value.is_empty(),
                };
            if !fine {
                let message = format!("MAIL with a bad value for {keyword}: {value:?}");
                self.lint("smtp.bad-syntax", message);
                let text = format!("Bad value for {keyword}");
                self.say(Position::Mail, 501, "5.5.4", &text);
                return None;
            }
            seen.push(keyword);
        }
        Some(declared)
    }

    pub(super) fn rcpt(&mut self, path: Path, parameters: &[Parameter]) {
        let recipient = match path {
            Path::Mailbox(mailbox) => mailbox,
            Path::Postmaster => "Postmaster".to_owned(),
            Path::Null => {
                self.lint("smtp.bad-address", "RCPT with an empty path");
                self.say(Position::Rcpt, 501, "5.1.3", "no recipient");
                return;
            }
        };
        let Some(transaction) = &self.transaction else {
            self.too_early("RCPT before MAIL was accepted");
            self.say(Position::Rcpt, 503, "5.5.1", "Send MAIL first");
            return;
        };
        let full = transaction.recipients.len() >= RECIPIENTS;
        if let Some(parameter) = parameters.first() {
            let keyword = &parameter.keyword;
            let message = format!("RCPT with {keyword}, which was not offered");
            let text = format!("Parameter {keyword} not recognized");
            self.lint("smtp.parameter-not-offered", message);
            self.say(Position::Rcpt, 555, "5.5.4", &text);
        } else if full {
            self.say(Position::Rcpt, 452, "4.5.3", "Too many recipients");
        } else if let Some(refusal) = self.setup.refusal(&recipient) {
            let (code, text) = split_code(refusal);
            self.say(Position::Rcpt, code, "", &text);
        } else {
            let reply = Reply::new(Position::Rcpt, 250, "2.1.5", "Recipient OK");
            self.reply(reply, Effect::Recipient(recipient));
        }
    }

    /// A command that waits for another one to be accepted. Where it went out together with that,
    /// the client could not know (RFC 2920 §3.1).
    fn too_early(&mut self, message: &str) {
        if !self.batched {
            self.lint("smtp.bad-sequence", message);
        }
    }

    pub(super) fn start_data(&mut self) {
        match &self.transaction {
            None => {
                self.too_early("DATA before MAIL was accepted");
                self.say(Position::Data, 503, "5.5.1", "Send MAIL first");
            }
            Some(transaction) if transaction.recipients.is_empty() => {
                if !self.batched {
                    let message = "DATA without an accepted recipient";
                    self.lint("smtp.data-without-recipient", message);
                }
                self.say(Position::Data, 554, "5.5.1", "No valid recipients");
            }
            Some(_) => {
                let text = "End data with <CRLF>.<CRLF>";
                let reply = Reply::new(Position::Data, 354, "", text);
                self.reply(reply, Effect::Data);
            }
        }
    }

    /// The message has ended.
    pub(super) fn message(&mut self, message: Message) {
        // RFC 2920 §3.2: what follows may be sent together with the end of the message.
        self.last_verb.clear();
        let envelope = self.transaction.as_ref();
        if envelope.is_none_or(|envelope| envelope.recipients.is_empty()) {
            self.say(Position::Dot, 554, "5.5.1", "No valid recipients");
            return;
        }
        self.form_lints(&message);
        if message.size > self.setup.size {
            let text = "Message size exceeds the fixed limit";
            self.say(Position::Dot, 552, "5.3.4", text);
            return;
        }
        for (id, problem) in form::lints(message.kept.octets()) {
            self.lint(id, problem);
        }
        let reply = Reply::new(Position::Dot, 250, "2.0.0", "Message accepted");
        self.reply(reply, Effect::Deliver(Box::new(message)));
    }

    fn form_lints(&mut self, message: &Message) {
        let faults = message.faults;
        let counted = [
            ("smtp.body-bare-lf", faults.bare_lf, "bare LF"),
            ("smtp.body-bare-cr", faults.bare_cr, "bare CR"),
            (
                "smtp.bare-lf-dot",
                faults.bare_lf_dot,
                "lone dot next to a bare LF",
            ),
            (
                "smtp.unstuffed-dot",
                faults.unstuffed,
                "line that begins with an unstuffed dot",
            ),
        ];
        for (id, count, what) in counted {
            if count > 0 {
                self.lint(id, format!("the message has {count} × {what}"));
            }
        }
        if faults.nul {
            self.lint("smtp.body-nul", "the message contains NUL");
        }
        if faults.eight_bit && !self.declared.eight_bit {
            let problem = "the message has octets above 127 but was not declared BODY=8BITMIME";
            self.lint("smtp.8bit-without-8bitmime", problem);
        }
        if let Some(length) = message.overlong {
            let problem = format!("a line of the message has {length} octets; 998 are allowed");
            self.lint("smtp.body-line-too-long", problem);
        }
        if self.declared.size.is_some_and(|size| size < message.size) {
            let problem = format!(
                "the message has {} octets, more than declared",
                message.size
            );
            self.lint("smtp.size-too-small", problem);
        }
    }
}

/// Splits a refusal as it stands in the setup into code and text.
fn split_code(refusal: &str) -> (u16, String) {
    let (code, text) = refusal.split_once(' ').unwrap_or((refusal, ""));
    match code.parse() {
        Ok(code @ 400..=599) => (code, text.to_owned()),
        _ => (550, refusal.to_owned()),
    }
}
