//! The law of the printer: what it writes is read back as the same, and it writes that the same
//! way again.

use proptest::prelude::*;
use std::sync::Arc;
use urcheck::diagnostic::Diagnostics;
use urcheck::scenario::case::{Mode, Target};
use urcheck::scenario::parser::parse;
use urcheck::scenario::print::print;
use urcheck::scenario::written::{Gate, Line, LineKind, Written};
use urcheck::source::{SourceFile, Span, Text};

fn text(value: impl Into<String>) -> Text {
    Text::new(Span::default(), value.into())
}

/// Device text: no blanks at either end, because those before it do not count and those behind it
/// are a mistake of their own.
fn device_text() -> impl Strategy<Value = Text> {
    "[!-~]([ -~]{0,20}[!-~])?"
        .prop_filter("a window would be taken off it", |text| {
            !text.starts_with('[')
        })
        .prop_filter("a wider prefix", |text| !text.starts_with(['>', '=', '<']))
        .prop_filter("only for `<` and `?`", |text| text != "{{...}}")
        .prop_map(text)
}

fn word() -> impl Strategy<Value = String> {
    "[a-z][a-z0-9-]{0,8}"
}

fn kind() -> impl Strategy<Value = LineKind> {
    let mode = prop::sample::select(vec![
        Mode::Ordered,
        Mode::AnyOrder,
        Mode::Optional,
        Mode::Forbidden,
    ]);
    let window = prop::sample::select(vec![
        None,
        Some("30s"),
        Some("27s..33s"),
        Some("${within.smtp}"),
        Some("${window.pop3}"),
    ]);
    let target = prop::sample::select(Target::ALL.to_vec());
    prop_oneof![
        Just(LineKind::Blank),
        "([!-~]([ -~]{0,20}[!-~])?)?".prop_map(LineKind::Comment),
        (word(), proptest::option::of((any::<bool>(), word()))).prop_map(|(name, gate)| {
            LineKind::Section {
                name: text(name),
                gate: gate.map(|(negated, name)| Gate {
                    negated,
                    capability: text(name),
                }),
            }
        }),
        device_text().prop_map(LineKind::Send),
        device_text().prop_map(LineKind::SendRaw),
        (mode, window, device_text()).prop_map(|(mode, window, text)| LineKind::Expect {
            mode,
            window: window.map(self::text),
            text,
        }),
        Just(LineKind::Expect {
            mode: Mode::Ordered,
            window: None,
            text: text("")
        }),
        prop::collection::vec(
            "[ -~]{0,12}".prop_filter("the end", |line| line.trim() != "<<<"),
            1..4
        )
        .prop_map(LineKind::Block),
        prop_oneof![Just("settle"), Just("2s"), Just("${timers.smtp}")]
            .prop_map(|time| LineKind::Pause(text(time))),
        target.prop_map(|target| LineKind::Act {
            target,
            words: vec![text(target.verbs()[0])]
        }),
        device_text().prop_map(LineKind::Check),
        (
            any::<bool>(),
            prop::collection::vec(word(), 1..3),
            device_text()
        )
            .prop_map(|(reading, key, expression)| LineKind::Record {
                reading,
                key: text(key.join(".")),
                expression,
            }),
    ]
}

/// Blank lines are not part of what a scenario says.
fn said(written: &Written) -> Vec<&LineKind> {
    let kinds = written.lines.iter().map(|line| &line.kind);
    kinds.filter(|kind| **kind != LineKind::Blank).collect()
}

fn read(source: &str) -> Written {
    let file = Arc::new(SourceFile::new("a.att", source));
    let mut found = Diagnostics::new();
    let written = parse(&file, &mut found);
    assert!(found.is_empty(), "{source}\n{}", found.render(false));
    written
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(kinds in prop::collection::vec(kind(), 0..20)) {
        let written = Written {
            file: Arc::new(SourceFile::new("a.att", "")),
            front: text("format = 1\n\n\ntitle = \"t\"   \n"),
            lines: kinds
                .into_iter()
                .map(|kind| Line { span: Span::default(), kind })
                .collect(),
        };
        let once = print(&written);
        let back = read(&once);
        prop_assert_eq!(said(&back), said(&written));
        prop_assert_eq!(print(&back), once);
    }

    #[test]
    fn no_text_makes_the_parser_panic(source in "(\\PC|\n|[+=<>|?!~@#%$\\[\\]{}]){0,200}") {
        for source in [source.clone(), format!("+++\n{source}\n+++\n== a\n{source}")] {
            let file = Arc::new(SourceFile::new("a.att", source));
            let mut found = Diagnostics::new();
            let unit = urcheck::scenario::unit::Unit::read(
                &file,
                urcheck::scenario::front::Role::Scenario,
                &mut found,
            );
            // A mistake must be shown as well, wherever it stands.
            prop_assert_eq!(found.is_empty(), found.render(false).is_empty());
            let scenario = urcheck::scenario::unit::Scenario {
                id: "a".to_owned(),
                unit: Arc::new(unit),
                fragments: Vec::new(),
            };
            let profile = urcheck::profile::Profile::default();
            let given = urcheck::scenario::lower::Given {
                profile: &profile,
                bench: &urcheck::scenario::lower::Bench::default(),
                library: &urcheck::suite::Library::Embedded,
                disputes: &urcheck::dispute::Disputes::default(),
            };
            let rows = scenario.unit.front.rows.clone();
            let purpose = urcheck::scenario::lower::Purpose::Lint;
            let case = urcheck::scenario::lower::lower(
                &scenario, &rows[0], given, purpose, &mut found,
            );
            prop_assert!(case.steps.len() <= 400);
        }
    }
}

#[test]
fn the_canonical_form() {
    let source = "+++\nformat = 1   \n\n\n\ntitle = \"t\"\n[[pop3.mail]]\ntext = \"\"\"\na  \n\n\n\nb\"\"\"\n\n+++\n\
                  ==   one\n\n\n>AT\n?+SMTP: OK\n|[5s]OK\n|[30s]    +SMTP: AUTH ERROR\n\
                  <  a\n\n<b\n#note\n  = x==1  \n<<<\n  kept  \n<<<\n@smtp   pause\n== two [if  !cap]\n>>\\x1a\n<\n";
    insta::assert_snapshot!(print(&read(source)));
}

#[test]
fn the_suite_is_written_canonically_without_a_change_of_meaning() {
    let library = urcheck::suite::Library::Embedded;
    for path in library
        .paths()
        .unwrap()
        .iter()
        .filter(|path| path.ends_with(".att"))
    {
        let source = String::from_utf8(library.read(path).unwrap().into_owned()).unwrap();
        let written = read(&source);
        let printed = print(&written);
        let back = read(&printed);
        assert_eq!(said(&back), said(&written), "{path}");
        assert_eq!(print(&back), printed, "{path}");
    }
}
