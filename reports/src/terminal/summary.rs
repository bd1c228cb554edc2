//! The end of the report: what the run says, in as few lines as it takes.

use super::page::{Page, Role};
use super::sheet;
use crate::model::{CaseReport, Finding, Grade, Outcome, RunReport, Verdict};
use crate::text::{clean, cut, grouped, plural, span};
use std::collections::BTreeSet;
use std::time::Duration;

/// Writes the summary of a run.
pub(super) fn summary(run: &RunReport, behaviour: bool, page: &mut Page) {
    page.line(
        0,
        &page.paint(Role::Aside, &"─".repeat(page.width().min(60))),
    );
    counts(run, page);
    let before = page.len();
    lies(run, page);
    sheet::mixtures(run, page);
    broken_clauses(run, page);
    likenesses(run, page);
    sheet::margins(run, page);
    unexpected_passes(run, page);
    not_run(run, page);
    lacking(run, page);
    observations(run, page);
    sheet::behaviour(run, behaviour, page);
    if page.len() > before {
        page.gap();
    }
    let outcome = run.outcome();
    let role = match outcome {
        Outcome::Passed => Role::Good,
        Outcome::Failures => Role::Bad,
        Outcome::Undecided | Outcome::NothingRun => Role::Unclear,
    };
    let sentence = format!(
        "Exit status {}: {}.",
        outcome.exit_status(),
        outcome.meaning()
    );
    page.line(0, &page.paint(role, &sentence));
}

fn counts(run: &RunReport, page: &mut Page) {
    let counts: Vec<String> = run
        .summary()
        .into_iter()
        .map(|(verdict, count)| {
            page.paint(
                Role::of(verdict),
                &format!("{} {}", grouped(count as u64), verdict.word()),
            )
        })
        .collect();
    let total = run.cases.len() as u64;
    let cases = page.paint(
        Role::Strong,
        &format!("{} {}", grouped(total), plural(total, "case")),
    );
    let counts = if counts.is_empty() {
        String::new()
    } else {
        format!(": {}", counts.join(", "))
    };
    page.line(0, &format!("{cases}{counts}"));

    let (tool, dut, profile) = (clean(&run.tool), clean(&run.dut), clean(&run.profile));
    page.line(
        0,
        &page.paint(Role::Aside, &format!("{tool} on {dut}, profile {profile}")),
    );
    let covered = run.cases.iter().fold(Duration::ZERO, |sum, case| {
        sum.saturating_add(case.duration)
    });
    let (real, covered) = (span(run.duration), span(covered));
    let times = format!("{real} of real time, {covered} on the cases' clocks");
    page.line(0, &page.paint(Role::Aside, &times));
}

/// The worst there is: the device said something that is not true.
fn lies(run: &RunReport, page: &mut Page) {
    let mut found: Vec<(&Finding, &CaseReport)> = run
        .cases
        .iter()
        .flat_map(|case| case.findings.iter().map(move |finding| (finding, case)))
        .filter(|(finding, _)| matches!(finding.grade, Grade::FalseSuccess | Grade::FalseFailure))
        .collect();
    found.sort_by_key(|(finding, _)| finding.grade);
    if found.is_empty() {
        return;
    }
    page.gap();
    page.line(
        0,
        &page.paint(
            Role::Strong,
            "worst findings: the device reported what is not true",
        ),
    );
    for (finding, case) in found.iter().take(MAX_LISTED) {
        let grade = page.paint(Role::Bad, &format!("{:13}", finding.grade.word()));
        let expected = match case.verdict {
            Verdict::KnownFail => " (known-fail)",
            _ => "",
        };
        page.line(2, &format!("{grade}  {}{expected}", clean(&case.id)));
        page.line(
            17,
            &cut(&clean(&finding.message), page.width().saturating_sub(17)),
        );
    }
    rest(found.len(), page);
}

fn broken_clauses(run: &RunReport, page: &mut Page) {
    let broken: BTreeSet<&str> = run
        .cases
        .iter()
        .filter(|case| case.verdict == Verdict::Fail)
        .flat_map(|case| &case.findings)
        .filter(|finding| finding.grade != Grade::Observation)
        .filter_map(|finding| finding.clause.as_deref())
        .collect();
    list("clauses broken", broken.into_iter(), page);
}

/// What known bug the failures look like.
fn likenesses(run: &RunReport, page: &mut Page) {
    if run.likenesses.is_empty() {
        return;
    }
    page.gap();
    for one in run.likenesses.iter().take(MAX_LISTED) {
        let (name, about) = (clean(&one.name), clean(&one.about));
        let text = format!(
            "behaves like `{name}`: {about} (likeness {:.2})",
            one.likeness
        );
        page.line(0, &page.paint(Role::Strong, &text));
    }
    rest(run.likenesses.len(), page);
}

fn unexpected_passes(run: &RunReport, page: &mut Page) {
    let passes = run
        .cases
        .iter()
        .filter(|case| case.verdict == Verdict::UnexpectedPass)
        .map(|case| case.id.as_str());
    list(
        "passed although the profile says that they fail; correct the profile",
        passes,
        page,
    );
}

fn not_run(run: &RunReport, page: &mut Page) {
    if let Some(why) = &run.ended_early {
        page.gap();
        let text = format!("The run ended early: {}", clean(why));
        page.line(0, &page.paint(Role::Unclear, &text));
    }
    list("not run", run.not_run.iter().map(String::as_str), page);
}

/// What the device does not have, as it showed when it was asked.
fn lacking(run: &RunReport, page: &mut Page) {
    let missing = run.probes.iter().filter_map(|probe| {
        let why = probe.missing.as_ref()?;
        Some(format!("{:<18}{}", probe.capability, why))
    });
    let missing: Vec<String> = missing.collect();
    list(
        "not there when the device was asked, so what needs it is skipped; profiles demand what they \
         list in `capabilities`",
        missing.iter().map(String::as_str),
        page,
    );
}

/// What the device does otherwise than in cases of class `info`, which rest on a manual or a driver
/// alone.
fn observations(run: &RunReport, page: &mut Page) {
    let observed = run.cases.iter().filter_map(|case| {
        let mut findings = case.findings.iter();
        let finding = findings.find(|finding| finding.grade == Grade::Observation)?;
        Some(format!("{}: {}", case.id, finding.message))
    });
    let observed: Vec<String> = observed.collect();
    list(
        "observed, and no failure: done otherwise than in a case of class info",
        observed.iter().map(String::as_str),
        page,
    );
}

fn list<'a>(heading: &str, items: impl Iterator<Item = &'a str>, page: &mut Page) {
    let items: Vec<&str> = items.collect();
    if items.is_empty() {
        return;
    }
    page.gap();
    page.line(
        0,
        &page.paint(Role::Strong, &format!("{heading} ({})", items.len())),
    );
    for item in items.iter().take(MAX_LISTED) {
        page.line(2, &cut(&clean(item), page.width().saturating_sub(2)));
    }
    rest(items.len(), page);
}

pub(super) fn rest(count: usize, page: &mut Page) {
    let more = count.saturating_sub(MAX_LISTED);
    if more > 0 {
        page.line(2, &page.paint(Role::Aside, &format!("… {more} more")));
    }
}

/// How many entries of a list are shown.
pub(super) const MAX_LISTED: usize = 20;
