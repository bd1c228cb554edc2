//! `AT+SMTPSEND` and `AT+SMTPSTOP` (note 3.2 and 3.3).

use super::{Answer, Command, ERROR, Flow};
use crate::core::{Action, Core};
use crate::files::path::ModulePath;
use crate::smtp::{Attachment, Job};
use crate::urc;
use std::collections::BTreeMap;

pub(super) const COMMANDS: &[Command] = &[
    Command {
        read: Some(|core| {
            core.say(format!("+SMTPSEND: {}", u8::from(core.smtp.sending)));
            Ok(Flow::Done)
        }),
        execute: Some(send),
        ..Command::new("+SMTPSEND")
    },
    Command {
        execute: Some(stop),
        ..Command::new("+SMTPSTOP")
    },
];

fn send(core: &mut Core) -> Answer {
    if core.smtp.sending {
        core.report(&[urc::Smtp::Ongoing.line()]);
        return Err(ERROR);
    }
    if core.rivals.is_any_open() {
        return Err(ERROR);
    }
    match job(core) {
        Ok(job) => {
            core.smtp.sending = true;
            core.smtp.sends = core.smtp.sends.wrapping_add(1);
            core.actions.push_back(Action::Send(Box::new(job)));
            Ok(Flow::Wait)
        }
        Err(urc) => {
            core.report(&[urc.line()]);
            Err(ERROR)
        }
    }
}

/// The mail as it stands, if it can be sent at all.
fn job(core: &Core) -> Result<Job, urc::Smtp<'static>> {
    let smtp = &core.smtp;
    let from = smtp.from.clone().ok_or(urc::Smtp::ParameterError)?;
    if smtp.server.is_empty() || smtp.recipients.iter().all(BTreeMap::is_empty) {
        return Err(urc::Smtp::ParameterError);
    }
    if super::smtp::is_oversize(core, smtp.files.values()) {
        return Err(urc::Smtp::Oversize);
    }
    let attachments = smtp.files.values().map(|path| attachment(core, path));
    let attachments = attachments
        .collect::<Option<_>>()
        .ok_or(urc::Smtp::ParameterError)?;
    let date = core.rtc.zoned().ok_or(urc::Smtp::ParameterError)?;
    if !core.network.is_available() {
        return Err(urc::Smtp::NoNetwork);
    }
    let [to, cc, bcc] = smtp
        .recipients
        .clone()
        .map(|kind| kind.into_values().collect());
    Ok(Job {
        server: smtp.server.clone(),
        port: smtp.port,
        auth: smtp.credentials.clone(),
        from,
        to,
        cc,
        bcc,
        subject: smtp.subject.clone(),
        body: smtp.body.clone(),
        attachments,
        date,
        serial: smtp.sends,
    })
}

/// `None` if the file was deleted since it was selected.
fn attachment(core: &Core, path: &ModulePath) -> Option<Attachment> {
    let file = core.files.file(path).ok()?;
    let size = file.metadata().ok()?.len();
    Some(Attachment::from_reader(path.name()?, size, file.into_std()))
}

fn stop(core: &mut Core) -> Answer {
    if !core.smtp.sending {
        return Err(ERROR);
    }
    core.smtp.sending = false;
    core.actions.push_back(Action::StopSending);
    Ok(Flow::Done)
}
