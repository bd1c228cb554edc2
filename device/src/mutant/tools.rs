//! What several mutants need.

use crate::at::LineSettings;
use crate::at::output::{Block, framed};
use crate::at::result::ResultCode;
use crate::at::syntax::Form;
use crate::command::{self, Flow};
use crate::core::Core;
use crate::smtp::{Attachment, Job, Message};

/// `ERROR`.
pub(super) const ERROR: ResultCode = ResultCode::Error;

/// Whether that is the command, in any case.
pub(super) fn is(name: &[u8], command: &str) -> bool {
    name.eq_ignore_ascii_case(command.as_bytes())
}

/// The shipped command, with other values.
pub(super) fn with_values(core: &mut Core, name: &[u8], values: &str) -> Result<Flow, ResultCode> {
    command::extended(core, name, Form::Set(values.as_bytes()))
}

/// The values of a set form as text.
pub(super) fn text(values: &[u8]) -> String {
    String::from_utf8_lossy(values).into_owned()
}

/// Frames a block in which unsolicited lines that begin with `from` begin with `to` instead.
pub(super) fn reworded(
    (block, line, lines, out): (Block, &LineSettings, &[&[u8]], &mut Vec<u8>),
    from: &str,
    to: &str,
) {
    let changed: Vec<Vec<u8>> = lines
        .iter()
        .map(|text| match text.strip_prefix(from.as_bytes()) {
            Some(rest) if block == Block::Unsolicited => [to.as_bytes(), rest].concat(),
            _ => text.to_vec(),
        })
        .collect();
    let changed: Vec<&[u8]> = changed.iter().map(Vec::as_slice).collect();
    framed(block, line, &changed, out);
}

/// Frames a block, but not the unsolicited result code that begins so.
pub(super) fn silenced(
    (block, line, lines, out): (Block, &LineSettings, &[&[u8]], &mut Vec<u8>),
    urc: &str,
) {
    let is_it = lines
        .first()
        .is_some_and(|text| text.starts_with(urc.as_bytes()));
    if block != Block::Unsolicited || !is_it {
        framed(block, line, lines, out);
    }
}

/// The shipped message, rewritten as a whole.
pub(super) fn rewritten(
    job: &Job,
    attachments: Vec<Attachment>,
    rewrite: impl FnOnce(&str) -> String,
) -> Result<Message, jiff::Error> {
    let mut message = Message::new(job, attachments)?;
    let mut octets = Vec::new();
    // What cannot be read is missing then.
    while message.read_chunk(&mut octets).unwrap_or(false) {}
    let text = String::from_utf8_lossy(&octets);
    Ok(Message::written(rewrite(&text).into_bytes()))
}

/// A message without the header field of that name; its continuation lines go, too.
pub(super) fn without_field(message: &str, field: &str) -> String {
    with_field(message, field, "")
}

/// A message whose header field of that name is replaced by `line`, which has its own line end.
pub(super) fn with_field(message: &str, field: &str, line: &str) -> String {
    let (header, body) = message.split_once("\r\n\r\n").unwrap_or((message, ""));
    let mut out = String::new();
    let mut skipping = false;
    for text in header.split("\r\n") {
        if text.starts_with([' ', '\t']) {
            if skipping {
                continue;
            }
        } else {
            skipping = text
                .split_once(':')
                .is_some_and(|(name, _)| name.eq_ignore_ascii_case(field));
            if skipping {
                out.push_str(line);
                continue;
            }
        }
        out.push_str(text);
        out.push_str("\r\n");
    }
    out + "\r\n" + body
}

/// A message with another field before its header's end.
pub(super) fn and_field(message: &str, line: &str) -> String {
    message.replacen("\r\n\r\n", &format!("\r\n{line}\r\n\r\n"), 1)
}

/// A build that says one unsolicited result code in place of another. (A macro, because a function
/// that stands in the table cannot capture anything.)
macro_rules! says {
    ($from:literal, $to:literal) => {
        $crate::firmware::Firmware {
            frame: |block, line, lines, out| {
                $crate::mutant::tools::reworded((block, line, lines, out), $from, $to);
            },
            ..$crate::firmware::SHIPPED
        }
    };
}
pub(super) use says;

/// A build that keeps an unsolicited result code to itself.
macro_rules! silent {
    ($urc:literal) => {
        $crate::firmware::Firmware {
            frame: |block, line, lines, out| {
                $crate::mutant::tools::silenced((block, line, lines, out), $urc);
            },
            ..$crate::firmware::SHIPPED
        }
    };
}
pub(super) use silent;
