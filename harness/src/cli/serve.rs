//! `urcheck serve`: the fake servers alone, every dialogue shown live.

use crate::exit::Exit;
use clap::Args;
use std::collections::BTreeMap;
use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::net::TcpListener;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use urcheck_servers::event::{EventKind, EventSink, WireEvent};
use urcheck_servers::{pop3, smtp};

/// Longest line of a dialogue that is shown whole.
const WIDTH: usize = 160;

/// Largest mail file that is taken, in bytes.
const LARGEST_MAIL: u64 = 64 * 1024 * 1024;

/// What `AUTH` of the POP3 server offers besides USER and APOP: whatever a client was told to use,
/// it finds here.
const MECHANISMS: [&str; 3] = ["PLAIN", "LOGIN", "CRAM-MD5"];

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  urcheck serve
  urcheck serve --smtp 0.0.0.0:2525 --pop3 0.0.0.0:2110 --account alice:secret --mail letter.eml
  curl -s smtp://127.0.0.1:2525 --mail-from a@b.c --mail-rcpt d@e.f -T letter.eml
  curl -s pop3://alice:secret@127.0.0.1:2110/1")]
pub(super) struct Serve {
    /// Address of the SMTP server; port 0 is any free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:2525")]
    smtp: SocketAddr,
    /// Address of the POP3 server; port 0 is any free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:2110")]
    pop3: SocketAddr,
    /// An account of both servers; may be repeated. With one, mail is only taken after AUTH
    #[arg(long, value_name = "USER:PASSWORD", value_parser = account)]
    account: Vec<(String, String)>,
    /// A mail in the maildrop of the first account [default account: un:pwd]
    #[arg(long, value_name = "FILE", num_args = 1..)]
    mail: Vec<PathBuf>,
    /// Offer STARTTLS and STLS, with a certificate made at start-up
    #[arg(long, conflicts_with = "tls")]
    starttls: bool,
    /// Speak TLS from the first byte on
    #[arg(long)]
    tls: bool,
}

impl Serve {
    pub(super) fn run(self) -> Result<Exit, String> {
        let mail = self
            .mail
            .iter()
            .map(|path| letter(path))
            .collect::<Result<Vec<_>, _>>()?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .map_err(|error| format!("failed to make the runtime: {error}"))?;
        runtime.block_on(self.serve(mail))
    }

    async fn serve(self, mail: Vec<Vec<u8>>) -> Result<Exit, String> {
        let accounts: BTreeMap<String, String> = self.account.into_iter().collect();
        let sink = show();
        let smtp = smtp::Server::new(
            smtp::Setup {
                accounts: accounts.clone(),
                starttls: self.starttls,
                implicit_tls: self.tls,
                ..smtp::Setup::default()
            },
            Arc::clone(&sink),
        )
        .map_err(|error| error.to_string())?;
        let mut pop3_accounts = accounts;
        if pop3_accounts.is_empty() {
            pop3_accounts.insert("un".to_owned(), "pwd".to_owned());
        }
        let pop3 = pop3::Server::new(
            pop3::Setup {
                accounts: pop3_accounts,
                stls: self.starttls,
                implicit_tls: self.tls,
                mail,
                sasl: MECHANISMS.map(str::to_owned).to_vec(),
                ..pop3::Setup::default()
            },
            sink,
        )
        .map_err(|error| error.to_string())?;

        let (mut smtp_listener, smtp_address) = listen(self.smtp).await?;
        let (mut pop3_listener, pop3_address) = listen(self.pop3).await?;
        say(&format!("smtp {smtp_address}\npop3 {pop3_address}"));
        let stop = CancellationToken::new();
        let serve = async {
            tokio::try_join!(
                smtp.serve(&mut smtp_listener, stop.clone()),
                pop3.serve(&mut pop3_listener, stop.clone()),
            )
        };
        tokio::pin!(serve);
        let interrupted = tokio::signal::ctrl_c();
        let served = tokio::select! {
            served = &mut serve => served,
            _ = interrupted => {
                // Tell every client before the end.
                stop.cancel();
                serve.await
            }
        };
        served
            .map(|_| Exit::Passed)
            .map_err(|error| format!("failed to serve: {error}"))
    }
}

async fn listen(address: SocketAddr) -> Result<(TcpListener, SocketAddr), String> {
    let failed = |error| format!("failed to listen on {address}: {error}");
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    Ok((listener, bound))
}

/// What has come of a line that has no end yet: by protocol, connection and side.
type OpenLines = BTreeMap<(&'static str, u32, char), Vec<u8>>;

/// Shows what happens on every connection, a line each.
fn show() -> EventSink {
    let start = Instant::now();
    let open: Mutex<OpenLines> = Mutex::default();
    Arc::new(move |event: WireEvent| {
        let at = event.at.duration_since(start).as_secs_f64();
        let head = format!("{at:9.3} {} #{}", event.protocol.name(), event.connection);
        let mut lines = Vec::new();
        let mut dialogue = |side: char, bytes: &[u8], omitted: u64| {
            let mut open = open.lock().unwrap_or_else(PoisonError::into_inner);
            let buffer = open
                .entry((event.protocol.name(), event.connection, side))
                .or_default();
            buffer.extend_from_slice(bytes);
            while let Some(end) = buffer.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = buffer.drain(..=end).collect();
                lines.push(format!("{side}: {}", printable(&line)));
            }
            if buffer.len() > WIDTH {
                lines.push(format!("{side}: {}", printable(&std::mem::take(buffer))));
            }
            if omitted > 0 {
                lines.push(format!("{side}: … {omitted} more bytes"));
            }
        };
        match event.kind {
            EventKind::Connected { peer } => lines.push(format!("connected from {peer}")),
            EventKind::FromClient { bytes, omitted } => dialogue('C', &bytes, omitted),
            EventKind::FromServer { bytes, omitted } => dialogue('S', &bytes, omitted),
            EventKind::TlsStarted => lines.push("TLS started".to_owned()),
            EventKind::ClientClosed => lines.push("client closed".to_owned()),
            EventKind::ServerClosed => lines.push("server closed".to_owned()),
            EventKind::Reset { by_server: true } => lines.push("server reset".to_owned()),
            EventKind::Reset { by_server: false } => lines.push("client reset".to_owned()),
            EventKind::Lint { id, message } => lines.push(format!("client fault {id}: {message}")),
            EventKind::Fired { what, .. } => lines.push(format!("fault: {what}")),
            EventKind::Note(note) => lines.push(note),
            _ => {}
        }
        for line in lines {
            say(&format!("{head} {line}"));
        }
    })
}

fn say(text: &str) {
    let mut out = anstream::stdout().lock();
    // Nobody may be reading any more; the servers serve all the same.
    let _unread = writeln!(out, "{text}").and_then(|()| out.flush());
}

/// A line of a dialogue without its line end, with what is not printable escaped, cut to a width.
fn printable(line: &[u8]) -> String {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let text: String = String::from_utf8_lossy(line)
        .chars()
        .map(|c| {
            if c.is_control() {
                c.escape_default().to_string()
            } else {
                c.to_string()
            }
        })
        .collect();
    match text.char_indices().nth(WIDTH) {
        Some((cut, _)) => format!("{}…", text.get(..cut).unwrap_or_default()),
        None => text,
    }
}

/// Reads a mail and gives it the line ends of the wire.
fn letter(path: &std::path::Path) -> Result<Vec<u8>, String> {
    let failed = |error| format!("failed to read {}: {error}", path.display());
    let size = std::fs::metadata(path).map_err(failed)?.len();
    if size > LARGEST_MAIL {
        return Err(format!(
            "{}: {size} bytes is too large for a mail",
            path.display()
        ));
    }
    let bytes = std::fs::read(path).map_err(failed)?;
    let mut mail = Vec::with_capacity(bytes.len());
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        let text = line.strip_suffix(b"\n").unwrap_or(line);
        mail.extend_from_slice(text.strip_suffix(b"\r").unwrap_or(text));
        mail.extend_from_slice(b"\r\n");
    }
    Ok(mail)
}

fn account(text: &str) -> Result<(String, String), String> {
    let (user, password) = text
        .split_once(':')
        .filter(|(user, _)| !user.is_empty())
        .ok_or_else(|| format!("`{text}` is not USER:PASSWORD"))?;
    Ok((user.to_owned(), password.to_owned()))
}
