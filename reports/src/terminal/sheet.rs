//! Readings, behaviour and margins at the end of the report.

use super::page::{Page, Role};
use super::summary::{MAX_LISTED, rest};
use crate::model::{CaseReport, RunReport, Verdict};
use crate::observed::Margin;
use crate::text::{clean, cut, grouped, plain, plural};

/// The disputes of which the device follows two readings: a finding of the run.
pub(super) fn mixtures(run: &RunReport, page: &mut Page) {
    let readings = run.readings();
    if readings.mixtures.is_empty() {
        return;
    }
    heading(
        "the device does not keep to one reading of the note",
        readings.mixtures.len(),
        page,
    );
    for mixture in readings.mixtures.iter().take(MAX_LISTED) {
        let id = page.paint(Role::Bad, &clean(mixture.dispute));
        page.line(2, &id);
        for witness in [&mixture.first, &mixture.second] {
            let text = format!(
                "{}: `{}` in {} ({})",
                clean(witness.reading),
                clean(&witness.leaning.saw),
                clean(witness.case),
                clean(&witness.leaning.place.to_string())
            );
            page.line(4, &text);
        }
    }
    rest(readings.mixtures.len(), page);
}

/// The smallest margins, where a case is marginal.
pub(super) fn margins(run: &RunReport, page: &mut Page) {
    let marginal = |case: &&CaseReport| case.verdict == Verdict::Marginal;
    let mut found: Vec<(&CaseReport, &Margin)> = run
        .cases
        .iter()
        .filter(marginal)
        .flat_map(|case| {
            case.observed
                .margins
                .iter()
                .map(move |margin| (case, margin))
        })
        .filter(|(_, margin)| margin.is_marginal())
        .collect();
    if found.is_empty() {
        return;
    }
    found.sort_by_key(|(_, margin)| margin.left);
    heading("smallest margins", found.len(), page);
    for (case, margin) in found.iter().take(MAX_LISTED) {
        let left = page.paint(Role::Warning, &format!("{:>10}", plain(margin.left)));
        let text = format!("{left} left  {} ({})", clean(&case.id), margin.place);
        page.line(2, &text);
    }
    rest(found.len(), page);
}

/// The readings that the device follows and what it does where the note is silent, or one line
/// about them.
pub(super) fn behaviour(run: &RunReport, whole: bool, page: &mut Page) {
    let (readings, entries) = (run.readings().followed, run.behaviour());
    if readings.is_empty() && entries.is_empty() {
        return;
    }
    if !whole {
        let (many, few) = (entries.len() as u64, readings.len() as u64);
        let text = format!(
            "behaviour sheet: {} {}, {} {} followed; --behaviour shows them",
            grouped(many),
            if many == 1 { "entry" } else { "entries" },
            grouped(few),
            plural(few, "reading"),
        );
        page.gap();
        page.line(0, &page.paint(Role::Aside, &text));
        return;
    }
    if !readings.is_empty() {
        heading(
            "readings of the note that the device follows",
            readings.len(),
            page,
        );
        let width = widest(readings.iter().map(|one| one.dispute));
        for one in &readings {
            let varies = if one.varies { ", may vary" } else { "" };
            let cases = one.cases.len() as u64;
            let text = format!(
                "{:width$}  {}  ({} {}{varies})",
                clean(one.dispute),
                clean(one.reading),
                grouped(cases),
                plural(cases, "case"),
            );
            page.line(2, &text);
        }
    }
    if !entries.is_empty() {
        heading("behaviour where the note is silent", entries.len(), page);
        let width = widest(entries.iter().map(|entry| entry.key));
        for entry in &entries {
            let several = entry.values.len() > 1;
            for (index, (value, cases)) in entry.values.iter().enumerate() {
                let key = if index == 0 {
                    clean(entry.key)
                } else {
                    String::new()
                };
                let case = match (several, cases.first()) {
                    (true, Some(first)) => format!("  ({}{})", clean(first), more(cases.len())),
                    _ => String::new(),
                };
                let text = format!("{key:width$}  {}{case}", clean(&value.to_string()));
                page.line(2, &cut(&text, page.width().saturating_sub(2)));
            }
        }
    }
}

fn more(cases: usize) -> String {
    match cases {
        0 | 1 => String::new(),
        many => format!(" and {} more", many - 1),
    }
}

fn widest<'a>(texts: impl Iterator<Item = &'a str>) -> usize {
    texts
        .map(|text| text.chars().count())
        .max()
        .unwrap_or(0)
        .min(40)
}

fn heading(text: &str, count: usize, page: &mut Page) {
    page.gap();
    page.line(0, &page.paint(Role::Strong, &format!("{text} ({count})")));
}
