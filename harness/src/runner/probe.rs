//! Getting in step with a device before a case, and asking after its health behind it.
//!
//! Both talk plain V.250: `AT` and its result code. Nothing here is judged by a scenario.

use super::Pace;
use crate::judge::Policy;
use crate::judge::lines::LineAssembler;
use crate::scenario::case::{Action, Case, TemplatePart};
use crate::transport::{LineLost, Port};
use std::time::Duration;
use tokio::time::Instant;

/// How long one `AT` of the synchronisation is waited for.
const ONE_TRY: Duration = Duration::from_millis(1500);

/// How long the line must have been silent before it counts as drained.
const DRAINED: Duration = Duration::from_millis(30);

/// Most text of a device that a message quotes.
const QUOTED: usize = 120;

/// Why device and harness did not get in step.
#[derive(Debug, thiserror::Error)]
pub enum SyncError {
    /// The line is lost.
    #[error(transparent)]
    Lost(#[from] LineLost),
    /// It talks, but not by the rules of V.250 (5.7.1): that is the device's fault.
    #[error("the device answers `AT`, but never with `OK`{heard}")]
    Wrong {
        /// What it sent, in words.
        heard: String,
    },
    /// Nothing like a result code came: no device, another speed, another program.
    #[error("the device did not answer `AT` with `OK` within {within:?}{heard}")]
    Silent {
        /// How long it was asked.
        within: Duration,
        /// What it sent instead, in words.
        heard: String,
    },
}

/// Empties the line, then asks `AT` until `OK` comes, then sets the echo state of the profile.
pub(super) async fn synchronise(
    port: &mut Port,
    policy: &Policy,
    pace: Pace,
) -> Result<(), SyncError> {
    let deadline = Instant::now() + pace.boot;
    let mut heard = Vec::new();
    loop {
        drain(port, deadline).await?;
        let answer = ask(port, b"AT", &policy.line_end, ONE_TRY.min(pace.boot)).await?;
        if answer.ok() {
            let echo = if policy.echo { b"ATE1" } else { b"ATE0" };
            if answer.echoed != policy.echo {
                ask(port, echo, &policy.line_end, pace.answer).await?;
            }
            return Ok(());
        }
        heard.extend(answer.heard);
        heard.truncate(QUOTED);
        if Instant::now() >= deadline {
            return Err(out_of_step(&heard, pace.boot));
        }
        // It may still be taking the text of a mail: ESC ends that, and no command line knows it.
        send(port, b"\x1b", pace.answer).await?;
    }
}

/// What was heard of a device that never answered `OK`.
fn out_of_step(heard: &[u8], within: Duration) -> SyncError {
    let readable = |byte: &u8| matches!(byte, b'\r' | b'\n' | b' '..=b'~');
    let talks = !heard.is_empty() && heard.iter().all(readable);
    let heard = match heard {
        [] => "; it sent nothing at all".to_owned(),
        some => {
            let ends = some.iter().any(|byte| matches!(byte, b'\r' | b'\n'));
            let without = if ends { "" } else { " without a line end" };
            format!("; it sent `{}`{without}", some.escape_ascii())
        }
    };
    if talks {
        SyncError::Wrong { heard }
    } else {
        SyncError::Silent { within, heard }
    }
}

/// What would disturb the cases behind a case that ends before it has put it right, and what does
/// put it right.
const UNDO: [(&[u8], &[u8]); 2] = [
    (b"AT+CGATT=0", b"AT+CGATT=1"),
    (b"AT+FSLOCA=1", b"AT+FSLOCA=0"),
];

/// How long a device may take to come back to the network.
const BACK: Duration = Duration::from_secs(60);

/// What puts right what this case changes.
pub(super) fn undo(case: &Case) -> Vec<&'static [u8]> {
    let sent = case.steps.iter().filter_map(|step| match &step.action {
        Action::Send(template) => template.0.first(),
        _ => None,
    });
    let sent: Vec<_> = sent.collect();
    let sends = |command: &[u8]| {
        let command = TemplatePart::Bytes(command.to_vec());
        sent.iter().any(|part| **part == command)
    };
    let undone = UNDO.iter().filter(|(changes, _)| sends(changes));
    undone.map(|(_, back)| *back).collect()
}

/// Asks whether the device still takes commands, and ends what a case left running. `Some`: how
/// it is stuck, in one sentence.
pub(super) async fn health(
    port: &mut Port,
    pace: Pace,
    line_end: &[u8],
    undo: &[&[u8]],
) -> Result<Option<String>, LineLost> {
    let first = ask(port, b"AT", line_end, pace.answer).await?;
    let stuck = if first.ok() {
        None
    } else {
        send(port, b"\x1b", pace.answer).await?;
        let second = ask(port, b"AT", line_end, pace.answer).await?;
        Some(match (second.ok(), first.lines.is_empty()) {
            (true, _) => "after the case the device answered `AT` only after an ESC".to_owned(),
            (false, true) => "after the case the device did not answer `AT` any more".to_owned(),
            (false, false) => {
                let said = first.lines.join(b"\n".as_slice());
                let said: Vec<u8> = said.into_iter().take(QUOTED).collect();
                format!(
                    "after the case the device answered `AT` with `{}`",
                    said.escape_ascii()
                )
            }
        })
    };
    if stuck.is_none() {
        // Their result is not judged: `ERROR` is right when there is nothing to stop.
        for command in [b"AT+SMTPSTOP".as_slice(), b"AT+POP3STOP"] {
            ask(port, command, line_end, pace.answer).await?;
        }
        for command in undo {
            ask(port, command, line_end, BACK).await?;
        }
    }
    Ok(stuck)
}

/// What came back for a command.
#[derive(Debug, Default)]
struct Answer {
    echoed: bool,
    lines: Vec<Vec<u8>>,
    /// The first bytes that came, as they came.
    heard: Vec<u8>,
    result: Option<Vec<u8>>,
}

impl Answer {
    fn ok(&self) -> bool {
        self.result.as_deref() == Some(b"OK")
    }
}

/// Sends a command line and reads until a final result code comes or the time is over.
async fn ask(
    port: &mut Port,
    command: &[u8],
    line_end: &[u8],
    within: Duration,
) -> Result<Answer, LineLost> {
    const MOST_LINES: usize = 100;
    send(port, &[command, line_end].concat(), within).await?;
    let deadline = Instant::now() + within;
    let mut answer = Answer::default();
    let mut assembler = LineAssembler::default();
    while answer.lines.len() < MOST_LINES {
        let Some(bytes) = port.read(deadline).await? else {
            break;
        };
        let room = QUOTED.saturating_sub(answer.heard.len());
        answer.heard.extend(bytes.iter().take(room));
        let mut rest = bytes.as_slice();
        while !rest.is_empty() {
            let (line, used) = assembler.push(rest);
            rest = rest.get(used..).unwrap_or_default();
            let Some(line) = line.filter(|line| !line.is_blank()) else {
                continue;
            };
            if line.text == command {
                answer.echoed = true;
            } else if crate::judge::is_final_result(&line.text) {
                answer.result = Some(line.text.clone());
                answer.lines.push(line.text);
            } else {
                answer.lines.push(line.text);
            }
        }
        if answer.result.is_some() || Instant::now() >= deadline {
            break;
        }
    }
    if answer.result.is_none() && !assembler.open_line().trim_ascii().is_empty() {
        answer.lines.push(assembler.take_open_line());
    }
    Ok(answer)
}

async fn send(port: &mut Port, bytes: &[u8], within: Duration) -> Result<(), LineLost> {
    // What comes meanwhile belongs to something older.
    port.write(bytes, Instant::now() + within, drop).await
}

/// Reads until the line is silent for a moment, but not for ever.
async fn drain(port: &mut Port, deadline: Instant) -> Result<(), LineLost> {
    while Instant::now() < deadline {
        if port.read(Instant::now() + DRAINED).await?.is_none() {
            break;
        }
    }
    Ok(())
}
