//! `urcheck explain`: what a case does, in plain words, and what it proves.

use crate::exit::Exit;
use crate::profile::Profile;
use crate::scenario::case::{
    Action, Case, Expect, Mode, Pattern, Piece, Recorded, Step, Target, Template, TemplatePart,
};
use crate::scenario::duration::show;
use crate::scenario::lower::Bench;
use crate::suite::{Selection, Suite};

/// Each case of the selection, as it would run with this profile.
pub fn explain(
    suite: &Suite,
    selection: &Selection<'_>,
    profile: &Profile,
    colour: bool,
) -> (String, Exit) {
    let mut text = String::new();
    for entry in &selection.entries {
        match suite.case(entry, profile, &Bench::default()) {
            Ok(case) => {
                if !text.is_empty() {
                    text.push('\n');
                }
                one(suite, &case, profile, &mut text);
            }
            Err(found) => return (found.render(colour), Exit::Scenario),
        }
    }
    let exit = if text.is_empty() {
        Exit::Nothing
    } else {
        Exit::Passed
    };
    (text, exit)
}

fn one(suite: &Suite, case: &Case, profile: &Profile, to: &mut String) {
    let mut line = |text: String| {
        to.push_str(&text);
        to.push('\n');
    };
    line(format!("{} ({})", case.id, case.class.word()));
    line(format!("  {}", case.title));
    if let Some(reason) = &case.skip {
        line(format!(
            "  Skipped with profile {}: {reason}.",
            profile.name
        ));
    }
    for id in &case.clauses {
        match suite.clauses().get(id) {
            Some(clause) => {
                line(format!(
                    "  Proves {id} (note {}): \"{}\"",
                    clause.section, clause.quote
                ));
            }
            None => line(format!("  Proves {id}")),
        }
    }
    for id in &case.faults {
        match suite.faults().get(id) {
            Some(fault) => line(format!("  Provokes {id}: {}", fault.title)),
            None => line(format!("  Provokes {id}")),
        }
    }
    let faults = case.smtp.fault.len() + case.pop3.fault.len();
    if faults > 0 {
        let rules = if faults == 1 {
            "fault rule"
        } else {
            "fault rules"
        };
        line(format!("  The servers follow {faults} {rules}."));
    }
    if !case.pop3.mail.is_empty() {
        line(format!(
            "  The maildrop holds {} mail(s).",
            case.pop3.mail.len()
        ));
    }
    let mut section = None;
    for step in &case.steps {
        if section != Some(step.section) {
            section = Some(step.section);
            line(format!("\n  {} ({})", step.section_name, step.place.file));
        }
        line(format!(
            "  {:>5}  {}",
            step.place.line,
            words(step, profile)
        ));
        if let Action::Expect(expect) = &step.action {
            for lean in expect.pattern.terms().flat_map(|term| &term.leans) {
                line(format!("{:>19}{lean}", ""));
            }
        }
    }
}

fn words(step: &Step, profile: &Profile) -> String {
    match &step.action {
        Action::Send(text) => format!("send      {}", template(text)),
        Action::SendRaw(text) => format!("send raw  {}", template(text)),
        Action::Expect(expect) => expectation(expect, profile),
        Action::Block(lines) => format!("expect    exactly: {}", lines.join(" ⏎ ")),
        Action::Pause(time) => format!("wait      {}", show(*time)),
        Action::Settle => "wait      until the line and the servers are quiet".to_owned(),
        Action::Act { target, words } => {
            let who = match target {
                Target::Smtp => "the SMTP server",
                Target::Pop3 => "the POP3 server",
                Target::Device => "the device",
            };
            format!("act       {who}: {}", words.join(" "))
        }
        Action::Check(expression) => format!("check     {expression}"),
        Action::Record(record) => match &record.what {
            Recorded::Behaviour(key) => format!("record    {key}: {}", record.expression),
            Recorded::Reading { dispute, readings } => {
                let accepted = readings.iter().filter(|(_, accepted)| *accepted);
                let accepted: Vec<_> = accepted
                    .map(|(one, _)| format!("`{}`", one.reading))
                    .collect();
                format!(
                    "record    the reading of {dispute}: {} (the profile accepts {})",
                    record.expression,
                    accepted.join(" or ")
                )
            }
        },
    }
}

fn expectation(expect: &Expect, profile: &Profile) -> String {
    let what = match &expect.pattern {
        Pattern::AnyLines => return "skip      any lines until the next expectation".to_owned(),
        Pattern::Line(pieces) if pieces.is_empty() => "an empty line".to_owned(),
        Pattern::Line(pieces) => pieces.iter().map(piece).collect(),
    };
    let when = match (expect.mode, expect.window) {
        (Mode::Forbidden, None) => "until the section ends".to_owned(),
        (Mode::Forbidden, Some(window)) => format!("for {}", show(window.to)),
        (_, None) => format!("within {}", show(profile.timers.answer)),
        (_, Some(window)) if window.from.is_zero() => format!("within {}", show(window.to)),
        (_, Some(window)) => format!("between {} and {}", show(window.from), show(window.to)),
    };
    match expect.mode {
        Mode::Ordered => format!("expect    {what}  ({when})"),
        Mode::AnyOrder => format!("expect    {what}  ({when}, in any order)"),
        Mode::Optional => format!("allow     {what}  ({when})"),
        Mode::Forbidden => format!("forbid    {what}  ({when})"),
    }
}

fn piece(piece: &Piece) -> String {
    match piece {
        Piece::Text(text) => template(text),
        Piece::Hole { name, written, .. } => {
            format!("{{{{{}{written}}}}}", name.as_deref().unwrap_or_default())
        }
        Piece::Term(term) => {
            let name = term.name.as_deref().unwrap_or_default();
            format!("{{{{{name}{}}}}}", term.written)
        }
    }
}

/// Text with control characters made visible and long text cut.
fn template(template: &Template) -> String {
    let mut out = String::new();
    for part in &template.0 {
        match part {
            TemplatePart::Bytes(bytes) => {
                let text = String::from_utf8_lossy(bytes);
                for c in text.chars() {
                    match c {
                        c if c.is_control() => out.extend(c.escape_default()),
                        c => out.push(c),
                    }
                }
            }
            TemplatePart::Capture(name) => out.push_str(&format!("${{{name}}}")),
        }
    }
    let length = out.chars().count();
    if length > 160 {
        let head: String = out.chars().take(120).collect();
        return format!("{head}… ({length} characters)");
    }
    out
}
