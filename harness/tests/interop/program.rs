//! Programs of this machine: whether they are there, running them to their end, and keeping them
//! running for as long as a test lasts.

use rustix::process::Signal;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::mpsc;
use tokio::time::timeout;

/// How long anything may take before the test has failed. Nothing waits for so long: it is there
/// for the day on which a daemon hangs.
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);

/// Where a program is, if it is installed; says so otherwise.
pub(crate) fn installed(name: &str) -> Option<PathBuf> {
    // Daemons are not always on the path of a user.
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path)
        .chain(["/usr/sbin".into(), "/usr/local/sbin".into()])
        .map(|folder: PathBuf| folder.join(name))
        .find(|file| file.is_file());
    if found.is_none() {
        println!("skipped: {name} is not installed");
    }
    found
}

/// Runs a program to its end, with `input` on its standard input.
pub(crate) async fn run(mut command: Command, input: &Path) -> Output {
    command
        .stdin(std::fs::File::open(input).unwrap())
        .kill_on_drop(true);
    match timeout(DEADLINE, command.output()).await {
        Ok(output) => output.unwrap(),
        Err(_) => panic!("{command:?} does not end"),
    }
}

/// What a program printed, on both streams, for the message of a failed assertion.
pub(crate) fn printed(output: &Output) -> String {
    let streams = [&output.stdout, &output.stderr];
    streams.map(|text| String::from_utf8_lossy(text)).concat()
}

/// A program that runs until the test ends, however it ends.
pub(crate) struct Running {
    child: Child,
    name: &'static str,
    lines: mpsc::UnboundedReceiver<String>,
    seen: Vec<String>,
}

impl Running {
    pub(crate) fn start(name: &'static str, mut command: Command) -> Self {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (sender, lines) = mpsc::unbounded_channel();
        tokio::spawn(hand_on(child.stdout.take().unwrap(), sender.clone()));
        tokio::spawn(hand_on(child.stderr.take().unwrap(), sender));
        let seen = Vec::new();
        Self {
            child,
            name,
            lines,
            seen,
        }
    }

    /// The next line that `wanted` makes something of.
    pub(crate) async fn until<T>(&mut self, wanted: impl Fn(&str) -> Option<T>) -> T {
        loop {
            let Ok(Some(line)) = timeout(DEADLINE, self.lines.recv()).await else {
                let seen = self.seen.join("\n");
                panic!("{} did not say what was waited for:\n{seen}", self.name);
            };
            let found = wanted(&line);
            self.seen.push(line);
            if let Some(found) = found {
                return found;
            }
        }
    }

    /// Ends it in good order and gives all that it has said. Returns when nobody holds its output
    /// any more, so neither it nor a child of it is left.
    pub(crate) async fn stop(mut self, signal: Signal) -> Vec<String> {
        self.signal(signal);
        while let Some(line) = timeout(DEADLINE, self.lines.recv())
            .await
            .unwrap_or_else(|_| panic!("{} does not end", self.name))
        {
            self.seen.push(line);
        }
        std::mem::take(&mut self.seen)
    }

    fn signal(&self, signal: Signal) {
        let pid = self.child.id().and_then(|pid| i32::try_from(pid).ok());
        if let Some(pid) = pid.and_then(rustix::process::Pid::from_raw) {
            // It may have ended by itself.
            let _ended = rustix::process::kill_process(pid, signal);
        }
    }
}

impl Drop for Running {
    /// Asked to end, a daemon takes its children along; killed, it could not.
    fn drop(&mut self) {
        self.signal(Signal::TERM);
    }
}

async fn hand_on(stream: impl AsyncRead + Unpin, to: mpsc::UnboundedSender<String>) {
    let mut lines = BufReader::new(stream).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        if to.send(line).is_err() {
            return;
        }
    }
}
