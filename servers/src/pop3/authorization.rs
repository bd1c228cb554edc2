//! The AUTHORIZATION state: who is the client? (RFC 1939 section 4, RFC 2595, RFC 5034.)

use super::auth::{self, Exchange, Progress};
use super::command::{Command, Verb};
use super::effect::Effect;
use super::lint::Lint;
use super::record::State;
use super::response::{Body, Response};
use super::session::{Answer, Session};
use crate::engine::Line;
use crate::fault::Position;
use crate::maildrop::{Lease, Mail};

impl Session {
    pub(super) fn authorize(&mut self, verb: Verb, command: &Command, line: &[u8]) -> Answer {
        match verb {
            Verb::User => self.user(command, line),
            Verb::Pass => self.pass(command, line),
            Verb::Apop => self.apop(command, line),
            Verb::Auth => self.auth(command, line),
            Verb::Stls => self.stls(command, line),
            _ => self.wrong_state(line),
        }
    }

    /// CAPA belongs to both states; what it shows depends on them (RFC 2449 section 5).
    pub(super) fn capa(&mut self, command: &Command, line: &[u8]) -> Answer {
        self.no_arguments(command, line);
        let setup = &self.shared.setup;
        if !setup.capa {
            return Response::err("unknown command").into();
        }
        let mut lines: Vec<String> =
            vec!["USER".into(), "RESP-CODES".into(), "AUTH-RESP-CODE".into()];
        lines.extend(setup.top.then(|| "TOP".into()));
        lines.extend(setup.uidl.then(|| "UIDL".into()));
        if !self.shared.mechanisms.is_empty() {
            lines.push(format!("SASL {}", self.shared.mechanisms.join(" ")));
        }
        lines.extend(self.offers_stls().then(|| "STLS".into()));
        lines.push("IMPLEMENTATION urcheck".into());
        Answer::new(
            Response::ok("capabilities follow").with(Body::lines(lines)),
            Effect::CapaShown,
        )
    }

    /// Goes on with AUTH after a challenge.
    pub(super) fn respond(&mut self, exchange: Exchange, line: &Line<'_>) -> Answer {
        let place = match exchange {
            Exchange::LoginUser => Position::AuthUser,
            Exchange::LoginPassword { .. } => Position::AuthPassword,
            Exchange::Plain | Exchange::CramMd5 { .. } => Position::AuthDone,
        };
        let mut answer = if line.text == b"*" {
            Response::err("authentication cancelled").into()
        } else {
            // Octets that are not UTF-8 are not base64 either.
            let text = String::from_utf8_lossy(line.text);
            self.step(exchange, &text, line.text)
        };
        let last = !matches!(answer.effect, Effect::Challenged(_));
        answer.position = Some(place);
        answer.also = (last && place != Position::AuthDone).then_some(Position::AuthDone);
        answer
    }

    fn user(&mut self, command: &Command, line: &[u8]) -> Answer {
        let name = command
            .rest
            .as_deref()
            .unwrap_or_default()
            .trim_matches(' ')
            .to_owned();
        if command.arguments().len() != 1 {
            self.lint(Lint::Arguments, "USER has one argument", line);
        }
        if name.is_empty() {
            return Response::err("USER needs a name").into();
        }
        let known = self.shared.setup.hide_users || self.shared.accounts.contains_key(&name);
        let response = if known {
            Response::ok("send PASS")
        } else {
            self.refusal("[AUTH]", "no such user here")
        };
        // Also on a refusal: a fault may have told the client otherwise.
        Answer::new(response, Effect::Named(name))
    }

    fn pass(&mut self, command: &Command, line: &[u8]) -> Answer {
        if self.user.is_none() || !self.user_was_last {
            let what = "PASS not directly after a positive reply to USER";
            self.lint(Lint::PassWithoutUser, what, line);
        }
        let Some(user) = self.user.clone() else {
            return Response::err("send USER first").into();
        };
        let Some(password) = command.rest.as_deref() else {
            self.lint(Lint::Arguments, "PASS has one argument", line);
            return Answer::new(Response::err("PASS needs a password"), Effect::Forgotten);
        };
        if auth::password_fits(&self.shared.accounts, &user, password) {
            self.log_in(user, "USER")
        } else {
            self.bad_credentials()
        }
    }

    fn apop(&mut self, command: &Command, line: &[u8]) -> Answer {
        let Some(timestamp) = self.timestamp.clone() else {
            self.lint(
                Lint::NotOffered,
                "APOP without a timestamp in the greeting",
                line,
            );
            return Response::err("APOP is not offered").into();
        };
        let &[user, digest] = command.arguments().as_slice() else {
            self.lint(Lint::Arguments, "APOP has two arguments", line);
            return Response::err("APOP needs a name and a digest").into();
        };
        let lower_hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        if digest.len() != 32 || !digest.bytes().all(lower_hex) {
            let what = "the digest is not 32 lower-case hexadecimal digits";
            self.lint(Lint::ApopDigest, what, line);
        }
        if auth::apop_fits(&self.shared.accounts, user, &timestamp, digest) {
            self.log_in(user.to_owned(), "APOP")
        } else {
            self.bad_credentials()
        }
    }

    fn stls(&mut self, command: &Command, line: &[u8]) -> Answer {
        self.no_arguments(command, line);
        if self.secure {
            self.lint(Lint::WrongState, "STLS under TLS", line);
            return Response::err("TLS is active already").into();
        }
        if !self.offers_stls() {
            self.lint_not_offered("STLS", line);
            return Response::err("STLS is not offered").into();
        }
        Answer::new(Response::ok("begin TLS negotiation"), Effect::Secured)
    }

    fn auth(&mut self, command: &Command, line: &[u8]) -> Answer {
        let (name, initial) = match command.arguments().as_slice() {
            [name] => (name.to_ascii_uppercase(), None),
            [name, initial] => (name.to_ascii_uppercase(), Some((*initial).to_owned())),
            [] => return self.list_mechanisms(line),
            _ => {
                self.lint(Lint::Arguments, "AUTH has one or two arguments", line);
                return Response::err("too many arguments").into();
            }
        };
        if !self.shared.mechanisms.contains(&name) {
            self.lint_not_offered("this mechanism", line);
            return Response::err("unrecognized authentication mechanism").into();
        }
        let challenge = format!("<{}.{}@{}>", self.id, self.lines, self.shared.domain);
        let Some(exchange) = Exchange::start(&name, challenge) else {
            return Response::err("this mechanism does not work today").into();
        };
        let Some(initial) = initial else {
            let response = Response::challenge(&exchange.challenge());
            return Answer::new(response, Effect::Challenged(exchange));
        };
        if !exchange.takes_initial_response() {
            let what = "this mechanism begins with a challenge";
            self.lint(Lint::SaslInitialResponse, what, line);
            let mut answer = Answer::from(Response::err("no initial response allowed"));
            answer.also = Some(Position::AuthDone);
            return answer;
        }
        let login = exchange == Exchange::LoginUser;
        // RFC 5034 section 4: `=` stands for an empty initial response.
        let initial = if initial == "=" { "" } else { initial.as_str() };
        let mut answer = self.step(exchange, initial, line);
        match answer.effect {
            Effect::Challenged(_) if login => answer.also = Some(Position::AuthUser),
            Effect::Challenged(_) => {}
            _ => answer.also = Some(Position::AuthDone),
        }
        answer
    }

    /// Bare AUTH: no RFC has it, many servers list their mechanisms.
    fn list_mechanisms(&mut self, line: &[u8]) -> Answer {
        self.lint(Lint::Arguments, "AUTH needs a mechanism", line);
        if self.shared.mechanisms.is_empty() {
            return Response::err("no mechanisms").into();
        }
        let lines = Body::lines(self.shared.mechanisms.clone());
        Response::ok("mechanisms follow").with(lines).into()
    }

    fn step(&mut self, exchange: Exchange, response: &str, line: &[u8]) -> Answer {
        let mechanism = exchange.mechanism();
        match exchange.respond(&self.shared.accounts, response) {
            Progress::Challenge(challenge, next) => {
                Answer::new(Response::challenge(&challenge), Effect::Challenged(next))
            }
            Progress::Known(user) => self.log_in(user, mechanism),
            Progress::Refused => self.bad_credentials(),
            Progress::Malformed(what) => {
                self.lint(Lint::SaslResponse, what, line);
                Response::err("malformed response").into()
            }
        }
    }

    fn bad_credentials(&self) -> Answer {
        let response = self.refusal("[AUTH]", "user name or password is wrong");
        Answer::new(response, Effect::Forgotten)
    }

    /// The client is who it says; now the maildrop must be free.
    fn log_in(&mut self, user: String, mechanism: &'static str) -> Answer {
        match self.shared.drops.open(&user, u64::from(self.id)) {
            Ok(lease) => {
                let (count, octets) = (lease.mails().len(), sum(&lease));
                let text = format!("maildrop has {count} messages ({octets} octets)");
                Answer::new(
                    Response::ok(text),
                    Effect::LoggedIn {
                        user,
                        mechanism,
                        lease,
                    },
                )
            }
            Err(_) => {
                let response = self.refusal("[IN-USE]", "maildrop is locked by another session");
                Answer::new(response, Effect::Forgotten)
            }
        }
    }

    fn offers_stls(&self) -> bool {
        let setup = &self.shared.setup;
        setup.stls && self.can_start_tls && !self.secure && self.state == State::Authorization
    }

    /// Trying an extension is fair while CAPA has not shown what there is.
    pub(super) fn lint_not_offered(&mut self, extension: &str, line: &[u8]) {
        if self.capa_told {
            self.lint(
                Lint::NotOffered,
                &format!("CAPA did not show {extension}"),
                line,
            );
        }
    }
}

fn sum(lease: &Lease) -> usize {
    lease.mails().iter().map(Mail::size).sum()
}
