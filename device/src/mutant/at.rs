//! The AT layer: echo, case, concatenation, values, framing, result codes.

use super::tools::{ERROR, is, text, with_values};
use super::{Mutant, mutant};
use crate::at::editor::Typed;
use crate::at::output::{Block, framed};
use crate::at::syntax::{Form, without_blanks};
use crate::command::{Flow, extended, is_known};
use crate::firmware::{Firmware, SHIPPED};
use std::borrow::Cow;

pub(super) const MUTANTS: &[Mutant] = &[
    mutant(
        "at-echo-stays",
        "ATE0 is answered with OK, and the echo goes on",
        "V.250 6.2.4",
        Firmware {
            body: |body| match body {
                b"E0" | b"e0" | b"E" | b"e" => Cow::Borrowed(b""),
                _ => without_blanks(body),
            },
            ..SHIPPED
        },
    ),
    mutant(
        "at-echo-upper",
        "The echo comes back in upper case",
        "V.250 5.2.3: received characters are sent back",
        Firmware {
            frame: |block, line, lines, out| match block {
                Block::Echo => out.extend(lines.concat().to_ascii_uppercase()),
                _ => framed(block, line, lines, out),
            },
            ..SHIPPED
        },
    ),
    mutant(
        "at-upper-only",
        "Command names in lower case are unknown",
        "v250.case",
        Firmware {
            command: |core, name, form| match name.iter().any(u8::is_ascii_lowercase) {
                true => Err(ERROR),
                false => extended(core, name, form),
            },
            ..SHIPPED
        },
    ),
    mutant(
        "at-values-upper",
        "A whole command line is put into upper case, with the texts in it",
        "smtp.sub, smtp.body",
        Firmware {
            body: |body| Cow::Owned(without_blanks(body).to_ascii_uppercase()),
            ..SHIPPED
        },
    ),
    mutant(
        "at-first-command-only",
        "Of commands that are separated by semicolons only the first is carried out",
        "v250.concatenation",
        Firmware {
            body: |body| {
                up_to(&without_blanks(body), |byte, quoted| {
                    byte == b';' && !quoted
                })
            },
            ..SHIPPED
        },
    ),
    mutant(
        "at-semicolon-in-text",
        "A semicolon ends a command even within a text",
        "v250.concatenation, smtp.body",
        Firmware {
            body: |body| up_to(&without_blanks(body), |byte, quoted| byte == b';' && quoted),
            ..SHIPPED
        },
    ),
    mutant(
        "at-comma-in-text",
        "A comma ends a value even within a text",
        "V.250 5.4.2.2, smtp.sub",
        Firmware {
            body: |body| up_to(&without_blanks(body), |byte, quoted| byte == b',' && quoted),
            ..SHIPPED
        },
    ),
    mutant(
        "at-blanks-in-text",
        "Blanks are taken out of texts, too",
        "V.250 5.2.1, smtp.body",
        Firmware {
            body: |body| {
                let kept = body.iter().copied().filter(|byte| *byte != b' ');
                Cow::Owned(kept.collect())
            },
            ..SHIPPED
        },
    ),
    mutant(
        "at-goes-on-after-error",
        "After a command that fails, the rest of the line is carried out and gets a result code of its own",
        "v250.first-error",
        Firmware {
            command: |core, name, form| {
                extended(core, name, form).or_else(|code| {
                    core.output.result(&core.line, code);
                    Ok(Flow::Done)
                })
            },
            ..SHIPPED
        },
    ),
    mutant(
        "at-unterminated-text",
        "A text without its closing quote is taken as if it had one",
        "v250.parameters, V.250 5.4.2.2",
        Firmware {
            body: |body| {
                let mut body = without_blanks(body).into_owned();
                if body.iter().filter(|byte| **byte == b'"').count() % 2 == 1 {
                    body.push(b'"');
                }
                Cow::Owned(body)
            },
            ..SHIPPED
        },
    ),
    mutant(
        "at-empty-refused",
        "An empty command line is answered with ERROR",
        "v250.empty",
        Firmware {
            body: |body| match body {
                b"" => Cow::Borrowed(b"?"),
                _ => without_blanks(body),
            },
            ..SHIPPED
        },
    ),
    mutant(
        "at-empty-silent",
        "An empty command line gets no answer",
        "v250.empty",
        Firmware {
            typed: |typed| match typed {
                Typed::Line(body) if body.is_empty() => Typed::Nothing,
                typed => typed,
            },
            ..SHIPPED
        },
    ),
    mutant(
        "at-unknown-ok",
        "An unknown command is answered with OK",
        "v250.unknown",
        Firmware {
            command: |core, name, form| match is_known(name) {
                true => extended(core, name, form),
                false => Ok(Flow::Done),
            },
            ..SHIPPED
        },
    ),
    mutant(
        "at-unknown-silent",
        "An unknown command gets no answer",
        "v250.unknown",
        Firmware {
            typed: |typed| match typed {
                Typed::Line(body) if is_unknown(&body) => Typed::Nothing,
                typed => typed,
            },
            ..SHIPPED
        },
    ),
    mutant(
        "at-ok-twice",
        "Setting a subject gets two result codes",
        "smtp.sub, V.250 5.7: one final result code for a command line",
        Firmware {
            command: |core, name, form| {
                let flow = extended(core, name, form)?;
                if is(name, "+SMTPSUB") {
                    core.output
                        .result(&core.line, crate::at::result::ResultCode::Ok);
                }
                Ok(flow)
            },
            ..SHIPPED
        },
    ),
    mutant(
        "at-no-leading-line-end",
        "Result codes lack the line end before them",
        "V.250 5.7.1, 6.2.6",
        Firmware {
            frame: |block, line, lines, out| {
                let mut octets = Vec::new();
                framed(block, line, lines, &mut octets);
                let start = if block == Block::Final { 2 } else { 0 };
                out.extend_from_slice(octets.get(start..).unwrap_or_default());
            },
            ..SHIPPED
        },
    ),
    mutant(
        "at-no-trailing-line-end",
        "OK lacks the line end after it",
        "V.250 5.7.1, 6.2.6",
        Firmware {
            frame: |block, line, lines, out| {
                framed(block, line, lines, out);
                if block == Block::Final && lines == [b"OK"] {
                    out.truncate(out.len().saturating_sub(2));
                }
            },
            ..SHIPPED
        },
    ),
    mutant(
        "at-line-feed-only",
        "Lines of information text end in a line feed alone",
        "V.250 5.7.1, 6.2.1",
        Firmware {
            frame: |block, line, lines, out| {
                let mut octets = Vec::new();
                framed(block, line, lines, &mut octets);
                let bare = block == Block::Information;
                out.extend(octets.into_iter().filter(|byte| !bare || *byte != b'\r'));
            },
            ..SHIPPED
        },
    ),
    mutant(
        "at-ok-mixed-case",
        "The result code is Ok",
        "V.250 5.7.1: the word is OK",
        Firmware {
            frame: |block, line, lines, out| match (block, lines) {
                (Block::Final, [b"OK"]) => framed(block, line, &[b"Ok"], out),
                _ => framed(block, line, lines, out),
            },
            ..SHIPPED
        },
    ),
    mutant(
        "at-short-line",
        "A command line may have no more than 300 characters",
        "smtp.subject.length",
        Firmware {
            make: |settings| settings.limits.command_line = 300,
            ..SHIPPED
        },
    ),
    mutant(
        "at-overflow-silent",
        "A command line that is too long gets no result code",
        "V.250 5.2.2: a line that is too long is answered with ERROR",
        Firmware {
            typed: |typed| match typed {
                Typed::TooLong => Typed::Nothing,
                typed => typed,
            },
            ..SHIPPED
        },
    ),
    mutant(
        "at-overflow-ok",
        "A command line that is too long is thrown away and answered with OK",
        "V.250 5.2.2: a line that is too long is answered with ERROR",
        Firmware {
            typed: |typed| match typed {
                Typed::TooLong => Typed::Line(Vec::new()),
                typed => typed,
            },
            ..SHIPPED
        },
    ),
    mutant(
        "at-surplus-values",
        "Values beyond those that a POP3 command has are ignored",
        "v250.parameters",
        Firmware {
            command: |core, name, form| match form {
                Form::Set(values) if name.to_ascii_uppercase().starts_with(b"+POP3") => {
                    let kept = if is(name, "+POP3SRV") { 4 } else { 1 };
                    let all = text(values);
                    let values: Vec<_> = all.split(',').take(kept).collect();
                    with_values(core, name, &values.join(","))
                }
                form => extended(core, name, form),
            },
            ..SHIPPED
        },
    ),
    mutant(
        "at-missing-value",
        "A set command without any value is answered with OK",
        "v250.parameters",
        Firmware {
            command: |core, name, form| match form {
                Form::Set(b"") if is_known(name) => Ok(Flow::Done),
                form => extended(core, name, form),
            },
            ..SHIPPED
        },
    ),
    mutant(
        "at-wrong-type",
        "A text where a number is wanted counts as the number in it",
        "v250.parameters",
        Firmware {
            command: |core, name, form| match form {
                Form::Set(values)
                    if is(name, "+SMTPAUTH") || name.to_ascii_uppercase().starts_with(b"+POP3") =>
                {
                    let values = text(values);
                    let (first, rest) = values.split_at(values.find(',').unwrap_or(values.len()));
                    let first = if is(name, "+POP3SRV") || is(name, "+POP3READ") {
                        first.to_owned()
                    } else {
                        first.replace('"', "")
                    };
                    with_values(core, name, &(first + rest))
                }
                form => extended(core, name, form),
            },
            ..SHIPPED
        },
    ),
    mutant(
        "at-refused-value-clears",
        "A subject that is refused clears the one that was set",
        "v250.parameters, smtp.sub",
        Firmware {
            command: |core, name, form| {
                let answer = extended(core, name, form);
                if answer.is_err() && is(name, "+SMTPSUB") {
                    core.smtp.subject.clear();
                }
                answer
            },
            ..SHIPPED
        },
    ),
];

/// The line up to the first byte that is an end, to the mutant; whether a byte stands within a
/// text is given with it.
fn up_to(line: &[u8], is_end: fn(u8, bool) -> bool) -> Cow<'static, [u8]> {
    let mut quoted = false;
    let end = line.iter().position(|byte| {
        quoted ^= *byte == b'"';
        is_end(*byte, quoted)
    });
    Cow::Owned(
        line.get(..end.unwrap_or(line.len()))
            .unwrap_or_default()
            .to_vec(),
    )
}

fn is_unknown(body: &[u8]) -> bool {
    let name = body.split(|byte| b"=?;".contains(byte)).next();
    name.is_some_and(|name| name.starts_with(b"+") && !is_known(name))
}
