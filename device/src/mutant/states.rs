//! States: busy for ever, idle too early, settings that do not last, an interface that is dead.

use super::tools::is;
use super::{Mutant, mutant};
use crate::at::result::ResultCode;
use crate::at::syntax::Form;
use crate::command::entry::{Body, Entry};
use crate::command::pop3::{Phase, Pop3};
use crate::command::{Flow, extended};
use crate::exchange::{Abandoned, Event};
use crate::firmware::{Firmware, SHIPPED};
use crate::interpreter::Waiting;
use crate::smtp::Outcome;
use crate::urc;

pub(super) const MUTANTS: &[Mutant] = &[
    mutant(
        "x-busy-after-failure",
        "After a sending that failed the client stays busy",
        "smtp.urc.ongoing, smtp.send",
        Firmware {
            event: |interpreter, event| {
                let failed =
                    matches!(&event, Event::SmtpEnded(outcome) if *outcome != Outcome::Success);
                interpreter.tell(event);
                interpreter.core.smtp.sending |= failed;
            },
            ..SHIPPED
        },
    ),
    mutant(
        "x-busy-after-success",
        "After a sending that succeeded the client stays busy",
        "note.3.2.multi",
        Firmware {
            event: |interpreter, event| {
                let succeeded = matches!(event, Event::SmtpEnded(Outcome::Success));
                interpreter.tell(event);
                interpreter.core.smtp.sending |= succeeded;
            },
            ..SHIPPED
        },
    ),
    mutant(
        "x-busy-after-stop",
        "After AT+SMTPSTOP the client stays busy",
        "smtp.stop.idle",
        Firmware {
            command: |core, name, form| {
                let was_sending = core.smtp.sending;
                let answer = extended(core, name, form);
                if is(name, "+SMTPSTOP") {
                    core.smtp.sending = was_sending;
                }
                answer
            },
            ..SHIPPED
        },
    ),
    mutant(
        "x-inquiry-always-idle",
        "AT+SMTPSEND? says that the client is idle while it sends",
        "smtp.send.inquire",
        Firmware {
            command: |core, name, form| match form {
                Form::Read if is(name, "+SMTPSEND") => {
                    core.say("+SMTPSEND: 0");
                    Ok(Flow::Done)
                }
                form => extended(core, name, form),
            },
            ..SHIPPED
        },
    ),
    mutant(
        "x-inquiry-always-busy",
        "After the first sending AT+SMTPSEND? always says that the client is busy",
        "smtp.send.inquire",
        Firmware {
            command: |core, name, form| match form {
                Form::Read if is(name, "+SMTPSEND") && core.smtp.sends > 0 => {
                    core.say("+SMTPSEND: 1");
                    Ok(Flow::Done)
                }
                form => extended(core, name, form),
            },
            ..SHIPPED
        },
    ),
    mutant(
        "x-server-lost",
        "After a sending the server has to be configured again",
        "note.3.1.once",
        Firmware {
            event: |interpreter, event| {
                let ended = matches!(event, Event::SmtpEnded(_));
                interpreter.tell(event);
                if ended {
                    interpreter.core.smtp.server.clear();
                }
            },
            ..SHIPPED
        },
    ),
    mutant(
        "x-auth-lost",
        "After a sending the client no longer authenticates",
        "note.3.1.once",
        Firmware {
            event: |interpreter, event| {
                let ended = matches!(event, Event::SmtpEnded(_));
                interpreter.tell(event);
                if ended {
                    interpreter.core.smtp.credentials = None;
                }
            },
            ..SHIPPED
        },
    ),
    mutant(
        "x-sender-lost",
        "After a sending the sender has to be configured again",
        "note.3.1.once",
        Firmware {
            event: |interpreter, event| {
                let ended = matches!(event, Event::SmtpEnded(_));
                interpreter.tell(event);
                if ended {
                    interpreter.core.smtp.from = None;
                }
            },
            ..SHIPPED
        },
    ),
    mutant(
        "x-account-lost",
        "After AT+POP3OUT the account has to be configured again",
        "note.4.1.once",
        Firmware {
            event: |interpreter, event| {
                let out = matches!(
                    &event,
                    Event::Pop3Answered {
                        answer: Ok(_),
                        open: false,
                    }
                );
                interpreter.tell(event);
                if out {
                    let last_mail = interpreter.core.pop3.last_mail.take();
                    interpreter.core.pop3 = Pop3 {
                        last_mail,
                        ..Pop3::default()
                    };
                }
            },
            ..SHIPPED
        },
    ),
    mutant(
        "x-subject-of-last",
        "A subject that is set after a sending is put behind the one before",
        "smtp.sub, note.3.2.multi",
        Firmware {
            event: |interpreter, event| {
                let before = interpreter.core.smtp.subject.clone();
                interpreter.tell(event);
                interpreter.core.smtp.subject = before;
            },
            command: |core, name, form| {
                let before = match form {
                    Form::Set(_) if is(name, "+SMTPSUB") => core.smtp.subject.clone(),
                    _ => String::new(),
                };
                let answer = extended(core, name, form)?;
                if core.smtp.sends > 0 {
                    core.smtp.subject.insert_str(0, &before);
                }
                Ok(answer)
            },
            ..SHIPPED
        },
    ),
    mutant(
        "x-stop-delivers",
        "After AT+SMTPSTOP the sending goes on behind the scenes",
        "smtp.stop",
        Firmware {
            abandon: |abandoned| {
                if let Abandoned::Sending(sending) = abandoned {
                    tokio::spawn(sending);
                }
            },
            ..SHIPPED
        },
    ),
    mutant(
        "x-stop-says-success",
        "AT+SMTPSTOP reports success",
        "smtp.stop, smtp.urc.success",
        Firmware {
            command: |core, name, form| {
                let was_sending = core.smtp.sending;
                let answer = extended(core, name, form)?;
                if is(name, "+SMTPSTOP") && was_sending && !core.smtp.sending {
                    core.report(&[urc::Smtp::Ended(&Outcome::Success).line()]);
                }
                Ok(answer)
            },
            ..SHIPPED
        },
    ),
    mutant(
        "x-stop-is-ignored",
        "AT+SMTPSTOP is answered with OK and does nothing",
        "smtp.stop, smtp.stop.idle",
        Firmware {
            command: |core, name, form| match form {
                Form::Execute if is(name, "+SMTPSTOP") && core.smtp.sending => Ok(Flow::Done),
                form => extended(core, name, form),
            },
            ..SHIPPED
        },
    ),
    mutant(
        "x-stop-refused",
        "AT+SMTPSTOP stops the sending and is answered with ERROR",
        "note.3.3",
        Firmware {
            command: |core, name, form| match extended(core, name, form) {
                Ok(_) if is(name, "+SMTPSTOP") => Err(ResultCode::Error),
                answer => answer,
            },
            ..SHIPPED
        },
    ),
    mutant(
        "x-dead-after-stop",
        "After AT+SMTPSTOP the AT interface answers nothing any more",
        "note.3.3, smtp.stop.idle",
        Firmware {
            command: |core, name, form| match extended(core, name, form)? {
                Flow::Done if is(name, "+SMTPSTOP") => Ok(Flow::Wait),
                flow => Ok(flow),
            },
            ..SHIPPED
        },
    ),
    mutant(
        "x-dead-until-escape",
        "After a sending that failed everything typed is swallowed until ESC",
        "smtp.urc.server-error, V.250 5.7: every command line gets a result code",
        Firmware {
            event: |interpreter, event| {
                let failed =
                    matches!(&event, Event::SmtpEnded(outcome) if *outcome != Outcome::Success);
                interpreter.tell(event);
                if failed {
                    interpreter.entry = Some(Entry::Body(Body::default()));
                }
            },
            ..SHIPPED
        },
    ),
    mutant(
        "x-deaf-while-sending",
        "While a mail is being sent no command is answered",
        "smtp.urc.ongoing, smtp.send.inquire",
        Firmware {
            event: |interpreter, event| match event {
                Event::SmtpConnected => {
                    interpreter.tell(event);
                    interpreter.waiting = Some(Waiting::Smtp);
                }
                event => interpreter.tell(event),
            },
            ..SHIPPED
        },
    ),
    mutant(
        "x-send-without-result",
        "AT+SMTPSEND gets no final result code",
        "note.3.2, V.250 5.7: every command line gets a result code",
        Firmware {
            event: |interpreter, event| match event {
                Event::SmtpConnected => {
                    let _unanswered = interpreter.stop_waiting_for(Waiting::Smtp);
                    interpreter.tell(event);
                }
                event => interpreter.tell(event),
            },
            ..SHIPPED
        },
    ),
    mutant(
        "x-send-two-results",
        "A sending that succeeds is answered with OK a second time",
        "note.3.2, V.250 5.7: one final result code for a command line",
        Firmware {
            event: |interpreter, event| {
                let succeeded = matches!(event, Event::SmtpEnded(Outcome::Success));
                interpreter.tell(event);
                if succeeded {
                    let core = &mut interpreter.core;
                    core.output.result(&core.line, ResultCode::Ok);
                }
            },
            ..SHIPPED
        },
    ),
    mutant(
        "x-echo-lost",
        "After a sending the echo is off",
        "V.250 6.2.4",
        Firmware {
            event: |interpreter, event| {
                let ended = matches!(event, Event::SmtpEnded(_));
                interpreter.tell(event);
                interpreter.core.line.echo &= !ended;
            },
            ..SHIPPED
        },
    ),
    mutant(
        "x-pop3-busy-after-error",
        "After SERVER ERROR every other command of the session is refused",
        "pop3.urc.session-kept",
        Firmware {
            event: |interpreter, event| {
                let failed = matches!(
                    &event,
                    Event::Pop3Answered {
                        answer: Err(_),
                        open: true
                    }
                );
                interpreter.tell(event);
                if failed {
                    interpreter.core.pop3.phase = Phase::Busy;
                }
            },
            ..SHIPPED
        },
    ),
    mutant(
        "x-pop3-half-logged-in",
        "After a log-in that failed the next one is refused",
        "pop3.in, pop3.urc.invalid-un-pwd",
        Firmware {
            event: |interpreter, event| {
                let failed = matches!(
                    &event,
                    Event::Pop3Answered {
                        answer: Err(_),
                        open: false
                    }
                );
                interpreter.tell(event);
                if failed {
                    interpreter.core.pop3.phase = Phase::LoggedIn;
                }
            },
            ..SHIPPED
        },
    ),
    mutant(
        "x-pop3-busy-after-stop",
        "After AT+POP3STOP no other session can be begun",
        "pop3.stop.force",
        Firmware {
            command: |core, name, form| {
                let answer = extended(core, name, form);
                if is(name, "+POP3STOP") && answer.is_ok() {
                    core.pop3.phase = Phase::Busy;
                }
                answer
            },
            ..SHIPPED
        },
    ),
    mutant(
        "x-pop3-busy-after-out",
        "After AT+POP3OUT no other session can be begun",
        "pop3.out",
        Firmware {
            event: |interpreter, event| {
                let ended = matches!(
                    &event,
                    Event::Pop3Answered {
                        answer: Ok(_),
                        open: false
                    }
                );
                interpreter.tell(event);
                if ended {
                    interpreter.core.pop3.phase = Phase::Busy;
                }
            },
            ..SHIPPED
        },
    ),
    mutant(
        "x-stop-transfers",
        "After AT+POP3STOP the transfer of an e-mail goes on to its end",
        "pop3.stop, pop3.stop.force",
        Firmware {
            abandon: |abandoned| {
                if let Abandoned::Question(question) = abandoned {
                    tokio::spawn(question);
                }
            },
            ..SHIPPED
        },
    ),
];
