//! The file system: where mails and attachments go, what is listed, which directory is current.

use super::tools::{ERROR, is, text};
use super::{Mutant, mutant};
use crate::at::output::{Block, framed};
use crate::at::syntax::Form;
use crate::clock::Rtc;
use crate::command::extended;
use crate::core::Request;
use crate::exchange::{Exchange, SessionAnswer, Way, ask};
use crate::files::path::{DriveName, ModulePath};
use crate::files::{FileError, FileSystem};
use crate::firmware::{Firmware, SHIPPED};
use crate::interpreter::Answer;
use crate::mail::{Letter, LetterAttachment, sanitize};
use crate::mail_store;
use crate::pop3::{Failure, Session};

/// A build that stores e-mails in another way. (A macro, because a function that stands in the
/// table cannot capture anything.)
macro_rules! storing {
    ($store:expr) => {
        Firmware {
            ask: |session, request, way| retrieving(session, request, way, $store),
            ..SHIPPED
        }
    };
}

/// A build that changes the line which tells where an e-mail was stored.
macro_rules! stored_line {
    ($change:expr) => {
        Firmware {
            frame: |block, line, lines, out| {
                let change: fn(&str) -> String = $change;
                match (block, lines) {
                    (Block::Unsolicited, [head, path]) if path.starts_with(b"C:/") => {
                        let path = change(&text(path));
                        framed(block, line, &[head, path.as_bytes()], out);
                    }
                    (block, lines) => framed(block, line, lines, out),
                }
            },
            ..SHIPPED
        }
    };
}

/// A build that changes the blocks of `AT+FSLS`.
macro_rules! listing {
    ($change:expr) => {
        Firmware {
            frame: |block, line, lines, out| {
                let change: for<'a> fn(&[&'a [u8]], &mut Vec<&'a [u8]>) = $change;
                if !lines
                    .first()
                    .is_some_and(|head| head.starts_with(b"+FSLS: "))
                {
                    return framed(block, line, lines, out);
                }
                let mut changed = Vec::new();
                change(lines, &mut changed);
                framed(block, line, &changed, out);
            },
            ..SHIPPED
        }
    };
}

pub(super) const MUTANTS: &[Mutant] = &[
    mutant(
        "f-attachment-escapes",
        "The name of an attachment can lead out of the e-mail's directory",
        "pop3.attachment-name-safe",
        storing!(|letter, place| {
            let path = place.store(letter)?;
            for file in &letter.attachments {
                let offered = file.name.as_deref().unwrap_or_default();
                if offered.contains("..")
                    && let Ok(other) = path.parent().resolve(offered)
                {
                    place.put(&other, &file.bytes)?;
                }
            }
            Ok(path)
        }),
    ),
    mutant(
        "f-attachment-overwrites",
        "Of two attachments of one name only the last is left",
        "pop3.get.saves-in-email-dir, pop3.save",
        storing!(|letter, place| {
            let mut last = letter.clone();
            last.attachments.clear();
            let path = place.store(&last)?;
            for file in &letter.attachments {
                let name = sanitize(file.name.as_deref().unwrap_or_default());
                let name = if name == "EMAIL000.TXT" {
                    "text".to_owned()
                } else {
                    name
                };
                place.put(&path.parent().child(&name)?, &file.bytes)?;
            }
            Ok(path)
        }),
    ),
    mutant(
        "f-text-overwritten",
        "An attachment named EMAIL000.TXT takes the place of the e-mail's text",
        "pop3.get, pop3.save",
        storing!(|letter, place| {
            let path = place.store(letter)?;
            let is_text = |file: &&LetterAttachment| file.name.as_deref() == Some("EMAIL000.TXT");
            if let Some(file) = letter.attachments.iter().find(is_text) {
                place.put(&path, &file.bytes)?;
            }
            Ok(path)
        }),
    ),
    mutant(
        "f-in-root",
        "E-mails are stored in C:/ instead of C:/Email",
        "pop3.get.saves-in-email-dir",
        storing!(|letter, place| {
            let path = place.store(letter)?;
            place.moved(&path, |own| {
                ModulePath::root(own.drive()).child(own.name().unwrap_or_default())
            })
        }),
    ),
    mutant(
        "f-drive-ignored",
        "E-mails are stored on C: whatever AT+FSLOCA says",
        "pop3.get.saves-in-email-dir",
        Firmware {
            ask: |session, mut request, way| {
                if let Request::Retrieve { drive, .. } = &mut request {
                    *drive = DriveName::Local;
                }
                ask(session, request, way)
            },
            ..SHIPPED
        },
    ),
    mutant(
        "f-full-is-success",
        "An e-mail that does not fit is stored as far as it does, and success is reported",
        "pop3.urc.file-system-error",
        storing!(|letter, place| match place.store(letter) {
            Err(FileError::Full) => place.store(&Letter {
                text: Vec::new(),
                attachments: Vec::new(),
                ..letter.clone()
            }),
            other => other,
        }),
    ),
    mutant(
        "f-broken-is-kept",
        "What came of an e-mail whose transfer broke off is stored as if it were the e-mail",
        "pop3.urc.failure",
        Firmware {
            ask: |session, request, way| match (request, session) {
                (
                    Request::Retrieve {
                        number,
                        files,
                        drive,
                        rtc,
                    },
                    Some(mut session),
                ) => Box::pin(async move {
                    let mut message = Vec::new();
                    let answer = session.retrieve(number, &mut message).await;
                    let place = Place { files, drive, rtc };
                    let stored = match answer {
                        Err(failure) if message.is_empty() => Err(failure),
                        Err(failure) => {
                            let _stored = place.store(&Letter::parse(&message));
                            Err(failure)
                        }
                        Ok(_) => place
                            .store(&Letter::parse(&message))
                            .map(Answer::Stored)
                            .map_err(|_| Failure::FileSystemError),
                    };
                    let open = session.is_open();
                    (open.then_some(session), stored)
                }),
                (request, session) => ask(session, request, way),
            },
            ..SHIPPED
        },
    ),
    mutant(
        "f-same-second-replaces",
        "An e-mail takes the place of another one that was received in the same second",
        "pop3.save, pop3.read.specified",
        storing!(|letter, place| {
            let stamp = crate::clock::stamp(place.rtc.local(), 0);
            let own = mail_store::directory(place.drive)?.child(&stamp)?;
            if place.files.exists(&own) {
                place.files.remove_tree(&own)?;
            }
            place.store(letter)
        }),
    ),
    mutant(
        "f-reported-name-wrong",
        "The reported file name is not that of the file",
        "note.4.4.get",
        storing!(|letter, place| Ok(place.store(letter)?.parent().child("EMAIL001.TXT")?)),
    ),
    mutant(
        "f-reported-directory-wrong",
        "The reported directory is that of all e-mails",
        "note.4.4.get",
        stored_line!(|line| {
            let name = line.split_once(", ").map_or("", |(_, name)| name);
            format!("C:/Email/, {name}")
        }),
    ),
    mutant(
        "f-reported-without-drive",
        "The reported directory lacks the drive",
        "note.4.4.get",
        stored_line!(|line| line.replacen("C:/", "", 1)),
    ),
    mutant(
        "f-reported-as-path",
        "Directory and file name are reported as one path",
        "note.4.4.get",
        stored_line!(|line| line.replace(", ", "")),
    ),
    mutant(
        "f-cd-without-slash",
        "AT+FSCD answers with a directory that lacks the slash at its end",
        "note.3.2.fscd",
        Firmware {
            frame: |block, line, lines, out| match lines {
                [only] if only.starts_with(b"+FSCD: ") => {
                    framed(block, line, &[only.strip_suffix(b"/").unwrap_or(only)], out);
                }
                lines => framed(block, line, lines, out),
            },
            ..SHIPPED
        },
    ),
    mutant(
        "f-cd-silent",
        "AT+FSCD is answered with OK alone",
        "note.3.2.fscd",
        Firmware {
            frame: |block, line, lines, out| match lines {
                [only] if only.starts_with(b"+FSCD: ") => {}
                lines => framed(block, line, lines, out),
            },
            ..SHIPPED
        },
    ),
    mutant(
        "f-cd-stays",
        "AT+FSCD names the new directory, and the old one stays the current one",
        "note.3.2.fscd, smtp.file.current-directory",
        Firmware {
            command: |core, name, form| {
                let here = core.directory.clone();
                let is_set = matches!(form, Form::Set(_));
                let answer = extended(core, name, form);
                if is(name, "+FSCD") && is_set {
                    core.directory = here;
                }
                answer
            },
            ..SHIPPED
        },
    ),
    mutant(
        "f-cd-relative-only",
        "AT+FSCD refuses a path that begins with the drive",
        "note.3.2.fscd",
        Firmware {
            command: |core, name, form| match form {
                Form::Set(values) if is(name, "+FSCD") && text(values).contains(":/") => Err(ERROR),
                form => extended(core, name, form),
            },
            ..SHIPPED
        },
    ),
    mutant(
        "f-ls-last-missing",
        "AT+FSLS does not list the last name",
        "note.3.2.fsls, note.4.7.fsls",
        listing!(|lines, out| out.extend(lines.split_last().map_or(lines, |(_, rest)| rest))),
    ),
    mutant(
        "f-ls-without-head",
        "AT+FSLS lists names without the line before them",
        "note.3.2.fsls, note.4.7.fsls",
        listing!(|lines, out| out.extend(lines.split_first().map_or(lines, |(_, rest)| rest))),
    ),
    mutant(
        "f-ls-head-misspelt",
        "AT+FSLS writes SUBDIRECTORY instead of SUBDIRECTORIES",
        "note.4.7.fsls",
        listing!(|lines, out| {
            out.extend(lines.iter().map(|line| match *line {
                b"+FSLS: SUBDIRECTORIES:" => b"+FSLS: SUBDIRECTORY:".as_slice(),
                line => line,
            }));
        }),
    ),
    mutant(
        "f-ls-of-root",
        "AT+FSLS lists C:/ whatever the current directory is",
        "note.3.2.fsls, note.4.7.fsls",
        Firmware {
            command: |core, name, form| {
                if !is(name, "+FSLS") {
                    return extended(core, name, form);
                }
                let here = std::mem::take(&mut core.directory);
                let answer = extended(core, name, form);
                core.directory = here;
                answer
            },
            ..SHIPPED
        },
    ),
    mutant(
        "f-loca-refused",
        "AT+FSLOCA is unknown",
        "note.4.4.fsloca",
        Firmware {
            command: |core, name, form| match is(name, "+FSLOCA") {
                true => Err(ERROR),
                false => extended(core, name, form),
            },
            ..SHIPPED
        },
    ),
];

/// Where an e-mail is to be stored.
struct Place {
    files: FileSystem,
    drive: DriveName,
    rtc: Rtc,
}

type Store = fn(&Letter, &Place) -> Result<ModulePath, FileError>;

impl Place {
    fn store(&self, letter: &Letter) -> Result<ModulePath, FileError> {
        mail_store::store(letter, &self.files, self.drive, &self.rtc)
    }

    /// Writes a file, in place of one that is there.
    fn put(&self, path: &ModulePath, octets: &[u8]) -> Result<(), FileError> {
        if self.files.exists(path) {
            self.files.remove_file(path)?;
        }
        let mut writer = self.files.create(path, self.rtc.local())?;
        writer.write(octets)?;
        writer.finish()
    }

    /// Moves the directory of a stored e-mail.
    fn moved(
        &self,
        path: &ModulePath,
        to: fn(&ModulePath) -> Result<ModulePath, crate::files::path::BadPath>,
    ) -> Result<ModulePath, FileError> {
        let (own, name) = (path.parent(), path.name().unwrap_or_default());
        let other = to(&own)?;
        self.files.rename(&own, &other)?;
        Ok(other.child(name)?)
    }
}

fn retrieving(
    session: Option<Session>,
    request: Request,
    way: Way,
    store: Store,
) -> Exchange<SessionAnswer> {
    Box::pin(async move {
        match (request, session) {
            (
                Request::Retrieve {
                    number,
                    files,
                    drive,
                    rtc,
                },
                Some(mut session),
            ) => {
                let mut message = Vec::new();
                let answer = session.retrieve(number, &mut message).await;
                let place = Place { files, drive, rtc };
                let answer = answer.and_then(|_| {
                    store(&Letter::parse(&message), &place)
                        .map(Answer::Stored)
                        .map_err(|_| Failure::FileSystemError)
                });
                let open = session.is_open() && !matches!(answer, Err(Failure::FileSystemError));
                (open.then_some(session), answer)
            }
            (request, session) => ask(session, request, way).await,
        }
    })
}
