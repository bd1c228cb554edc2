//! AUTH: the exchange from the command to the last reply.

use super::{Effect, Hello, Session};
use crate::{
    engine::{Line, Output},
    fault::Position,
    smtp::{
        auth::{self, Exchange, Step},
        reply::Reply,
    },
};

impl Session {
    pub(super) fn auth(&mut self, mechanism: String, initial: Option<&str>) {
        let offered = self.offered.mechanisms.clone();
        let refuse = |session: &mut Self, code, enhanced, text: &str| {
            session.say(Position::Auth, code, enhanced, text);
        };
        if self.hello != Some(Hello::Extended) {
            self.lint("smtp.no-hello", "AUTH before EHLO");
            refuse(self, 503, "5.5.1", "Send EHLO first");
        } else if offered.is_empty() {
            self.lint("smtp.auth-not-offered", "no authentication was offered");
            refuse(self, 502, "5.5.1", "Authentication is not available");
        } else if self.user.is_some() {
            self.lint("smtp.bad-sequence", "AUTH after a successful AUTH");
            refuse(self, 503, "5.5.1", "Already authenticated");
        } else if self.transaction.is_some() {
            self.lint("smtp.bad-sequence", "AUTH inside a mail transaction");
            refuse(self, 503, "5.5.1", "Not inside a mail transaction");
        } else if !offered.iter().any(|it| it.eq_ignore_ascii_case(&mechanism)) {
            let message = format!("the mechanism {mechanism} was not offered");
            self.lint("smtp.auth-not-offered", message);
            refuse(self, 504, "5.5.4", "Mechanism not offered");
        } else if !auth::knows(&mechanism) {
            refuse(self, 504, "5.7.4", "Mechanism not available");
        } else {
            self.challenges += 1;
            let unique = format!(
                "<{}.{}@{}>",
                self.connection.id, self.challenges, self.setup.domain
            );
            let step = auth::begin(&mechanism, initial, &unique, &self.setup.accounts);
            let line = initial.unwrap_or_default().to_owned();
            self.auth_step(step, mechanism, Position::Auth, line.as_bytes());
        }
    }

    /// A line inside an authentication exchange.
    pub(super) fn auth_line(&mut self, exchange: Exchange, mechanism: String, line: Line<'_>) {
        self.record.facts().command(line.text);
        if line.omitted > 0 {
            self.lint("smtp.line-too-long", "the authentication line is too long");
            self.say(Position::AuthDone, 500, "5.5.6", "Line too long");
            return;
        }
        let here = match exchange {
            Exchange::User => Position::AuthUser,
            Exchange::Password(_) => Position::AuthPassword,
            _ => Position::AuthDone,
        };
        let step = auth::go_on(exchange, line.text, &self.setup.accounts);
        self.auth_step(step, mechanism, here, line.text);
    }

    /// Answers a step of an exchange. `here` names what the client's line was.
    fn auth_step(&mut self, step: Step, mechanism: String, here: Position, line: &[u8]) {
        let (code, enhanced, text, effect) = match step {
            Step::Challenge(exchange, challenge) => {
                // The reply to `AUTH LOGIN initial-response` answers a user name, too.
                let asks_password = matches!(exchange, Exchange::Password(_));
                let position = if asks_password {
                    Position::AuthUser
                } else {
                    here
                };
                let text = auth::encode(&challenge);
                let mut reply = Reply::new(position, 334, "", text);
                reply.also = (position != here).then_some(here);
                self.reply(reply, Effect::Challenge(exchange, mechanism));
                return;
            }
            Step::Right(user) => {
                let effect = Effect::Authenticated(user, mechanism);
                (235, "2.7.0", "Authentication successful", effect)
            }
            Step::Wrong(user) => {
                self.record.facts().mechanism = Some(mechanism);
                let note = format!("wrong credentials for {:?}", user.unwrap_or_default());
                self.out.push(Output::Note(note));
                (
                    535,
                    "5.7.8",
                    "Authentication credentials invalid",
                    Effect::None,
                )
            }
            Step::Cancelled => (501, "5.0.0", "Authentication cancelled", Effect::None),
            Step::NotBase64 => {
                let why = match auth::lacks_padding(line) {
                    true => "the padding of the base64 is missing",
                    false => "the authentication line is not base64",
                };
                self.lint("smtp.auth-base64", why);
                (501, "5.5.2", "Cannot decode base64", Effect::None)
            }
            Step::Malformed(problem) => {
                self.lint("smtp.auth-response", problem);
                (501, "5.5.2", problem, Effect::None)
            }
        };
        let mut reply = Reply::new(Position::AuthDone, code, enhanced, text);
        reply.also = (here != Position::AuthDone).then_some(here);
        self.reply(reply, effect);
    }
}
