//! `urcheck serve` for the length of a test.

use crate::program::Running;
use rustix::process::Signal;
use std::path::Path;
use tokio::process::Command;

/// The letter that the clients send and fetch: what dot-stuffing and final results stumble over.
pub(crate) const LETTER: &str = "\
From: Mike <mike@example.com>\r\n\
To: Anna <anna@example.org>\r\n\
Date: Tue, 9 Mar 2010 17:11:30 +0800\r\n\
Subject: A letter\r\n\
Message-ID: <one@example.com>\r\n\
\r\n\
.one dot\r\n\
..two dots\r\n\
.\r\n\
OK\r\n\
the end\r\n";

/// The fake servers, with the account `alice` and two letters in her maildrop.
pub(crate) struct Serve {
    running: Running,
    pub(crate) smtp: u16,
    pub(crate) pop3: u16,
}

/// What `urcheck serve` showed, without times.
pub(crate) struct Shown(Vec<String>);

impl Serve {
    /// Starts them; `folder` is for the letter, which then is there as `letter.eml`.
    pub(crate) async fn start(folder: &Path) -> Self {
        let letter = folder.join("letter.eml");
        std::fs::write(&letter, LETTER).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_urcheck"));
        command
            .args(["serve", "--smtp", "127.0.0.1:0", "--pop3", "127.0.0.1:0"])
            .args(["--account", "alice:correct horse", "--mail"])
            .args([&letter, &letter])
            .env("NO_COLOR", "1");
        let mut running = Running::start("urcheck serve", command);
        let smtp = running.until(|line| port(line, "smtp ")).await;
        let pop3 = running.until(|line| port(line, "pop3 ")).await;
        Self {
            running,
            smtp,
            pop3,
        }
    }

    /// Ends them; gives what they showed.
    pub(crate) async fn stop(self) -> Shown {
        let lines = self.running.stop(Signal::INT).await;
        let without_time = |line: &String| line.trim_start().split_once(' ').map(|it| it.1.into());
        Shown(lines.iter().filter_map(without_time).collect())
    }
}

impl Shown {
    /// The ids of all client faults, sorted, each once.
    pub(crate) fn faults(&self) -> Vec<&str> {
        let mut faults: Vec<_> = self
            .0
            .iter()
            .filter_map(|line| Some(line.split_once(" client fault ")?.1.split_once(':')?.0))
            .collect();
        faults.sort_unstable();
        faults.dedup();
        faults
    }

    /// How many lines of clients or servers begin so, in whatever case (`C: AUTH PLAIN`).
    pub(crate) fn count(&self, start: &str) -> usize {
        let begins = |said: &&str| {
            said.get(..start.len())
                .is_some_and(|said| said.eq_ignore_ascii_case(start))
        };
        self.said().filter(begins).count()
    }

    /// How many lines of clients or servers are this.
    pub(crate) fn count_whole(&self, line: &str) -> usize {
        self.said().filter(|said| *said == line).count()
    }

    /// Each line after protocol and connection.
    fn said(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|line| line.splitn(3, ' ').nth(2))
    }
}

impl std::fmt::Display for Shown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0.join("\n"))
    }
}

fn port(line: &str, protocol: &str) -> Option<u16> {
    line.strip_prefix(protocol)?
        .rsplit_once(':')?
        .1
        .parse()
        .ok()
}
