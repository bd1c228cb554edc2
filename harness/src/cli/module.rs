//! `urcheck module`: the reference module alone.

use super::Refusal;
use crate::diagnostic::nearest;
use crate::exit::Exit;
use clap::Args;
use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use urcheck_device::net::TcpDialer;
use urcheck_device::pty::Pty;
use urcheck_device::{Firmware, Module as Device, Settings, mutant};

/// Runs the reference module for whoever wants to talk to one: the harness in another terminal, a
/// host driver under development, a person.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  urcheck module --link ./dut &        a module on a PTY; then: urcheck run --dut ./dut
  urcheck module --listen 127.0.0.1:2000 &    then: urcheck run --dut tcp:127.0.0.1:2000
  urcheck module --stdio --set timers.smtp=2s
  picocom ./dut                        talk to it by hand")]
pub(super) struct Module {
    #[command(flatten)]
    place: Place,
    /// Directory that becomes drive C:, kept afterwards [default: a temporary one]
    #[arg(long, value_name = "DIR")]
    root: Option<PathBuf>,
    /// Be the mutant of that name: a module with one bug
    #[arg(long, value_name = "NAME", conflicts_with = "variant")]
    mutant: Option<String>,
    /// Be the conforming variant of that name: it differs from the reference module and is right
    #[arg(long, value_name = "NAME")]
    variant: Option<String>,
    /// List mutants and variants, with what they do and what that breaks or is allowed by
    #[arg(long)]
    list_mutants: bool,
    /// Change a setting; may be repeated
    #[arg(long, value_name = "KEY=VALUE", value_parser = key_value, long_help = set_help())]
    set: Vec<(String, String)>,
}

#[derive(Debug, Args)]
#[group(multiple = false)]
struct Place {
    /// Serve a PTY and make this symbolic link to it
    #[arg(long, value_name = "PATH")]
    link: Option<PathBuf>,
    /// Serve one connection after the other on this TCP address
    #[arg(long, value_name = "ADDR")]
    listen: Option<SocketAddr>,
    /// Serve standard input and output
    #[arg(long)]
    stdio: bool,
}

impl Module {
    pub(super) fn run(self) -> Result<Exit, Refusal> {
        if self.list_mutants {
            list_mutants();
            return Ok(Exit::Passed);
        }
        let mut settings = Settings {
            firmware: self.firmware()?,
            ..Settings::default()
        };
        for (key, value) in &self.set {
            settings
                .set(key, value)
                .map_err(|error| Refusal::usage(error.to_string()))?;
        }
        if let Some(root) = &self.root {
            settings.storage.root = urcheck_device::Root::Directory(root.clone());
        }
        let device = Device::new(settings, Arc::new(TcpDialer))
            .map_err(|error| Refusal::infrastructure(error.to_string()))?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| Refusal::infrastructure(format!("no runtime: {error}")))?;
        let result = runtime.block_on(async {
            tokio::select! {
                result = self.place.serve(device) => result,
                _ = tokio::signal::ctrl_c() => Ok(Exit::Passed),
            }
        });
        // A read of standard input that is under way cannot be ended.
        runtime.shutdown_background();
        result.map_err(Refusal::infrastructure)
    }
}

impl Module {
    /// The build that was asked for.
    fn firmware(&self) -> Result<Firmware, Refusal> {
        let mutants = || {
            mutant::ALL
                .iter()
                .map(|mutant| (mutant.name, mutant.firmware))
        };
        let variants = || {
            let all = mutant::VARIANTS.iter();
            all.map(|variant| (variant.name, variant.firmware))
        };
        let (kind, name, known): (_, _, Vec<_>) = match (&self.mutant, &self.variant) {
            (Some(name), _) => ("mutant", name, mutants().collect()),
            (None, Some(name)) => ("variant", name, variants().collect()),
            (None, None) => return Ok(Firmware::default()),
        };
        let found = known.iter().find(|(one, _)| one == name);
        found.map(|(_, firmware)| *firmware).ok_or_else(|| {
            let near = nearest(name, known.iter().map(|(one, _)| *one));
            let hint = near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
            Refusal::usage(format!(
                "there is no {kind} `{name}`{hint}; --list-mutants lists them"
            ))
        })
    }
}

fn list_mutants() {
    let mut text = String::new();
    for mutant in mutant::ALL.iter() {
        text += &format!(
            "{}\n    {}\n    breaks {}\n",
            mutant.name, mutant.about, mutant.breaks
        );
    }
    text += "\nConforming variants:\n\n";
    for variant in mutant::VARIANTS.iter() {
        text += &format!(
            "{}\n    {}\n    allowed by {}\n",
            variant.name, variant.about, variant.allows
        );
    }
    // Nobody may be reading any more.
    let _unread = std::io::stdout().lock().write_all(text.as_bytes());
}

impl Place {
    async fn serve(&self, mut device: Device) -> Result<Exit, String> {
        if let Some(address) = self.listen {
            let listener = tokio::net::TcpListener::bind(address)
                .await
                .map_err(|error| format!("failed to listen on {address}: {error}"))?;
            let bound = listener.local_addr().map_err(|error| error.to_string())?;
            announce(&format!("tcp:{bound}"));
            loop {
                let (stream, _) = listener.accept().await.map_err(|error| error.to_string())?;
                // A DTE that vanishes ends its connection, not the module.
                let served = match stream.set_nodelay(true) {
                    Ok(()) => device.run(stream).await,
                    Err(error) => Err(error),
                };
                if let Err(error) = served {
                    anstream::eprintln!("the connection was lost: {error}");
                }
            }
        }
        if self.stdio {
            return serve_stdio(device).await;
        }
        let mut pty = Pty::open().map_err(|error| format!("failed to open a PTY: {error}"))?;
        match &self.link {
            Some(link) => {
                pty.link(link)
                    .map_err(|error| format!("failed to link {}: {error}", link.display()))?;
                announce(&link.display().to_string());
            }
            None => announce(&pty.path().display().to_string()),
        }
        device
            .run(&mut pty)
            .await
            .map_err(|error| format!("the PTY was lost: {error}"))?;
        Ok(Exit::Passed)
    }
}

async fn serve_stdio(mut device: Device) -> Result<Exit, String> {
    let _terminal = plain_terminal();
    let mut line = tokio::io::join(tokio::io::stdin(), tokio::io::stdout());
    match device.run(&mut line).await {
        // How a terminal says that nobody is at its other end any more.
        Err(error) if error.raw_os_error() == Some(rustix::io::Errno::IO.raw_os_error()) => {}
        other => other.map_err(|error| format!("the line was lost: {error}"))?,
    }
    Ok(Exit::Passed)
}

/// If standard input is a terminal: hands every key on at once and as it is (a carriage return
/// ends a command line), without local echo, until dropped. Ctrl-C still works.
fn plain_terminal() -> Option<RestoreTerminal> {
    use rustix::termios::{InputModes, LocalModes, OptionalActions, tcgetattr, tcsetattr};
    let stdin = std::io::stdin();
    let before = tcgetattr(&stdin).ok()?;
    let mut plain = before.clone();
    plain.input_modes.remove(InputModes::ICRNL);
    plain
        .local_modes
        .remove(LocalModes::ICANON | LocalModes::ECHO);
    tcsetattr(&stdin, OptionalActions::Now, &plain).ok()?;
    Some(RestoreTerminal(before))
}

struct RestoreTerminal(rustix::termios::Termios);

impl Drop for RestoreTerminal {
    fn drop(&mut self) {
        let now = rustix::termios::OptionalActions::Now;
        // The terminal may be gone; then there is nothing to restore.
        let _gone = rustix::termios::tcsetattr(std::io::stdin(), now, &self.0);
    }
}

/// Says where the module is, on standard output, for whoever waits for it.
fn announce(place: &str) {
    let mut out = std::io::stdout().lock();
    // Nobody may be reading any more; the module serves all the same.
    let _unread = writeln!(out, "{place}").and_then(|()| out.flush());
}

fn key_value(text: &str) -> Result<(String, String), String> {
    let (key, value) = text
        .split_once('=')
        .ok_or_else(|| format!("`{text}` is not KEY=VALUE, as in timers.smtp=2s"))?;
    Ok((key.trim().to_owned(), value.trim().to_owned()))
}

fn set_help() -> String {
    let mut help = String::from("Change a setting; may be repeated. Keys (defaults):\n");
    for (key, about) in Settings::KEYS {
        help.push_str(&format!("  {key:<26} {about}\n"));
    }
    help
}
