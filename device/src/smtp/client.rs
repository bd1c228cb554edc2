//! The dialogue with the server, in lock-step.

use super::auth::Exchange;
use super::compose::Message;
use super::hello::Extensions;
use super::outcome::{End, Stage};
use super::reply::{Collector, Reply};
use super::stuffing::DotStuffing;
use super::{Job, Outcome, Progress, Rules};
use crate::net::Dialer;
use crate::net::link::{Link, LinkError};
use std::time::Duration;

/// What the module calls itself in `EHLO`: it has no host name, and behind its operator's
/// translation no address that it could name (RFC 5321 section 4.1.4).
const CLIENT_NAME: &str = "[127.0.0.1]";

/// Octets of the message that are handed to the connection at once.
const CHUNK: usize = 16 * 1024;

/// Sends one e-mail.
///
/// `timer` (30 s in the note) limits connecting and the wait for each reply, and starts again
/// whenever the server takes some of the message. Dropping the future closes the TCP session at
/// once, as `AT+SMTPSTOP` wants.
pub async fn send(
    job: Job,
    dialer: &dyn Dialer,
    timer: Duration,
    progress: &mut (dyn FnMut(Progress) + Send),
) -> Outcome {
    Rules::SHIPPED.send(job, dialer, timer, progress).await
}

impl Rules {
    /// Sends one e-mail; see [`send`].
    pub(crate) async fn send(
        self,
        mut job: Job,
        dialer: &dyn Dialer,
        timer: Duration,
        progress: &mut (dyn FnMut(Progress) + Send),
    ) -> Outcome {
        let attachments = std::mem::take(&mut job.attachments);
        let Ok(message) = (self.compose)(&job, attachments) else {
            return (self.decide)(Stage::Content, End::Unsendable);
        };
        let link = match Link::dial(dialer, &job.server, job.port, timer).await {
            Ok(link) => link,
            Err(error) => return (self.decide)(Stage::Connect, End::Unreachable(error.kind())),
        };
        let mut dialogue = Dialogue { link, rules: self };
        let (outcome, leave) = match dialogue.run(&job, message, progress).await {
            Ok(()) => (Outcome::Success, Leave::Quit),
            Err(ended) => (ended.outcome, ended.leave),
        };
        if leave == Leave::Quit {
            dialogue.quit().await;
        }
        outcome
    }
}

/// Whether the link is still good for a `QUIT`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Leave {
    Quit,
    Close,
}

/// The dialogue ended before the message was taken over.
#[derive(Debug)]
struct Ended {
    outcome: Outcome,
    leave: Leave,
}

impl Rules {
    fn ended(self, stage: Stage<'_>, end: End) -> Ended {
        let leave = match (stage, end) {
            (_, End::Unreachable(_) | End::Reply(421)) => Leave::Close,
            (_, End::Link(error)) if error.is_fatal() => Leave::Close,
            // Whoever does not greet with a reply is no SMTP server to take leave of.
            (Stage::Greeting, End::Malformed) => Leave::Close,
            // Within the message a QUIT would be part of it.
            (Stage::Content, _) => Leave::Close,
            _ => Leave::Quit,
        };
        Ended {
            outcome: (self.decide)(stage, end),
            leave,
        }
    }
}

struct Dialogue {
    link: Link,
    rules: Rules,
}

impl Dialogue {
    async fn run(
        &mut self,
        job: &Job,
        message: Message,
        progress: &mut (dyn FnMut(Progress) + Send),
    ) -> Result<(), Ended> {
        self.greeting().await?;
        progress(Progress::Connected);
        let extensions = self.hello().await?;
        self.authenticate(job, &extensions).await?;
        self.mail(job, &message, &extensions).await?;
        self.recipients(job).await?;
        self.data(message).await
    }

    async fn greeting(&mut self) -> Result<(), Ended> {
        match self.reply().await {
            Ok(Reply { code: 220, .. }) => Ok(()),
            Ok(reply) => Err(self.rules.ended(Stage::Greeting, End::Reply(reply.code))),
            Err(end) => Err(self.rules.ended(Stage::Greeting, end)),
        }
    }

    /// `EHLO`, or `HELO` if the server does not know it (RFC 5321 section 3.2).
    async fn hello(&mut self) -> Result<Extensions, Ended> {
        let rules = self.rules;
        let ended = |end| rules.ended(Stage::Hello, end);
        let reply = self
            .command(&format!("EHLO {CLIENT_NAME}"))
            .await
            .map_err(ended)?;
        match reply.code {
            250..=259 => return Ok(Extensions::read(&reply)),
            500 | 502 | 504 | 550 => {}
            code => return Err(ended(End::Reply(code))),
        }
        let reply = self
            .command(&format!("HELO {CLIENT_NAME}"))
            .await
            .map_err(ended)?;
        match reply.code {
            250..=259 => Ok(Extensions::default()),
            code => Err(ended(End::Reply(code))),
        }
    }

    /// Authenticates if that is configured and the server offers it at all.
    async fn authenticate(&mut self, job: &Job, extensions: &Extensions) -> Result<(), Ended> {
        let rules = self.rules;
        let ended = |end| rules.ended(Stage::Auth, end);
        let Some(credentials) = job.auth.as_ref().filter(|_| extensions.auth) else {
            return Ok(());
        };
        let mechanism = extensions
            .best_mechanism()
            .ok_or_else(|| ended(End::NoMechanism))?;
        let mut exchange = Exchange::new(mechanism, credentials);
        let mut reply = self.command(&exchange.command()).await.map_err(ended)?;
        while reply.code == 334 {
            let challenge = reply.texts.last().map(Vec::as_slice).unwrap_or_default();
            let Some(answer) = exchange.answer(challenge) else {
                let cancelled = self.command("*").await.map_err(ended)?;
                let end = if cancelled.code == 421 {
                    End::Reply(421)
                } else {
                    End::BadChallenge
                };
                return Err(ended(end));
            };
            reply = self.command(&answer).await.map_err(ended)?;
        }
        match reply.code {
            // Some servers say 250 where 235 is due; it is a positive completion all the same.
            235 | 250 => Ok(()),
            code => Err(ended(End::Reply(code))),
        }
    }

    async fn mail(
        &mut self,
        job: &Job,
        message: &Message,
        extensions: &Extensions,
    ) -> Result<(), Ended> {
        let rules = self.rules;
        let ended = |end| rules.ended(Stage::Mail, end);
        if !job.from.is_transmissible() {
            return Err(ended(End::Unsendable));
        }
        let mut command = format!("MAIL FROM:<{}>", job.from.address);
        if extensions.size {
            command.push_str(&format!(" SIZE={}", message.size()));
        }
        let reply = self.command(&command).await.map_err(ended)?;
        match reply.code {
            250..=259 => Ok(()),
            code => Err(ended(End::Reply(code))),
        }
    }

    /// Asks for every recipient, so that every refused one is known. One refusal is enough that
    /// nothing is sent to anyone.
    async fn recipients(&mut self, job: &Job) -> Result<(), Ended> {
        let mut refused = Vec::new();
        let mut leave = Leave::Quit;
        for recipient in job.recipients() {
            let Err(end) = self.recipient(recipient).await else {
                continue;
            };
            let ended = self.rules.ended(Stage::Recipient(&recipient.address), end);
            match ended.outcome {
                Outcome::BadRecipient(mut addresses) => refused.append(&mut addresses),
                _ if refused.is_empty() => return Err(ended),
                // What was refused stays refused, even if the server then leaves.
                _ => {
                    leave = ended.leave;
                    break;
                }
            }
        }
        if refused.is_empty() {
            return Ok(());
        }
        if leave == Leave::Quit && matches!(self.command("RSET").await, Err(End::Link(_))) {
            leave = Leave::Close;
        }
        Err(Ended {
            outcome: Outcome::BadRecipient(refused),
            leave,
        })
    }

    async fn recipient(&mut self, recipient: &super::Address) -> Result<(), End> {
        if !recipient.is_transmissible() {
            return Err(End::Unsendable);
        }
        let reply = self
            .command(&format!("RCPT TO:<{}>", recipient.address))
            .await?;
        match reply.code {
            250..=259 => Ok(()),
            code => Err(End::Reply(code)),
        }
    }

    async fn data(&mut self, mut message: Message) -> Result<(), Ended> {
        let rules = self.rules;
        let ended = |end| rules.ended(Stage::Data, end);
        let reply = self.command("DATA").await.map_err(ended)?;
        if reply.code != 354 {
            return Err(ended(End::Reply(reply.code)));
        }
        let ended = |end| rules.ended(Stage::Content, end);
        let mut stuffing = DotStuffing::new();
        let mut plain = Vec::new();
        let mut chunk = Vec::new();
        while message
            .read_chunk(&mut plain)
            .map_err(|_| ended(End::Unsendable))?
        {
            stuffing.stuff(&plain, &mut chunk);
            plain.clear();
            if chunk.len() >= CHUNK {
                self.link
                    .send(&chunk)
                    .await
                    .map_err(|error| ended(End::Link(error)))?;
                chunk.clear();
            }
        }
        self.link
            .send(&chunk)
            .await
            .map_err(|error| ended(End::Link(error)))?;
        self.link
            .send(stuffing.finish())
            .await
            .map_err(|error| ended(End::Link(error)))?;
        let ended = |end| rules.ended(Stage::AfterDot, end);
        match self.reply().await.map_err(ended)?.code {
            250..=259 => Ok(()),
            code => Err(ended(End::Reply(code))),
        }
    }

    /// Takes leave. Whatever the server makes of it changes nothing any more.
    async fn quit(&mut self) {
        self.link.discard().await;
        if self.link.send(b"QUIT\r\n").await.is_ok() {
            // Waits for 221 or the end of the session, as long as the timer allows.
            let _ = self.reply().await;
        }
    }

    async fn command(&mut self, line: &str) -> Result<Reply, End> {
        self.link
            .send(format!("{line}\r\n").as_bytes())
            .await
            .map_err(End::Link)?;
        self.reply().await
    }

    async fn reply(&mut self) -> Result<Reply, End> {
        let deadline = self.link.deadline();
        let mut collector = Collector::default();
        loop {
            let line = self
                .link
                .line(deadline)
                .await
                .map_err(|error| match error {
                    LinkError::Endless => End::Malformed,
                    error => End::Link(error),
                })?;
            if let Some(reply) = collector.line(&line).map_err(|_| End::Malformed)? {
                return Ok(reply);
            }
        }
    }
}
