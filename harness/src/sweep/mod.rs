//! The sweep: a flow that passes is run again once for every place in its mail dialogues and
//! everything that can go wrong there.
//!
//! ```text
//! flow ─► probing run ─► places ─► places × mischief = trials ─► run ─► findings ─► scenario files
//! ```
//!
//! Two kinds of trial: what a device must not notice (a late reply, a reply in pieces) leaves the
//! flow with all that it expects; for everything else only the monitors judge, and that a result
//! comes at all (a loose draft). Must not know: what the reference module does.

mod draft;
mod mischief;
mod places;

pub use draft::DraftError;

use crate::judge::Policy;
use crate::monitor::account::Account;
use crate::profile::Profile;
use crate::scenario::case::Case;
use crate::scenario::lower::{Bench, Given};
use crate::suite::{Entry, Suite};
use draft::Draft;
use mischief::Mischief;
use places::Place;
use sha2::{Digest, Sha256};
use urcheck_reports::{CaseReport, Protocol};

/// Why a flow cannot be swept.
#[derive(Debug, thiserror::Error)]
pub enum SweepError {
    /// It cannot be written anew.
    #[error(transparent)]
    Draft(#[from] DraftError),
    /// A rule is not understood by the fault engine: a defect of this program.
    #[error("a rule of the sweep is refused: {0}")]
    Rule(#[from] toml::de::Error),
    /// It has faults of its own, which would come between.
    #[error("{0} injects faults itself; a sweep starts from a flow in which all goes well")]
    Faulty(String),
}

/// A flow that passed, ready to be swept.
#[derive(Debug)]
pub struct Flow {
    id: String,
    strict: Template,
    loose: Template,
    places: Vec<Place>,
}

/// One of the two forms of a flow.
#[derive(Debug)]
struct Template {
    draft: Draft,
    case: Case,
}

/// One flow with one thing that goes wrong.
#[derive(Debug)]
pub struct Trial<'a> {
    template: &'a Template,
    protocol: Protocol,
    mischief: Mischief,
    title: String,
    /// The case to run.
    pub case: Case,
}

/// The same case with a rule without effect at every place: what is run first, and must pass.
///
/// # Errors
/// It has faults of its own.
pub fn probing(case: &Case) -> Result<Case, SweepError> {
    if !case.smtp.fault.is_empty() || !case.pop3.fault.is_empty() {
        return Err(SweepError::Faulty(case.id.clone()));
    }
    let mut case = case.clone();
    places::probe(&mut case)?;
    Ok(case)
}

impl Flow {
    /// Takes the probing run of a flow apart.
    ///
    /// # Errors
    /// The flow cannot be written anew.
    pub fn new(
        entry: &Entry<'_>,
        case: &Case,
        policy: &Policy,
        passed: &CaseReport,
        profile: &Profile,
        bench: &Bench,
        suite: &Suite,
    ) -> Result<Self, SweepError> {
        let library = suite.library();
        let given = Given {
            profile,
            bench,
            library,
            disputes: suite.disputes(),
        };
        let events = &passed.timeline.events;
        let account = Account::of(case, policy, events, false);
        let template = |draft: Draft| -> Result<Template, DraftError> {
            let text = draft.text(&case.title, None);
            let case = draft.case(&case.id, text, given)?;
            Ok(Template { draft, case })
        };
        Ok(Self {
            id: case.id.clone(),
            strict: template(Draft::strict(entry, case, suite)?)?,
            loose: template(Draft::loose(entry, case, &account, suite)?)?,
            places: places::reached(events),
        })
    }

    /// How many places it comes to.
    pub fn places(&self) -> usize {
        self.places.len()
    }

    /// Every trial of this flow.
    ///
    /// # Errors
    /// A rule is refused: a defect of this program.
    pub fn trials(&self, profile: &Profile) -> Result<Vec<Trial<'_>>, SweepError> {
        let mut trials = Vec::new();
        for place in &self.places {
            let timer = match place.protocol {
                Protocol::Smtp => profile.timers.smtp,
                Protocol::Pop3 => profile.timers.pop3,
            };
            let late = timer
                .saturating_sub(profile.timers.tolerance)
                .max(timer / 2);
            for mischief in mischief::all(place, timer, late) {
                trials.push(self.trial(place, mischief)?);
            }
        }
        Ok(trials)
    }

    fn trial(&self, place: &Place, mischief: Mischief) -> Result<Trial<'_>, SweepError> {
        let template = if mischief.transparent {
            &self.strict
        } else {
            &self.loose
        };
        let mut case = template.case.clone();
        let rule = places::rule(&mischief.rule)?;
        match place.protocol {
            Protocol::Smtp => case.smtp.fault.insert(0, rule),
            Protocol::Pop3 => case.pop3.fault.insert(0, rule),
        }
        let protocol = place.protocol;
        let (place, name) = (place.name(), &mischief.name);
        case.id = format!("{}@{place}:{name}", self.id);
        let title = format!(
            "{} at {place}: {}",
            name.replace('-', " "),
            template.case.title
        );
        case.title = title.clone();
        Ok(Trial {
            template,
            protocol,
            mischief,
            title,
            case,
        })
    }
}

impl Trial<'_> {
    /// The scenario file that does the same.
    pub fn text(&self) -> String {
        let fault = Some((self.protocol, &self.mischief.rule));
        self.template.draft.text(&self.title, fault)
    }

    /// A name for that file.
    pub fn file_name(&self) -> String {
        let plain = |c: char| match c {
            'a'..='z' | 'A'..='Z' | '0'..='9' | '.' | '-' => c,
            _ => '-',
        };
        format!(
            "{}.att",
            self.case.id.chars().map(plain).collect::<String>()
        )
    }
}

/// So many of the trials, chosen by the seed and spread over all; in their order.
pub fn shallow(mut trials: Vec<Trial<'_>>, count: usize, seed: u64) -> Vec<Trial<'_>> {
    // By a hash of the name, so that a trial more or less elsewhere changes nothing.
    let mut keys: Vec<_> = trials
        .iter()
        .map(|trial| key(&trial.case.id, seed))
        .collect();
    keys.sort_unstable();
    if let Some(limit) = keys.get(count).copied() {
        trials.retain(|trial| key(&trial.case.id, seed) < limit);
    }
    trials
}

fn key(id: &str, seed: u64) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(seed.to_be_bytes());
    hash.update(id.as_bytes());
    hash.finalize().into()
}
