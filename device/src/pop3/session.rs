//! A session with the server, in lock-step.

use super::status::{self, Status};
use super::unstuffing::Unstuffing;
use super::{Account, DropListing, Failure, HeaderFields, ScanListing};
use crate::net::Dialer;
use crate::net::link::{Link, LinkError};
use md5::{Digest, Md5};
use std::io::Write;
use std::time::Duration;
use tokio::time::Instant;

/// Entries of a scan listing of the whole maildrop that are taken.
const ENTRIES_LIMIT: usize = 100_000;

/// Octets of a header that are kept; the rest is read and dropped.
const HEADER_LIMIT: usize = 256 * 1024;

/// Octets that are read and dropped while only a header or a listing is wanted.
const SKIP_LIMIT: u64 = 64 * 1024 * 1024;

/// How long a refused client waits for the answer to its `QUIT`.
const FAREWELL: Duration = Duration::from_secs(2);

/// A session in the TRANSACTION state.
///
/// A failed request leaves it open (note chapter 1: "POP3 client will not close the session")
/// unless the link is gone, the timer expired or the file system failed; see
/// [`Session::is_open`]. Dropping it ends the session without `QUIT`, so nothing is deleted.
pub struct Session {
    link: Option<Link>,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session")
            .field("open", &self.is_open())
            .finish_non_exhaustive()
    }
}

impl Session {
    /// Connects and logs in: with `APOP` where the greeting offers it, otherwise or after its
    /// refusal with `USER` and `PASS`.
    ///
    /// `timer` (30 s in the note) limits connecting and the wait for each answer.
    ///
    /// # Errors
    ///
    /// [`Failure::NetworkError`] if there is no connection; [`Failure::InvalidUser`] and
    /// [`Failure::InvalidUserOrPassword`] if the server refuses them; [`Failure::ServerError`]
    /// for everything else.
    pub async fn login(
        account: &Account,
        dialer: &dyn Dialer,
        timer: Duration,
    ) -> Result<Self, Failure> {
        let link = Link::dial(dialer, &account.server, account.port, timer)
            .await
            .map_err(|_| Failure::NetworkError)?;
        let mut session = Self { link: Some(link) };
        let Status::Ok(greeting) = session.status().await? else {
            return Err(Failure::ServerError);
        };
        match session.authorize(account, &greeting).await {
            Ok(()) => Ok(session),
            Err(failure) => {
                session.farewell().await;
                Err(failure)
            }
        }
    }

    /// A session that is over.
    #[cfg(test)]
    pub(super) fn closed() -> Self {
        Self { link: None }
    }

    /// Whether further requests can be made.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.link.is_some()
    }

    /// `STAT`: number and size of the messages.
    ///
    /// # Errors
    ///
    /// [`Failure::ServerError`].
    pub async fn stat(&mut self) -> Result<DropListing, Failure> {
        let text = self.request("STAT").await?;
        status::drop_listing(&text).ok_or(Failure::ServerError)
    }

    /// `LIST n`: size of one message.
    ///
    /// # Errors
    ///
    /// [`Failure::ServerError`], also if the server speaks of another message.
    pub async fn list(&mut self, number: u32) -> Result<ScanListing, Failure> {
        let text = self.request(&format!("LIST {number}")).await?;
        status::scan_listing(&text)
            .filter(|listing| listing.number == number)
            .ok_or(Failure::ServerError)
    }

    /// `LIST`: sizes of all messages, in the server's order.
    ///
    /// # Errors
    ///
    /// [`Failure::ServerError`], also if one line is no scan listing.
    pub async fn list_all(&mut self) -> Result<Vec<ScanListing>, Failure> {
        self.request("LIST").await?;
        let mut listings = Vec::new();
        let mut line = Vec::new();
        let mut malformed = false;
        let mut entries = |text: &[u8]| {
            for byte in text {
                if *byte != b'\n' {
                    // No scan listing is that long, and it need not be kept to be refused.
                    malformed |= line.len() >= 512;
                    if !malformed {
                        line.push(*byte);
                    }
                    continue;
                }
                let entry = status::scan_listing(line.strip_suffix(b"\r").unwrap_or(&line));
                line.clear();
                match entry {
                    Some(_) if listings.len() >= ENTRIES_LIMIT => return Err(Interrupted),
                    Some(entry) => listings.push(entry),
                    None => malformed = true,
                }
            }
            Ok(())
        };
        self.text(Some(SKIP_LIMIT), &mut entries)
            .await
            .map_err(|_| Failure::ServerError)?;
        if malformed || !line.is_empty() {
            Err(Failure::ServerError)
        } else {
            Ok(listings)
        }
    }

    /// `TOP n 0`: the header of a message. If the server has no `TOP`, `RETR` of a message that it
    /// does have, of which only the header is kept.
    ///
    /// # Errors
    ///
    /// [`Failure::ServerError`].
    pub async fn header(&mut self, number: u32) -> Result<HeaderFields, Failure> {
        match self.command(&format!("TOP {number} 0")).await? {
            Status::Ok(_) => {}
            Status::Err(_) => {
                // `TOP` is optional, so its refusal says nothing about the message yet.
                self.list(number).await?;
                self.request(&format!("RETR {number}")).await?;
            }
        }
        let mut header = Vec::new();
        let mut collect = |text: &[u8]| {
            let room = HEADER_LIMIT.saturating_sub(header.len());
            header.extend(text.iter().take(room));
            Ok(())
        };
        self.text(Some(SKIP_LIMIT), &mut collect)
            .await
            .map_err(|_| Failure::ServerError)?;
        Ok(HeaderFields::parse(&header))
    }

    /// `RETR n`: writes the message to `sink` as it comes in, without the dots that the
    /// transparency of the protocol added. Returns its size in octets.
    ///
    /// # Errors
    ///
    /// [`Failure::ServerError`] if the server refuses; [`Failure::Failure`] if the transfer breaks
    /// off: what `sink` has got then is not the message; [`Failure::FileSystemError`] if `sink`
    /// fails. The latter two close the session.
    pub async fn retrieve(
        &mut self,
        number: u32,
        sink: &mut (dyn Write + Send),
    ) -> Result<u64, Failure> {
        self.request(&format!("RETR {number}")).await?;
        let mut size = 0_u64;
        let mut store = |text: &[u8]| {
            size = size.saturating_add(text.len() as u64);
            sink.write_all(text).map_err(|_| Interrupted)
        };
        match self.text(None, &mut store).await {
            Ok(()) => {}
            Err(Broken::Link) => return Err(Failure::Failure),
            Err(Broken::Interrupted) => return Err(Failure::FileSystemError),
        }
        if sink.flush().is_err() {
            self.link = None;
            return Err(Failure::FileSystemError);
        }
        Ok(size)
    }

    /// `DELE n`: marks a message; [`Session::quit`] makes it true.
    ///
    /// # Errors
    ///
    /// [`Failure::ServerError`].
    pub async fn delete(&mut self, number: u32) -> Result<(), Failure> {
        self.request(&format!("DELE {number}")).await.map(drop)
    }

    /// `QUIT`: ends the session normally; now the server deletes what is marked.
    ///
    /// # Errors
    ///
    /// [`Failure::ServerError`] if the server does not confirm. The session is over all the same.
    pub async fn quit(mut self) -> Result<(), Failure> {
        if let Some(link) = &mut self.link {
            // Leftovers of earlier answers must not keep the session from its end.
            link.discard().await;
        }
        self.request("QUIT").await.map(drop)
    }

    async fn authorize(&mut self, account: &Account, greeting: &[u8]) -> Result<(), Failure> {
        let Account { user, password, .. } = account;
        if user.contains(['\r', '\n', '\0']) {
            return Err(Failure::InvalidUser);
        }
        if password.contains(['\r', '\n', '\0']) {
            return Err(Failure::InvalidUserOrPassword);
        }
        let mut refused_before = false;
        // A blank in the name would be taken for the end of it.
        if let Some(timestamp) = status::timestamp(greeting).filter(|_| !user.contains(' ')) {
            let digest = Md5::new()
                .chain_update(timestamp)
                .chain_update(password)
                .finalize();
            let digest = u128::from_be_bytes(digest.into());
            let status = self.command(&format!("APOP {user} {digest:032x}")).await?;
            match status {
                Status::Ok(_) => return Ok(()),
                Status::Err(text) if status::is_not_about_credentials(&text) => {
                    return Err(Failure::ServerError);
                }
                Status::Err(_) => refused_before = true,
            }
        }
        for (command, failure) in [
            (format!("USER {user}"), Failure::InvalidUser),
            (format!("PASS {password}"), Failure::InvalidUserOrPassword),
        ] {
            match self.command(&command).await {
                Ok(Status::Ok(_)) => {}
                Ok(Status::Err(text)) if status::is_not_about_credentials(&text) => {
                    return Err(Failure::ServerError);
                }
                Ok(Status::Err(_)) => return Err(failure),
                // The refusal of `APOP` was the answer then.
                Err(_) if refused_before && !self.is_open() => {
                    return Err(Failure::InvalidUserOrPassword);
                }
                Err(failure) => return Err(failure),
            }
        }
        Ok(())
    }

    /// Takes leave after a refusal; the answer matters to nobody.
    async fn farewell(mut self) {
        if let Some(link) = &mut self.link
            && link.send(b"QUIT\r\n").await.is_ok()
        {
            let deadline = link.deadline().min(Instant::now() + FAREWELL);
            // Waiting lets the server finish its side.
            let _ = link.line(deadline).await;
        }
    }

    /// Sends a command and gives the text of its `+OK`.
    pub(crate) async fn request(&mut self, line: &str) -> Result<Vec<u8>, Failure> {
        match self.command(line).await? {
            Status::Ok(text) => Ok(text),
            Status::Err(_) => Err(Failure::ServerError),
        }
    }

    /// Sends a command and reads its status line.
    async fn command(&mut self, line: &str) -> Result<Status, Failure> {
        let link = self.link.as_mut().ok_or(Failure::ServerError)?;
        match link.send(format!("{line}\r\n").as_bytes()).await {
            Ok(()) => self.status().await,
            Err(LinkError::Unsolicited) => {
                // Whatever that was, the next answer must not be mistaken for it.
                link.discard().await;
                Err(Failure::ServerError)
            }
            Err(_) => {
                self.link = None;
                Err(Failure::ServerError)
            }
        }
    }

    async fn status(&mut self) -> Result<Status, Failure> {
        let link = self.link.as_mut().ok_or(Failure::ServerError)?;
        match link.line(link.deadline()).await {
            Ok(line) => Status::read(&line).ok_or(Failure::ServerError),
            Err(_) => {
                self.link = None;
                Err(Failure::ServerError)
            }
        }
    }

    /// Reads the text of a multi-line answer into `sink`, at most `limit` octets. The timer starts
    /// again whenever some of it arrives. Closes the session if the text is not read to its end.
    async fn text(
        &mut self,
        limit: Option<u64>,
        sink: &mut (dyn FnMut(&[u8]) -> Result<(), Interrupted> + Send),
    ) -> Result<(), Broken> {
        // Out of the session until the text is complete, so that no way out leaves it half read.
        let mut link = self.link.take().ok_or(Broken::Link)?;
        let mut unstuffing = Unstuffing::default();
        let mut text = Vec::new();
        let mut length = 0_u64;
        while !unstuffing.is_complete() {
            link.fill(link.deadline()).await.map_err(|_| Broken::Link)?;
            text.clear();
            let used = unstuffing.take(link.unread(), &mut text);
            link.consume(used);
            length = length.saturating_add(text.len() as u64);
            if limit.is_some_and(|limit| length > limit) {
                return Err(Broken::Interrupted);
            }
            sink(&text).map_err(|Interrupted| Broken::Interrupted)?;
        }
        self.link = Some(link);
        Ok(())
    }
}

/// The receiver of a text wants no more of it.
struct Interrupted;

/// Why a text was not read to its end.
enum Broken {
    Link,
    Interrupted,
}
