//! The TRANSACTION state: the messages (RFC 1939 sections 5 and 7).

use super::command::{Command, Verb};
use super::effect::Effect;
use super::lint::Lint;
use super::response::{Body, Response};
use super::session::{Answer, Session};
use crate::maildrop::Mail;
use std::sync::Arc;

impl Session {
    pub(super) fn transact(&mut self, verb: Verb, command: &Command, line: &[u8]) -> Answer {
        match verb {
            Verb::Stat => self.stat(command, line),
            Verb::List => self.listing(command, line, |mail| mail.size().to_string()),
            Verb::Uidl if self.shared.setup.uidl => {
                self.listing(command, line, |mail| mail.uid().to_owned())
            }
            Verb::Top if self.shared.setup.top => self.top(command, line),
            Verb::Uidl | Verb::Top => {
                self.lint_not_offered("this command", line);
                Response::err("unknown command").into()
            }
            Verb::Retr => self.retr(command, line),
            Verb::Dele => self.dele(command, line),
            Verb::Noop => {
                self.no_arguments(command, line);
                Response::ok("").into()
            }
            Verb::Rset => {
                self.no_arguments(command, line);
                let (count, octets) = totals(&self.mails(), |_| true);
                let text = format!("maildrop has {count} messages ({octets} octets)");
                Answer::new(Response::ok(text), Effect::Unmarked)
            }
            _ => self.wrong_state(line),
        }
    }

    fn mails(&self) -> Arc<[Mail]> {
        match &self.lease {
            Some(lease) => lease.mails().clone(),
            None => Arc::new([]),
        }
    }

    fn stat(&mut self, command: &Command, line: &[u8]) -> Answer {
        self.no_arguments(command, line);
        let (count, octets) = totals(&self.mails(), |position| !self.marks.contains(&position));
        Response::ok(format!("{count} {octets}")).into()
    }

    /// LIST and UIDL: one message, or all that are not marked.
    fn listing(&mut self, command: &Command, line: &[u8], text: fn(&Mail) -> String) -> Answer {
        let argument = match command.arguments().as_slice() {
            [] => None,
            [number] => Some((*number).to_owned()),
            _ => {
                self.lint(
                    Lint::Arguments,
                    "this command has at most one argument",
                    line,
                );
                return Response::err("too many arguments").into();
            }
        };
        let Some(argument) = argument else {
            let mails = self.mails();
            let (count, octets) = totals(&mails, |position| !self.marks.contains(&position));
            let body = Body::listing(mails, self.marks.clone(), text);
            return Response::ok(format!("{count} messages ({octets} octets)"))
                .with(body)
                .into();
        };
        match self.message(&argument, line) {
            Ok((position, mail)) => {
                Response::ok(format!("{} {}", position + 1, text(&mail))).into()
            }
            Err(response) => response.into(),
        }
    }

    fn retr(&mut self, command: &Command, line: &[u8]) -> Answer {
        match self.only_message(command, line) {
            Ok((position, mail)) => {
                let response = Response::ok(format!("{} octets", mail.size()));
                Answer::new(
                    response.with(Body::message(&mail)),
                    Effect::Retrieved(position + 1),
                )
            }
            Err(response) => response.into(),
        }
    }

    fn dele(&mut self, command: &Command, line: &[u8]) -> Answer {
        match self.only_message(command, line) {
            Ok((position, _)) => {
                let response = Response::ok(format!("message {} deleted", position + 1));
                Answer::new(response, Effect::Marked(position))
            }
            Err(response) => response.into(),
        }
    }

    fn top(&mut self, command: &Command, line: &[u8]) -> Answer {
        let &[number, lines] = command.arguments().as_slice() else {
            self.lint(Lint::TopArguments, "TOP has two arguments", line);
            return Response::err("TOP needs a message number and a number of lines").into();
        };
        let (number, lines) = (number.to_owned(), lines.to_owned());
        let Some(lines) = decimal(&lines) else {
            self.lint(Lint::BadNumber, "the number of lines is not decimal", line);
            return Response::err("bad number of lines").into();
        };
        match self.message(&number, line) {
            Ok((_, mail)) => Response::ok("top of message follows")
                .with(Body::top(&mail, lines))
                .into(),
            Err(response) => response.into(),
        }
    }

    fn only_message(&mut self, command: &Command, line: &[u8]) -> Result<(usize, Mail), Response> {
        let &[number] = command.arguments().as_slice() else {
            self.lint(Lint::Arguments, "this command has one argument", line);
            return Err(Response::err("one message number, please"));
        };
        self.message(number, line)
    }

    /// The message with this number, and its position from 0.
    fn message(&mut self, number: &str, line: &[u8]) -> Result<(usize, Mail), Response> {
        let Some(number) = decimal(number) else {
            self.lint(Lint::BadNumber, "the message number is not decimal", line);
            return Err(Response::err("bad message number"));
        };
        let mails = self.mails();
        let position = usize::try_from(number)
            .ok()
            .and_then(|number| number.checked_sub(1));
        let Some((position, mail)) = position.and_then(|i| Some((i, mails.get(i)?))) else {
            self.lint(
                Lint::NoSuchMessage,
                "there is no message of this number",
                line,
            );
            return Err(Response::err(format!(
                "no such message, only {} in maildrop",
                mails.len()
            )));
        };
        if self.marks.contains(&position) {
            self.lint(
                Lint::DeletedMessage,
                "the message is marked as deleted",
                line,
            );
            return Err(Response::err(format!("message {number} is deleted")));
        }
        Ok((position, mail.clone()))
    }
}

/// Number and octets of the messages at the chosen positions.
fn totals(mails: &[Mail], chosen: impl Fn(usize) -> bool) -> (usize, usize) {
    let chosen = mails
        .iter()
        .enumerate()
        .filter(|(position, _)| chosen(*position));
    chosen.fold((0, 0), |(count, octets), (_, mail)| {
        (count + 1, octets + mail.size())
    })
}

/// A decimal number of digits alone. One that is too great becomes the greatest there is, which
/// no message has.
fn decimal(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| text.parse().unwrap_or(u64::MAX))
}
