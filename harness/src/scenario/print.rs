//! Writes a scenario in its canonical form.
//!
//! Front matter keeps its own order and comments; only blanks at line ends and runs of empty
//! lines go. In the dialogue, one blank follows each prefix; where the windows of a run of
//! expectations differ in length, their texts stand in one column.

use super::written::{Gate, Line, LineKind, Written};

/// The file as `fmt` writes it.
pub fn print(written: &Written) -> String {
    let mut out = String::from("+++\n");
    let mut blank = true;
    let mut quoted = Quoted::default();
    for line in written.front.value.lines() {
        // What stands in a multi-line string is the author's own, byte for byte.
        let inside = quoted.inside();
        quoted.pass(line);
        if inside || quoted.inside() {
            out.push_str(line);
            out.push('\n');
            blank = false;
            continue;
        }
        let line = line.trim_end();
        if !(line.is_empty() && blank) {
            out.push_str(line);
            out.push('\n');
        }
        blank = line.is_empty();
    }
    while out.ends_with("\n\n") {
        out.pop();
    }
    out.push_str("+++\n");
    body(&written.lines, &mut out);
    out
}

fn body(lines: &[Line], out: &mut String) {
    let mut rest = lines;
    let mut blank = false;
    while let Some((line, after)) = rest.split_first() {
        let run = rest
            .iter()
            .take_while(|line| matches!(line.kind, LineKind::Expect { .. }))
            .count();
        if run > 0 {
            if std::mem::take(&mut blank) {
                out.push('\n');
            }
            let (expects, after) = rest.split_at(run);
            expectations(expects, out);
            rest = after;
            continue;
        }
        rest = after;
        match &line.kind {
            LineKind::Blank => {
                blank = true;
                continue;
            }
            LineKind::Section { .. } => blank = true,
            _ => {}
        }
        if std::mem::take(&mut blank) {
            out.push('\n');
        }
        one(&line.kind, out);
    }
}

fn one(kind: &LineKind, out: &mut String) {
    let line = match kind {
        LineKind::Blank | LineKind::Expect { .. } => return,
        LineKind::Comment(text) if text.is_empty() => "#".to_owned(),
        LineKind::Comment(text) => format!("# {text}"),
        LineKind::Section { name, gate } => match gate {
            None => format!("== {}", name.value),
            Some(gate) => format!("== {} {}", name.value, gate_text(gate)),
        },
        LineKind::Send(text) => format!("> {}", text.value),
        LineKind::SendRaw(text) => format!(">> {}", text.value),
        LineKind::Block(lines) => format!("<<<\n{}\n<<<", lines.join("\n")),
        LineKind::Pause(text) => format!("~ {}", text.value),
        LineKind::Act { target, words } => {
            let words: Vec<&str> = words.iter().map(|word| word.value.as_str()).collect();
            format!("@{} {}", target.word(), words.join(" "))
        }
        LineKind::Check(text) => format!("= {}", text.value),
        LineKind::Record {
            reading,
            key,
            expression,
        } => {
            let reading = if *reading { "reading " } else { "" };
            format!("% {reading}{} = {}", key.value, expression.value)
        }
    };
    out.push_str(&line);
    out.push('\n');
}

/// `[if cap]`.
pub fn gate_text(gate: &Gate) -> String {
    format!("[if {}]", gate.word())
}

fn expectations(run: &[Line], out: &mut String) {
    let heads: Vec<(String, &str)> = run
        .iter()
        .filter_map(|line| match &line.kind {
            LineKind::Expect { mode, window, text } => {
                let head = match window {
                    None => mode.prefix().to_string(),
                    Some(window) => format!("{}[{}]", mode.prefix(), window.value.trim()),
                };
                Some((head, text.value.as_str()))
            }
            _ => None,
        })
        .collect();
    let widths = || heads.iter().map(|(head, _)| head.chars().count());
    let column = match (widths().min(), widths().max()) {
        (Some(narrow), Some(wide)) if narrow != wide => wide + 2,
        (_, wide) => wide.unwrap_or(1) + 1,
    };
    for (head, text) in heads {
        let line = format!("{head:column$}{text}");
        // An empty text is an empty line; its prefix needs no blanks behind it.
        out.push_str(if text.is_empty() { &head } else { &line });
        out.push('\n');
    }
}

/// Whether a line of TOML stands within a multi-line string.
#[derive(Default)]
struct Quoted {
    by: Option<&'static str>,
}

impl Quoted {
    fn inside(&self) -> bool {
        self.by.is_some()
    }

    fn pass(&mut self, line: &str) {
        let mut rest = line;
        loop {
            let next = match self.by {
                Some(by) => rest.find(by).map(|at| (at, by)),
                None => ["\"\"\"", "'''"]
                    .into_iter()
                    .filter_map(|by| rest.find(by).map(|at| (at, by)))
                    .min(),
            };
            let Some((at, by)) = next else { return };
            self.by = match self.by {
                Some(_) => None,
                None => Some(by),
            };
            rest = rest.get(at + by.len()..).unwrap_or_default();
        }
    }
}
