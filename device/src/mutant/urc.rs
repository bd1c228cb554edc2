//! The unsolicited result codes of SMTP that tell how a sending goes: each of them missing, misspelt,
//! early, late, twice, in the wrong order, torn, or in place of another one. Those of failures stand
//! in [`super::urc_failure`].

use super::tools::{is, says, silent};
use super::{Mutant, mutant};
use crate::at::output::{Block, framed};
use crate::at::syntax::Form;
use crate::command::{Flow, extended};
use crate::core::Action;
use crate::exchange::Event;
use crate::firmware::{Firmware, SHIPPED};
use crate::interpreter::Waiting;
use crate::smtp::{Address, Outcome};

pub(super) const MUTANTS: &[Mutant] = &[
    mutant(
        "u-ok-missing",
        "+SMTP: OK does not come",
        "smtp.urc.ok, note.3.2",
        silent!("+SMTP: OK"),
    ),
    mutant(
        "u-ok-early",
        "+SMTP: OK comes before there is a connection, and even if there never is one",
        "smtp.urc.ok",
        Firmware {
            command: |core, name, form| {
                let flow = extended(core, name, form)?;
                if is(name, "+SMTPSEND") && matches!(flow, Flow::Wait) {
                    core.report(&["+SMTP: OK"]);
                }
                Ok(flow)
            },
            event: |interpreter, event| match event {
                Event::SmtpConnected => {
                    if interpreter.stop_waiting_for(Waiting::Smtp) {
                        interpreter.resume(Ok(()));
                    }
                }
                event => interpreter.tell(event),
            },
            ..SHIPPED
        },
    ),
    mutant(
        "u-ok-twice",
        "+SMTP: OK comes twice",
        "smtp.urc.ok, note.3.2",
        Firmware {
            event: |interpreter, event| {
                if matches!(event, Event::SmtpConnected) {
                    interpreter.announce(vec!["+SMTP: OK".to_owned()]);
                }
                interpreter.tell(event);
            },
            ..SHIPPED
        },
    ),
    mutant(
        "u-ok-unspaced",
        "+SMTP:OK lacks the blank after the colon",
        "smtp.urc.ok, note.3.2",
        says!("+SMTP: OK", "+SMTP:OK"),
    ),
    mutant(
        "u-ok-renamed",
        "+SMTP: CONNECT OK comes instead of +SMTP: OK",
        "smtp.urc.ok, note.3.2",
        says!("+SMTP: OK", "+SMTP: CONNECT OK"),
    ),
    mutant(
        "u-ok-after-success",
        "+SMTP: OK comes after +SMTP: SUCCESS",
        "smtp.urc.ok, note.3.2",
        Firmware {
            event: |interpreter, event| match event {
                Event::SmtpConnected => {}
                event @ Event::Pop3Answered { .. } => interpreter.tell(event),
                event => {
                    let waits = interpreter.stop_waiting_for(Waiting::Smtp);
                    interpreter.tell(event);
                    interpreter.tell(Event::SmtpConnected);
                    if waits {
                        interpreter.resume(Ok(()));
                    }
                }
            },
            ..SHIPPED
        },
    ),
    mutant(
        "u-success-missing",
        "+SMTP: SUCCESS does not come",
        "smtp.urc.success, note.3.2",
        silent!("+SMTP: SUCCESS"),
    ),
    mutant(
        "u-success-twice",
        "+SMTP: SUCCESS comes twice",
        "smtp.urc.success, note.3.2",
        Firmware {
            event: |interpreter, event| {
                let succeeded = matches!(event, Event::SmtpEnded(Outcome::Success));
                interpreter.tell(event);
                if succeeded {
                    interpreter.announce(vec!["+SMTP: SUCCESS".to_owned()]);
                }
            },
            ..SHIPPED
        },
    ),
    mutant(
        "u-success-then-error",
        "+SMTP: SERVER ERROR follows +SMTP: SUCCESS",
        "smtp.urc.success, note.3.2",
        Firmware {
            event: |interpreter, event| {
                let succeeded = matches!(event, Event::SmtpEnded(Outcome::Success));
                interpreter.tell(event);
                if succeeded {
                    interpreter.announce(vec!["+SMTP: SERVER ERROR".to_owned()]);
                }
            },
            ..SHIPPED
        },
    ),
    mutant(
        "u-error-then-success",
        "+SMTP: SUCCESS follows every failure",
        "smtp.urc.success, note.3.2",
        Firmware {
            event: |interpreter, event| {
                let failed =
                    matches!(&event, Event::SmtpEnded(outcome) if *outcome != Outcome::Success);
                interpreter.tell(event);
                if failed {
                    interpreter.announce(vec!["+SMTP: SUCCESS".to_owned()]);
                }
            },
            ..SHIPPED
        },
    ),
    mutant(
        "u-success-at-connection",
        "+SMTP: SUCCESS comes as soon as the server has greeted",
        "smtp.urc.success, note.3.2",
        Firmware {
            event: |interpreter, event| match event {
                Event::SmtpConnected => {
                    interpreter.tell(event);
                    interpreter.announce(vec!["+SMTP: SUCCESS".to_owned()]);
                }
                Event::SmtpEnded(Outcome::Success) => {
                    interpreter.core.smtp.ended(&Outcome::Success);
                }
                event => interpreter.tell(event),
            },
            ..SHIPPED
        },
    ),
    mutant(
        "u-success-as-auth-error",
        "+SMTP: AUTH ERROR comes instead of +SMTP: SUCCESS",
        "smtp.urc.success, smtp.urc.auth-error",
        says!("+SMTP: SUCCESS", "+SMTP: AUTH ERROR"),
    ),
    mutant(
        "u-success-as-param-error",
        "+SMTP: PARAM ERROR comes instead of +SMTP: SUCCESS",
        "smtp.urc.success, smtp.urc.param-error",
        says!("+SMTP: SUCCESS", "+SMTP: PARAM ERROR"),
    ),
    mutant(
        "u-pop3-success-as-smtp",
        "+SMTP: SUCCESS comes instead of +POP3: SUCCESS",
        "pop3.urc.success, smtp.send: nothing was sent",
        says!("+POP3: SUCCESS", "+SMTP: SUCCESS"),
    ),
    mutant(
        "u-success-misspelt",
        "+SMTP: SUCCESS is misspelt: SUCESS",
        "smtp.urc.success, note.3.2",
        says!("+SMTP: SUCCESS", "+SMTP: SUCESS"),
    ),
    mutant(
        "u-success-lower",
        "+SMTP: SUCCESS is in lower case",
        "smtp.urc.success, note.3.2",
        says!("+SMTP: SUCCESS", "+SMTP: success"),
    ),
    mutant(
        "u-success-prefix",
        "+SMTPSEND: SUCCESS comes instead of +SMTP: SUCCESS",
        "smtp.urc.success, note.3.2",
        says!("+SMTP: SUCCESS", "+SMTPSEND: SUCCESS"),
    ),
    mutant(
        "u-success-unspaced",
        "+SMTP:SUCCESS lacks the blank after the colon",
        "smtp.urc.success, note.3.2",
        says!("+SMTP: SUCCESS", "+SMTP:SUCCESS"),
    ),
    mutant(
        "u-success-verbose",
        "+SMTP: SUCCESS is followed by more text",
        "smtp.urc.success, note.3.2",
        says!("+SMTP: SUCCESS", "+SMTP: SUCCESS 1"),
    ),
    mutant(
        "u-success-torn",
        "+SMTP: SUCCESS is torn into two lines",
        "smtp.urc.success, note.3.2",
        says!("+SMTP: SUCCESS", "+SMTP: SUC\r\nCESS"),
    ),
    mutant(
        "u-success-unended",
        "+SMTP: SUCCESS lacks the line end after it",
        "smtp.urc.success, note.3.2, V.250 5.7.1",
        Firmware {
            frame: |block, line, lines, out| {
                framed(block, line, lines, out);
                if block == Block::Unsolicited && lines == [b"+SMTP: SUCCESS"] {
                    out.truncate(out.len().saturating_sub(2));
                }
            },
            ..SHIPPED
        },
    ),
    mutant(
        "u-success-unbegun",
        "Unsolicited result codes lack the line end before them",
        "smtp.urc.success, note.3.2, V.250 5.7.1",
        Firmware {
            frame: |block, line, lines, out| {
                let mut octets = Vec::new();
                framed(block, line, lines, &mut octets);
                let start = if block == Block::Unsolicited { 2 } else { 0 };
                out.extend_from_slice(octets.get(start..).unwrap_or_default());
            },
            ..SHIPPED
        },
    ),
    mutant(
        "u-into-text",
        "An unsolicited result code comes in the middle of what is being typed or printed",
        "smtp.urc.success, pop3.urc.success, V.250 5.7: a result code stands between responses",
        Firmware {
            event: |interpreter, event| {
                let (entry, source) = interpreter.take_foreground();
                interpreter.tell(event);
                interpreter.put_foreground(entry, source);
            },
            ..SHIPPED
        },
    ),
    mutant(
        "u-ongoing-missing",
        "AT+SMTPSEND during a sending is answered with ERROR alone",
        "smtp.urc.ongoing",
        silent!("+SMTP: ONGOING"),
    ),
    mutant(
        "u-ongoing-misspelt",
        "+SMTP: ON GOING comes instead of +SMTP: ONGOING",
        "smtp.urc.ongoing",
        says!("+SMTP: ONGOING", "+SMTP: ON GOING"),
    ),
    mutant(
        "u-ongoing-as-param-error",
        "+SMTP: PARAM ERROR comes instead of +SMTP: ONGOING",
        "smtp.urc.ongoing",
        says!("+SMTP: ONGOING", "+SMTP: PARAM ERROR"),
    ),
    mutant(
        "u-ongoing-stops",
        "AT+SMTPSEND during a sending is answered with +SMTP: ONGOING and stops it",
        "smtp.urc.ongoing",
        Firmware {
            command: |core, name, form| {
                let was_sending = core.smtp.sending;
                let answer = extended(core, name, form);
                if is(name, "+SMTPSEND") && answer.is_err() && was_sending {
                    core.smtp.sending = false;
                    core.actions.push_back(Action::StopSending);
                }
                answer
            },
            ..SHIPPED
        },
    ),
    mutant(
        "u-ongoing-replaces",
        "AT+SMTPSEND during a sending begins another one in its place",
        "smtp.urc.ongoing",
        Firmware {
            command: |core, name, form| {
                if is(name, "+SMTPSEND") && matches!(form, Form::Execute) {
                    core.smtp.sending = false;
                }
                extended(core, name, form)
            },
            ..SHIPPED
        },
    ),
    mutant(
        "u-param-error-missing",
        "Without a mandatory parameter AT+SMTPSEND is answered with ERROR alone",
        "smtp.urc.param-error",
        silent!("+SMTP: PARAM ERROR"),
    ),
    mutant(
        "u-param-error-misspelt",
        "+SMTP: PARAMETER ERROR comes instead of +SMTP: PARAM ERROR",
        "smtp.urc.param-error",
        says!("+SMTP: PARAM ERROR", "+SMTP: PARAMETER ERROR"),
    ),
    mutant(
        "u-param-error-as-server-error",
        "+SMTP: SERVER ERROR comes instead of +SMTP: PARAM ERROR",
        "smtp.urc.param-error",
        says!("+SMTP: PARAM ERROR", "+SMTP: SERVER ERROR"),
    ),
    mutant(
        "u-param-error-not-for-sender",
        "Without a sender the mail is sent from nobody",
        "smtp.urc.param-error, smtp.mandatory",
        Firmware {
            command: |core, name, form| {
                let sends = is(name, "+SMTPSEND") && matches!(form, Form::Execute);
                if sends && core.smtp.from.is_none() {
                    core.smtp.from = Some(Address::new("unknown@localhost", ""));
                }
                extended(core, name, form)
            },
            ..SHIPPED
        },
    ),
];
