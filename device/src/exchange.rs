//! The exchanges with the servers that are under way: at most one sending and one POP3 session.
//!
//! They are futures that the module polls itself, so dropping one closes its connection at once,
//! and nothing runs behind the back of a module that nobody serves.

use crate::clock::Rtc;
use crate::core::Request;
use crate::files::FileSystem;
use crate::files::path::{DriveName, ModulePath};
use crate::firmware::Firmware;
use crate::interpreter::Answer;
use crate::mail::Letter;
use crate::mail_store;
use crate::net::Dialer;
use crate::pop3::{Failure, Session};
use crate::settings::Timers;
use crate::smtp::{self, Job, Outcome, Progress};
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::{self, UnboundedSender};

/// The exchanges that are under way.
pub(crate) struct Exchanges {
    dialer: Arc<dyn Dialer>,
    timers: Timers,
    firmware: Firmware,
    sending: Option<Sending>,
    pop3: Pop3,
}

/// What happened in an exchange.
#[derive(Debug)]
pub(crate) enum Event {
    /// The SMTP session is there.
    SmtpConnected,
    /// The sending has ended.
    SmtpEnded(Outcome),
    /// The POP3 server has answered, or failed to.
    Pop3Answered {
        /// What it answered.
        answer: Result<Answer, Failure>,
        /// Whether the session is still there.
        open: bool,
    },
}

/// An exchange that is under way.
pub(crate) type Exchange<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// What a POP3 server answered, and the session if it is still there.
pub(crate) type SessionAnswer = (Option<Session>, Result<Answer, Failure>);

/// How to reach a server.
#[derive(Clone)]
pub(crate) struct Way {
    /// Opens the connection.
    pub(crate) dialer: Arc<dyn Dialer>,
    /// Limits every wait.
    pub(crate) timer: Duration,
    /// The rules of the SMTP client.
    pub(crate) rules: smtp::Rules,
}

/// An exchange that the DTE stops.
pub(crate) enum Abandoned {
    /// A mail that is being sent.
    Sending(Exchange<Outcome>),
    /// A session that waits.
    Session(Session),
    /// A session that is asked something.
    Question(Exchange<SessionAnswer>),
}

struct Sending {
    future: Exchange<Outcome>,
    progress: mpsc::UnboundedReceiver<Progress>,
    /// The ending, when it came together with progress that has to be told first.
    outcome: Option<Outcome>,
}

enum Pop3 {
    /// No session.
    Closed,
    /// A session that waits.
    Idle(Session),
    /// A session that is asked something.
    Busy(Exchange<SessionAnswer>),
}

impl std::fmt::Debug for Exchanges {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Exchanges")
            .field("timers", &self.timers)
            .finish_non_exhaustive()
    }
}

impl Exchanges {
    /// None yet.
    pub(crate) fn new(dialer: Arc<dyn Dialer>, timers: Timers, firmware: Firmware) -> Self {
        Self {
            dialer,
            timers,
            firmware,
            sending: None,
            pop3: Pop3::Closed,
        }
    }

    /// Closes all of them at once: the power is gone, whatever the firmware makes of a stop.
    pub(crate) fn close(&mut self) {
        self.sending = None;
        self.pop3 = Pop3::Closed;
    }

    /// Whether something is to happen that [`Exchanges::next`] would report.
    pub(crate) fn is_active(&self) -> bool {
        self.sending.is_some() || matches!(self.pop3, Pop3::Busy(_))
    }

    /// Sends a mail.
    pub(crate) fn send(&mut self, mut job: Box<Job>) {
        (self.firmware.job)(&mut job);
        let (sender, progress) = mpsc::unbounded_channel();
        let future = (self.firmware.send)(*job, self.way(self.timers.smtp), sender);
        self.sending = Some(Sending {
            future,
            progress,
            outcome: None,
        });
    }

    /// Closes the session of the sending at once.
    pub(crate) fn stop_sending(&mut self) {
        if let Some(sending) = self.sending.take() {
            (self.firmware.abandon)(Abandoned::Sending(sending.future));
        }
    }

    fn way(&self, timer: Duration) -> Way {
        Way {
            dialer: Arc::clone(&self.dialer),
            timer,
            rules: self.firmware.smtp,
        }
    }

    /// Asks the POP3 server; without a session only the log-in makes sense.
    pub(crate) fn ask(&mut self, request: Request) {
        let session = match std::mem::replace(&mut self.pop3, Pop3::Closed) {
            Pop3::Idle(session) => Some(session),
            Pop3::Closed | Pop3::Busy(_) => None,
        };
        let way = self.way(self.timers.pop3);
        self.pop3 = Pop3::Busy((self.firmware.ask)(session, request, way));
    }

    /// Closes the POP3 session at once.
    pub(crate) fn stop_pop3(&mut self) {
        let abandoned = match std::mem::replace(&mut self.pop3, Pop3::Closed) {
            Pop3::Closed => return,
            Pop3::Idle(session) => Abandoned::Session(session),
            Pop3::Busy(question) => Abandoned::Question(question),
        };
        (self.firmware.abandon)(abandoned);
    }

    /// Waits for the next event. Can be dropped and called again without losing one.
    pub(crate) async fn next(&mut self) -> Event {
        tokio::select! {
            biased;
            event = next_of_sending(&mut self.sending) => event,
            event = next_of_pop3(&mut self.pop3) => event,
        }
    }
}

async fn next_of_sending(slot: &mut Option<Sending>) -> Event {
    let Some(sending) = slot else {
        return std::future::pending().await;
    };
    if sending.outcome.is_none() {
        tokio::select! {
            biased;
            Some(Progress::Connected) = sending.progress.recv() => return Event::SmtpConnected,
            outcome = &mut sending.future => sending.outcome = Some(outcome),
        }
    }
    if let Ok(Progress::Connected) = sending.progress.try_recv() {
        return Event::SmtpConnected;
    }
    let outcome = sending.outcome.take().unwrap_or(Outcome::ServerError);
    *slot = None;
    Event::SmtpEnded(outcome)
}

async fn next_of_pop3(slot: &mut Pop3) -> Event {
    let Pop3::Busy(future) = slot else {
        return std::future::pending().await;
    };
    let (session, answer) = future.await;
    let open = session.is_some();
    *slot = session.map_or(Pop3::Closed, Pop3::Idle);
    Event::Pop3Answered { answer, open }
}

/// Sends a mail.
pub(crate) fn send(job: Job, way: Way, progress: UnboundedSender<Progress>) -> Exchange<Outcome> {
    Box::pin(async move {
        // The receiver lives as long as this future, so there is always one.
        let mut tell = move |step| {
            let _told = progress.send(step);
        };
        way.rules
            .send(job, &*way.dialer, way.timer, &mut tell)
            .await
    })
}

/// Asks the POP3 server for one thing; without a session only the log-in makes sense.
pub(crate) fn ask(session: Option<Session>, request: Request, way: Way) -> Exchange<SessionAnswer> {
    Box::pin(async move {
        match (request, session) {
            (Request::LogIn(account), _) => {
                match Session::login(&account, &*way.dialer, way.timer).await {
                    Ok(session) => (Some(session), Ok(Answer::Done)),
                    Err(failure) => (None, Err(failure)),
                }
            }
            (request, Some(session)) => converse(session, request).await,
            (_, None) => (None, Err(Failure::ServerError)),
        }
    })
}

/// Asks for one thing. Whatever the server says, the session stays (note chapter 1: "POP3 client
/// will not close the session"), as far as there is still a connection. It ends with a log-out,
/// and when the file system failed.
pub(crate) async fn converse(mut session: Session, request: Request) -> SessionAnswer {
    let answer = match request {
        Request::LogIn(_) | Request::LogOut => {
            return (None, session.quit().await.map(|()| Answer::Done));
        }
        Request::Number => session.stat().await.map(Answer::Number),
        Request::List(number) => session.list(number).await.map(Answer::Listing),
        Request::ListAll => session.list_all().await.map(Answer::Listings),
        Request::Header(number) => session.header(number).await.map(Answer::Header),
        Request::Delete(number) => session.delete(number).await.map(|()| Answer::Done),
        Request::Retrieve {
            number,
            files,
            drive,
            rtc,
        } => retrieve(&mut session, number, &files, drive, &rtc)
            .await
            .map(Answer::Stored),
    };
    let open = session.is_open() && !matches!(answer, Err(Failure::FileSystemError));
    (open.then_some(session), answer)
}

async fn retrieve(
    session: &mut Session,
    number: u32,
    files: &FileSystem,
    drive: DriveName,
    rtc: &Rtc,
) -> Result<ModulePath, Failure> {
    let letter = fetch(session, number, files, drive).await?;
    mail_store::store(&letter, files, drive, rtc).map_err(|_| Failure::FileSystemError)
}

/// Retrieves a message that has room on the drive, and takes it apart.
pub(crate) async fn fetch(
    session: &mut Session,
    number: u32,
    files: &FileSystem,
    drive: DriveName,
) -> Result<Letter, Failure> {
    let free = files.free(drive).map_err(|_| Failure::FileSystemError)?;
    let mut message = Bounded {
        octets: Vec::new(),
        room: message_limit(free),
    };
    session.retrieve(number, &mut message).await?;
    Ok(Letter::parse(&message.octets))
}

/// Octets of a message that may be read while so many are free on the drive.
///
/// Whatever size the server tells, only the end of the message is the truth, so one that does not
/// fit is found out while it comes in.
fn message_limit(free: u64) -> u64 {
    free.saturating_mul(ENCODING)
        .saturating_add(SLACK)
        .min(MESSAGE_MAX)
}

/// How many times larger than its files a message may be: quoted-printable writes up to three
/// octets for one, and soft line breaks between them.
const ENCODING: u64 = 4;

/// What a message may have beside: header fields and MIME headers, which become no file.
const SLACK: u64 = 64 * 1024;

/// No message is larger, however much is free: it is in memory before it is on the drive.
const MESSAGE_MAX: u64 = 64 * 1024 * 1024;

/// A message on its way to the drive. One that could not fit there is refused before it is all
/// in memory.
struct Bounded {
    octets: Vec<u8>,
    room: u64,
}

impl io::Write for Bounded {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        let room = self.room.checked_sub(octets.len() as u64);
        self.room = room.ok_or(io::ErrorKind::StorageFull)?;
        self.octets.extend_from_slice(octets);
        Ok(octets.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
