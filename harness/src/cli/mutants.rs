//! `urcheck mutants`: how good the suite is, by the bugs that it catches.

use super::rig::{cores, interrupt, session};
use super::{Device, Folder, Refusal, runtime, select, stdout_has_colour, without_mistakes};
use crate::exit::Exit;
use crate::monitor;
use crate::mutation::cover::{self, Kills};
use crate::mutation::pattern::{Features, Patterns};
use crate::mutation::{Depth, Subject, Tried, subjects, try_all};
use crate::runner::schedule::Session;
use crate::scenario::lower::Bench as Addresses;
use crate::testbed::{SmtpEngine, embedded};
use anstyle::{AnsiColor, Style};
use clap::Args;
use globset::Glob;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::time::Instant;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  urcheck mutants                         the score: each mutant until the first case kills it
  urcheck mutants 'p-*' ok-first          some mutants and variants
  urcheck mutants --full --report json=matrix.json
                                          every case on every mutant: redundant cases, killers
  urcheck mutants --minimal               the smallest set of cases found with the same score
  urcheck run --dut sim:p-stop-commits    look at one mutant")]
pub(super) struct Mutants {
    /// Mutants and variants by name or glob [default: all]
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    /// Run every case on every mutant and show what each case is worth
    #[arg(long)]
    full: bool,
    /// Print a small set of cases that kills the same mutants, for slow hardware; implies --full
    #[arg(long)]
    minimal: bool,
    /// The share of mutants, in percent, below which the command fails
    #[arg(long, value_name = "PERCENT", default_value_t = 100.0)]
    at_least: f64,
    /// Store what each bug looks like, for the diagnosis of unknown devices; implies --full
    #[arg(long, value_name = "FILE")]
    store: Option<PathBuf>,
    #[command(flatten)]
    folder: Folder,
    #[command(flatten)]
    device: Device,
    /// Mutants at a time [default: number of cores]
    #[arg(long, value_name = "N")]
    jobs: Option<NonZeroUsize>,
    /// Write the result to a file: json=FILE
    #[arg(long, value_name = "KIND=FILE", value_parser = super::run::report_target)]
    report: Option<PathBuf>,
}

/// Everything that is known in the end.
struct Outcome {
    subjects: Vec<Subject>,
    cases: Vec<String>,
    /// Which clauses each case covers.
    clauses: Vec<Vec<String>>,
    tried: Vec<Tried>,
    depth: Depth,
    seconds: f64,
}

impl Mutants {
    pub(super) fn run(self) -> Result<Exit, Refusal> {
        let subjects = chosen(&self.names)?;
        let suite = self.folder.suite()?;
        let profile = self.device.profile(&suite)?;
        let selection = select(&[], &suite)?;
        without_mistakes(&suite, &profile, &selection)?;
        let cases = selection.entries.iter().map(|entry| {
            let case = suite.case(entry, &profile, &Addresses::default());
            case.map_err(|found| Refusal::mistakes(&found))
        });
        let cases = cases.collect::<Result<_, _>>()?;
        let session = session(cases, &profile, SmtpEngine::default(), false)?;
        let settings = embedded::settings(&profile);
        let runtime = runtime()?;
        let outcome = runtime.block_on(self.measure(subjects, session, &settings));
        if outcome.tried.len() < outcome.subjects.len() {
            let left = outcome.subjects.len() - outcome.tried.len();
            let text = format!("the run ended early; {left} were not tried");
            return Err(Refusal::infrastructure(text));
        }
        self.tell(&outcome)
    }

    async fn measure(
        &self,
        subjects: Vec<Subject>,
        session: Session,
        settings: &urcheck_device::Settings,
    ) -> Outcome {
        let start = Instant::now();
        let stop = interrupt();
        let full = self.full || self.minimal || self.store.is_some();
        let depth = if full { Depth::Full } else { Depth::FirstKill };
        let cases = session.cases.iter().map(|case| case.id.clone()).collect();
        let clauses = session
            .cases
            .iter()
            .map(|case| case.clauses.clone())
            .collect();
        let bar = bar(subjects.len());
        let jobs = self.jobs.unwrap_or_else(cores);
        let session = Arc::new(session);
        let tried = try_all(&subjects, session, settings, depth, jobs, stop, |tried| {
            let subject = subjects.get(tried.subject);
            bar.set_message(subject.map_or("", |subject| subject.name));
            bar.inc(1);
        });
        let tried = tried.await;
        bar.finish_and_clear();
        Outcome {
            subjects,
            cases,
            clauses,
            tried,
            depth,
            seconds: start.elapsed().as_secs_f64(),
        }
    }

    fn tell(&self, outcome: &Outcome) -> Result<Exit, Refusal> {
        if let Some(path) = &self.report {
            write(path, &format!("{:#}\n", outcome.json()))?;
        }
        if let Some(path) = &self.store {
            let text = outcome.patterns().text();
            write(
                path,
                &text.map_err(|error| Refusal::infrastructure(error.to_string()))?,
            )?;
        }
        let mut page = Page {
            text: String::new(),
            colour: stdout_has_colour(),
        };
        outcome.survivors(&mut page);
        outcome.false_alarms(&mut page);
        if outcome.depth == Depth::Full {
            outcome.worth(&mut page);
        }
        if self.minimal {
            outcome.minimal(&mut page);
        }
        outcome.summary(&mut page);
        let enough = outcome.score() >= self.at_least;
        let clean = outcome.alarms().next().is_none();
        let exit = if enough && clean {
            Exit::Passed
        } else {
            Exit::Failed
        };
        Ok(super::print((page.text, exit)))
    }
}

impl Outcome {
    fn mutants(&self) -> impl Iterator<Item = (&Subject, &Tried)> {
        self.of(false)
    }

    fn of(&self, conforming: bool) -> impl Iterator<Item = (&Subject, &Tried)> {
        let pairs = self.tried.iter().filter_map(|tried| {
            let subject = self.subjects.get(tried.subject)?;
            Some((subject, tried))
        });
        pairs.filter(move |(subject, _)| subject.conforming == conforming)
    }

    /// Variants that a case does not pass.
    fn alarms(&self) -> impl Iterator<Item = (&Subject, &Tried)> {
        self.of(true).filter(|(_, tried)| !tried.is_clean())
    }

    /// In percent; 100 where there is no mutant.
    fn score(&self) -> f64 {
        let (killed, all) = self.counts();
        if all == 0 {
            return 100.0;
        }
        let part = |count: usize| f64::from(u32::try_from(count).unwrap_or(u32::MAX));
        part(killed) * 100.0 / part(all)
    }

    fn counts(&self) -> (usize, usize) {
        let killed = self
            .mutants()
            .filter(|(_, tried)| !tried.survives())
            .count();
        (killed, self.mutants().count())
    }

    fn case(&self, at: usize) -> &str {
        self.cases.get(at).map_or("", String::as_str)
    }

    /// Which mutants each case kills.
    fn kills(&self) -> Kills {
        let mut kills = Kills::new();
        for (_, tried) in self.mutants() {
            for killer in tried.killers() {
                kills.entry(killer.case).or_default().insert(tried.subject);
            }
        }
        kills
    }

    fn survivors(&self, page: &mut Page) {
        let survivors: Vec<_> = self
            .mutants()
            .filter(|(_, tried)| tried.survives())
            .collect();
        if survivors.is_empty() {
            return;
        }
        page.head("survivors");
        for (subject, tried) in survivors {
            page.line(&format!("  {:<26}{}", subject.name, subject.about));
            page.line(&format!("  {:<26}breaks {}", "", subject.rests_on));
            let broken: Vec<&str> = subject.rests_on.split([',', ' ']).collect();
            let covers = |of: &&Vec<String>| of.iter().any(|id| broken.contains(&id.as_str()));
            let covering = self.clauses.iter().filter(covers).count();
            let undecided = tried.caught.len();
            let no_verdict = match undecided {
                0 => String::new(),
                count => format!(", {count} came to no verdict"),
            };
            let text = format!("{covering} cases cover that, none of them fails{no_verdict}");
            page.line(&format!("  {:<26}{text}", ""));
        }
        page.gap();
    }

    fn false_alarms(&self, page: &mut Page) {
        if self.alarms().next().is_none() {
            return;
        }
        page.head("false alarms: conforming variants that the suite does not pass");
        for (subject, tried) in self.alarms() {
            page.line(&format!("  {:<26}{}", subject.name, subject.about));
            page.line(&format!("  {:<26}allowed by {}", "", subject.rests_on));
            for caught in tried.caught.iter().take(5) {
                let verdict = caught.verdict.word();
                let case = self.case(caught.case);
                page.line(&format!("  {:<26}{verdict} {case}: {}", "", caught.message));
            }
            for mixture in tried.mixtures.iter().take(5) {
                page.line(&format!("  {:<26}{mixture}", ""));
            }
            if let Some(more) = tried.caught.len().checked_sub(5).filter(|more| *more > 0) {
                page.line(&format!("  {:<26}and {more} more cases", ""));
            }
        }
        page.gap();
    }

    /// What each case is worth.
    fn worth(&self, page: &mut Page) {
        let kills = self.kills();
        let mut by_count: Vec<_> = kills.iter().collect();
        by_count.sort_by_key(|(at, of)| (std::cmp::Reverse(of.len()), **at));
        page.head("the cases that kill most");
        for (at, of) in by_count.iter().take(10) {
            page.line(&format!("  {:>4}  {}", of.len(), self.case(**at)));
        }
        page.gap();
        let mut times: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (at, of) in &kills {
            for mutant in of {
                times.entry(*mutant).or_default().push(*at);
            }
        }
        let single: Vec<_> = times.iter().filter(|(_, by)| by.len() == 1).collect();
        page.head("mutants that only one case kills");
        for (mutant, by) in &single {
            let name = self
                .subjects
                .get(**mutant)
                .map_or("", |subject| subject.name);
            let case = by.first().map_or("", |at| self.case(*at));
            page.line(&format!("  {name:<26}{case}"));
        }
        page.gap();
        let mut caught: BTreeMap<&str, BTreeSet<usize>> = BTreeMap::new();
        for (_, tried) in self.mutants() {
            for monitor in tried.killers().flat_map(|killer| &killer.monitors) {
                caught.entry(monitor).or_default().insert(tried.subject);
            }
        }
        page.head("mutants that each monitor catches");
        for monitor in monitor::all() {
            let count = caught.get(monitor.id).map_or(0, BTreeSet::len);
            page.line(&format!("  {count:>4}  {}", monitor.id));
        }
        page.gap();
        let redundant = cover::redundant(&kills, self.cases.len()).len();
        let idle = self.cases.len() - kills.len();
        page.line(&format!(
            "{redundant} of {} cases could each be left out without a mutant surviving; {idle} kill none",
            self.cases.len()
        ));
        page.gap();
    }

    fn minimal(&self, page: &mut Page) {
        let kills = self.kills();
        let set = cover::small_set(&kills);
        page.head("a small set of cases with the same score");
        for at in &set {
            page.line(&format!("  {}", self.case(*at)));
        }
        page.line(&format!("{} of {} cases", set.len(), self.cases.len()));
        page.gap();
    }

    fn summary(&self, page: &mut Page) {
        let mut by: BTreeMap<&str, usize> = BTreeMap::new();
        for (_, tried) in self.mutants() {
            if let Some(killer) = tried.killers().next() {
                *by.entry(&killer.monitor).or_default() += 1;
            }
        }
        if !by.is_empty() {
            let mut by: Vec<_> = by.into_iter().collect();
            by.sort_by_key(|(name, count)| (std::cmp::Reverse(*count), *name));
            let by: Vec<_> = by
                .iter()
                .map(|(name, count)| format!("{name} {count}"))
                .collect();
            page.line(&format!("first caught by: {}", by.join(", ")));
        }
        let (killed, all) = self.counts();
        let variants = self.of(true).count();
        let alarms = self.alarms().count();
        let alarms = match alarms {
            0 => "no false alarm".to_owned(),
            1 => "1 false alarm".to_owned(),
            count => format!("{count} false alarms"),
        };
        page.line(&format!(
            "{killed} of {all} mutants killed ({:.1} %), {alarms} on {variants} variants, {} cases, {:.1} s",
            self.score(),
            self.cases.len(),
            self.seconds
        ));
    }

    fn patterns(&self) -> Patterns {
        Patterns::of(self.mutants().map(|(subject, tried)| {
            let features: Features = tried
                .killers()
                .flat_map(|killer| killer.features.iter().cloned())
                .collect();
            (subject.name.to_owned(), subject.about.to_owned(), features)
        }))
    }

    /// Additive changes only.
    fn json(&self) -> Value {
        let (killed, all) = self.counts();
        let caught = |tried: &Tried| -> Vec<Value> {
            let each = tried.caught.iter().map(|caught| {
                json!({
                    "case": self.case(caught.case),
                    "verdict": caught.verdict.word(),
                    "monitor": caught.monitor,
                    "monitors": caught.monitors,
                    "message": caught.message,
                })
            });
            each.collect()
        };
        let mutants = self.mutants().map(|(subject, tried)| {
            json!({
                "name": subject.name, "about": subject.about, "breaks": subject.rests_on,
                "killed": !tried.survives(), "cases": tried.cases, "caught": caught(tried),
            })
        });
        let variants = self.of(true).map(|(subject, tried)| {
            json!({
                "name": subject.name, "about": subject.about, "allowed_by": subject.rests_on,
                "passed": tried.is_clean(), "cases": tried.cases, "caught": caught(tried),
                "mixtures": tried.mixtures,
            })
        });
        let kills = self.kills();
        let full = self.depth == Depth::Full;
        let ids =
            |cases: Vec<usize>| -> Vec<&str> { cases.iter().map(|at| self.case(*at)).collect() };
        json!({
            "tool": concat!("urcheck ", env!("CARGO_PKG_VERSION")),
            "score": { "killed": killed, "mutants": all, "percent": self.score() },
            "seconds": self.seconds,
            "cases": self.cases,
            "mutants": mutants.collect::<Vec<_>>(),
            "variants": variants.collect::<Vec<_>>(),
            "redundant": full.then(|| ids(cover::redundant(&kills, self.cases.len()))),
            "minimal": full.then(|| ids(cover::small_set(&kills))),
        })
    }
}

/// Text with headings.
struct Page {
    text: String,
    colour: bool,
}

impl Page {
    fn head(&mut self, text: &str) {
        let style = match self.colour {
            true => Style::new().bold().fg_color(Some(AnsiColor::Cyan.into())),
            false => Style::new(),
        };
        // Writing to a String cannot fail.
        let _written = writeln!(self.text, "{style}{text}{style:#}");
    }

    fn line(&mut self, text: &str) {
        self.text.push_str(text.trim_end());
        self.text.push('\n');
    }

    fn gap(&mut self) {
        self.text.push('\n');
    }
}

/// The mutants and variants that the names choose.
fn chosen(names: &[String]) -> Result<Vec<Subject>, Refusal> {
    let all = subjects();
    if names.is_empty() {
        return Ok(all);
    }
    let mut chosen = BTreeSet::new();
    for name in names {
        let glob = Glob::new(name).map_err(|error| Refusal::usage(error.to_string()))?;
        let glob = glob.compile_matcher();
        let found = all
            .iter()
            .enumerate()
            .filter(|(_, subject)| glob.is_match(subject.name));
        let found: Vec<usize> = found.map(|(at, _)| at).collect();
        if found.is_empty() {
            let names = all.iter().map(|subject| subject.name);
            let hint = match crate::diagnostic::nearest(name, names) {
                Some(near) => format!("; did you mean `{near}`?"),
                None => String::new(),
            };
            let text = format!("there is no mutant or variant `{name}`{hint}");
            return Err(Refusal::usage(text));
        }
        chosen.extend(found);
    }
    let keep = all
        .into_iter()
        .enumerate()
        .filter(|(at, _)| chosen.contains(at));
    Ok(keep.map(|(_, subject)| subject).collect())
}

fn bar(total: usize) -> ProgressBar {
    let total = u64::try_from(total).unwrap_or(u64::MAX);
    // Hidden by itself where standard error is no terminal.
    let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr());
    let template = "{pos} of {len}, {elapsed_precise}, about {eta} left  {msg}";
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar
}

fn write(path: &PathBuf, text: &str) -> Result<(), Refusal> {
    let failed = |error| format!("failed to write {}: {error}", path.display());
    std::fs::write(path, text).map_err(|error| Refusal::usage(failed(error)))
}
