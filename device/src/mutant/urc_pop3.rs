//! The unsolicited result codes of POP3, and the answers that begin with `+POP3:`: every row of the
//! note's table missing, misspelt, early, twice, in the wrong order, or in place of another one.

use super::tools::{is, says, silent, text};
use super::{Mutant, mutant};
use crate::at::LineSettings;
use crate::at::output::{Block, framed};
use crate::command::extended;
use crate::command::pop3::Phase;
use crate::exchange::Event;
use crate::firmware::{Firmware, SHIPPED};
use crate::interpreter::{Answer, Waiting};
use crate::pop3::Failure;
use crate::urc::POP3_SUCCESS;

/// A build that reports one failure in place of another.
macro_rules! fails_as {
    ($from:path, $to:path) => {
        Firmware {
            event: |interpreter, event| interpreter.tell(failing(event, $from, $to)),
            ..SHIPPED
        }
    };
}

pub(super) const MUTANTS: &[Mutant] = &[
    mutant(
        "u-pop3-success-missing",
        "+POP3: SUCCESS does not come",
        "pop3.urc.success, note.4.2",
        silent!("+POP3: SUCCESS"),
    ),
    mutant(
        "u-pop3-success-misspelt",
        "+POP3: SUCCESS is misspelt: SUCESS",
        "pop3.urc.success, note.4.2",
        says!("+POP3: SUCCESS", "+POP3: SUCESS"),
    ),
    mutant(
        "u-pop3-success-lower",
        "+POP3: SUCCESS is in lower case",
        "pop3.urc.success, note.4.2",
        says!("+POP3: SUCCESS", "+POP3: success"),
    ),
    mutant(
        "u-pop3-success-prefix",
        "+POP: SUCCESS comes instead of +POP3: SUCCESS",
        "pop3.urc.success, note.4.2",
        says!("+POP3: SUCCESS", "+POP: SUCCESS"),
    ),
    mutant(
        "u-pop3-success-unspaced",
        "+POP3:SUCCESS lacks the blank after the colon",
        "pop3.urc.success, note.4.2",
        says!("+POP3: SUCCESS", "+POP3:SUCCESS"),
    ),
    mutant(
        "u-pop3-success-twice",
        "+POP3: SUCCESS comes twice",
        "pop3.urc.success, note.4.2",
        Firmware {
            event: |interpreter, event| {
                if matches!(
                    &event,
                    Event::Pop3Answered {
                        answer: Ok(Answer::Done),
                        ..
                    }
                ) {
                    interpreter.announce(vec![POP3_SUCCESS.to_owned()]);
                }
                interpreter.tell(event);
            },
            ..SHIPPED
        },
    ),
    mutant(
        "u-out-silent",
        "AT+POP3OUT is answered with OK alone",
        "note.4.5.out, pop3.out",
        Firmware {
            event: |interpreter, event| match event {
                Event::Pop3Answered {
                    answer: Ok(_),
                    open: false,
                } => {
                    interpreter.core.pop3.phase = Phase::LoggedOut;
                    if interpreter.stop_waiting_for(Waiting::Pop3) {
                        interpreter.resume(Ok(()));
                    }
                }
                event => interpreter.tell(event),
            },
            ..SHIPPED
        },
    ),
    mutant(
        "u-get-silent",
        "An e-mail that was retrieved is not reported",
        "note.4.4.get, pop3.urc.success",
        Firmware {
            event: |interpreter, event| match event {
                Event::Pop3Answered {
                    answer: Ok(Answer::Stored(path)),
                    ..
                } => {
                    interpreter.core.pop3.phase = Phase::LoggedIn;
                    interpreter.core.pop3.last_mail = Some(path);
                }
                event => interpreter.tell(event),
            },
            ..SHIPPED
        },
    ),
    mutant(
        "u-get-without-success",
        "A retrieved e-mail is reported with its file alone",
        "note.4.4.get, pop3.urc.success",
        Firmware {
            frame: |block, line, lines, out| match lines {
                [b"+POP3: SUCCESS", path] => framed(block, line, &[*path], out),
                lines => framed(block, line, lines, out),
            },
            ..SHIPPED
        },
    ),
    mutant(
        "u-get-without-file",
        "A retrieved e-mail is reported without its file",
        "note.4.4.get, pop3.urc.success",
        Firmware {
            frame: |block, line, lines, out| match lines {
                [success @ b"+POP3: SUCCESS", _] => framed(block, line, &[*success], out),
                lines => framed(block, line, lines, out),
            },
            ..SHIPPED
        },
    ),
    mutant(
        "u-get-file-first",
        "The file of a retrieved e-mail is reported before +POP3: SUCCESS",
        "note.4.4.get, pop3.urc.success",
        Firmware {
            frame: |block, line, lines, out| match lines {
                [success @ b"+POP3: SUCCESS", path] => framed(block, line, &[*path, *success], out),
                lines => framed(block, line, lines, out),
            },
            ..SHIPPED
        },
    ),
    mutant(
        "u-get-early",
        "+POP3: SUCCESS comes when the transfer of an e-mail begins",
        "note.4.4.get, pop3.urc.success",
        Firmware {
            command: |core, name, form| {
                let answer = extended(core, name, form)?;
                if is(name, "+POP3GET") && core.pop3.phase == Phase::Busy {
                    core.report(&[POP3_SUCCESS]);
                }
                Ok(answer)
            },
            frame: |block, line, lines, out| match lines {
                [b"+POP3: SUCCESS", path] => framed(block, line, &[*path], out),
                lines => framed(block, line, lines, out),
            },
            ..SHIPPED
        },
    ),
    mutant(
        "u-get-twice",
        "A retrieved e-mail is reported twice",
        "note.4.4.get, pop3.urc.success",
        Firmware {
            frame: |block, line, lines, out| {
                framed(block, line, lines, out);
                if matches!(lines, [b"+POP3: SUCCESS", _]) {
                    framed(block, line, lines, out);
                }
            },
            ..SHIPPED
        },
    ),
    mutant(
        "u-failure-missing",
        "+POP3: FAILURE does not come",
        "pop3.urc.failure",
        silent!("+POP3: FAILURE"),
    ),
    mutant(
        "u-failure-misspelt",
        "+POP3: FAIL comes instead of +POP3: FAILURE",
        "pop3.urc.failure",
        says!("+POP3: FAILURE", "+POP3: FAIL"),
    ),
    mutant(
        "u-failure-as-success",
        "+POP3: SUCCESS comes instead of +POP3: FAILURE",
        "pop3.urc.failure",
        says!("+POP3: FAILURE", "+POP3: SUCCESS"),
    ),
    mutant(
        "u-failure-as-file-system-error",
        "A transfer that breaks off is reported as +POP3: FILE SYSTEM ERROR",
        "pop3.urc.failure",
        fails_as!(Failure::Failure, Failure::FileSystemError),
    ),
    mutant(
        "u-pop3-network-error-missing",
        "+POP3: NETWORK ERROR does not come",
        "pop3.urc.network-error",
        silent!("+POP3: NETWORK ERROR"),
    ),
    mutant(
        "u-pop3-network-error-misspelt",
        "+POP3: NETWORK ERR comes instead of +POP3: NETWORK ERROR",
        "pop3.urc.network-error",
        says!("+POP3: NETWORK ERROR", "+POP3: NETWORK ERR"),
    ),
    mutant(
        "u-pop3-network-error-as-server-error",
        "A server that cannot be reached is reported as +POP3: SERVER ERROR",
        "pop3.urc.network-error",
        fails_as!(Failure::NetworkError, Failure::ServerError),
    ),
    mutant(
        "u-pop3-server-error-missing",
        "+POP3: SERVER ERROR does not come",
        "pop3.urc.released, pop3.urc.wrong-response, pop3.urc.no-answer, pop3.urc.wrong-id",
        silent!("+POP3: SERVER ERROR"),
    ),
    mutant(
        "u-pop3-server-error-misspelt",
        "+POP3: SERVERERROR comes instead of +POP3: SERVER ERROR",
        "pop3.urc.released, pop3.urc.wrong-response, pop3.urc.no-answer, pop3.urc.wrong-id",
        says!("+POP3: SERVER ERROR", "+POP3: SERVERERROR"),
    ),
    mutant(
        "u-pop3-server-error-invented",
        "+POP3: TIMEOUT, which the note does not have, comes instead of +POP3: SERVER ERROR",
        "pop3.urc.released, pop3.urc.wrong-response, pop3.urc.no-answer, pop3.urc.wrong-id",
        says!("+POP3: SERVER ERROR", "+POP3: TIMEOUT"),
    ),
    mutant(
        "u-pop3-server-error-as-network-error",
        "Trouble with the server is reported as +POP3: NETWORK ERROR",
        "pop3.urc.released, pop3.urc.wrong-response, pop3.urc.no-answer, pop3.urc.wrong-id",
        fails_as!(Failure::ServerError, Failure::NetworkError),
    ),
    mutant(
        "u-pop3-server-error-as-failure",
        "Trouble with the server is reported as +POP3: FAILURE",
        "pop3.urc.wrong-id, pop3.urc.released",
        fails_as!(Failure::ServerError, Failure::Failure),
    ),
    mutant(
        "u-wrong-id-is-success",
        "A wrong ID is reported as success",
        "pop3.urc.wrong-id",
        Firmware {
            event: |interpreter, event| match event {
                Event::Pop3Answered {
                    answer: Err(Failure::ServerError),
                    open: true,
                } => {
                    let answer = Ok(Answer::Done);
                    interpreter.tell(Event::Pop3Answered { answer, open: true });
                }
                event => interpreter.tell(event),
            },
            ..SHIPPED
        },
    ),
    mutant(
        "u-un-missing",
        "+POP3: INVALID UN does not come",
        "pop3.urc.invalid-un",
        Firmware {
            frame: |block, line, lines, out| match lines {
                [b"+POP3: INVALID UN"] => {}
                lines => framed(block, line, lines, out),
            },
            ..SHIPPED
        },
    ),
    mutant(
        "u-un-misspelt",
        "+POP3: INVALID USER comes instead of +POP3: INVALID UN",
        "pop3.urc.invalid-un",
        says!("+POP3: INVALID UN", "+POP3: INVALID USER"),
    ),
    mutant(
        "u-un-as-pwd",
        "A refused user name is reported as +POP3: INVALID UN/PWD",
        "pop3.urc.invalid-un",
        fails_as!(Failure::InvalidUser, Failure::InvalidUserOrPassword),
    ),
    mutant(
        "u-un-as-server-error",
        "A refused user name is reported as +POP3: SERVER ERROR",
        "pop3.urc.invalid-un",
        fails_as!(Failure::InvalidUser, Failure::ServerError),
    ),
    mutant(
        "u-pwd-missing",
        "+POP3: INVALID UN/PWD does not come",
        "pop3.urc.invalid-un-pwd",
        silent!("+POP3: INVALID UN/PWD"),
    ),
    mutant(
        "u-pwd-misspelt",
        "+POP3: INVALID PWD comes instead of +POP3: INVALID UN/PWD",
        "pop3.urc.invalid-un-pwd",
        says!("+POP3: INVALID UN/PWD", "+POP3: INVALID PWD"),
    ),
    mutant(
        "u-pwd-as-un",
        "A refused password is reported as +POP3: INVALID UN",
        "pop3.urc.invalid-un-pwd",
        fails_as!(Failure::InvalidUserOrPassword, Failure::InvalidUser),
    ),
    mutant(
        "u-pwd-as-server-error",
        "A refused password is reported as +POP3: SERVER ERROR",
        "pop3.urc.invalid-un-pwd",
        fails_as!(Failure::InvalidUserOrPassword, Failure::ServerError),
    ),
    mutant(
        "u-full-missing",
        "+POP3: FILE SYSTEM ERROR does not come",
        "pop3.urc.file-system-error",
        silent!("+POP3: FILE SYSTEM ERROR"),
    ),
    mutant(
        "u-full-misspelt",
        "+POP3: FILESYSTEM ERROR comes instead of +POP3: FILE SYSTEM ERROR",
        "pop3.urc.file-system-error",
        says!("+POP3: FILE SYSTEM ERROR", "+POP3: FILESYSTEM ERROR"),
    ),
    mutant(
        "u-full-as-failure",
        "An e-mail that cannot be stored is reported as +POP3: FAILURE",
        "pop3.urc.file-system-error",
        fails_as!(Failure::FileSystemError, Failure::Failure),
    ),
    mutant(
        "u-num-without-prefix",
        "The answer of AT+POP3NUM and AT+POP3LIST lacks +POP3:",
        "pop3.num, note.4.3",
        Firmware {
            frame: |block, line, lines, out| {
                let change: fn(String) -> String = |text| text.replacen("+POP3: ", "", 1);
                renumbered((block, line, lines, out), change);
            },
            ..SHIPPED
        },
    ),
    mutant(
        "u-num-prefix",
        "The answer of AT+POP3NUM and AT+POP3LIST begins with +POP3NUM:",
        "pop3.num, note.4.3",
        Firmware {
            frame: |block, line, lines, out| {
                let change: fn(String) -> String = |text| text.replacen("+POP3:", "+POP3NUM:", 1);
                renumbered((block, line, lines, out), change);
            },
            ..SHIPPED
        },
    ),
    mutant(
        "u-num-unspaced",
        "The answer of AT+POP3NUM and AT+POP3LIST lacks the blank after the colon",
        "pop3.num, note.4.3",
        Firmware {
            frame: |block, line, lines, out| {
                let change: fn(String) -> String = |text| text.replacen(": ", ":", 1);
                renumbered((block, line, lines, out), change);
            },
            ..SHIPPED
        },
    ),
    mutant(
        "u-hdr-fields-in-one-line",
        "The fields that AT+POP3HDR shows stand in one line",
        "note.4.3.hdr",
        Firmware {
            frame: |block, line, lines, out| match lines {
                [from, ..] if block == Block::Information && from.starts_with(b"From: ") => {
                    framed(block, line, &[&lines.join(b" ".as_slice())], out);
                }
                lines => framed(block, line, lines, out),
            },
            ..SHIPPED
        },
    ),
];

/// The news, with one failure in place of another.
fn failing(event: Event, from: Failure, to: Failure) -> Event {
    match event {
        Event::Pop3Answered {
            answer: Err(failure),
            open,
        } if failure == from => Event::Pop3Answered {
            answer: Err(to),
            open,
        },
        event => event,
    }
}

/// Frames a block in which lines of information text with `+POP3:` and numbers are changed.
fn renumbered(
    (block, line, lines, out): (Block, &LineSettings, &[&[u8]], &mut Vec<u8>),
    change: fn(String) -> String,
) {
    match lines {
        [only] if block == Block::Information && only.starts_with(b"+POP3: ") => {
            framed(block, line, &[change(text(only)).as_bytes()], out);
        }
        lines => framed(block, line, lines, out),
    }
}
