//! The state that lint tries checks on has the keys and types of the real one.

use serde_json::Value;
use std::num::NonZeroUsize;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;
use urcheck::judge::Policy;
use urcheck::profile::Profile;
use urcheck::runner::Pace;
use urcheck::runner::schedule::{Session, Watcher, embedded};
use urcheck::scenario::case::Case;
use urcheck::scenario::check::sample;
use urcheck::suite::{Library, Suite};
use urcheck::testbed::SmtpEngine;
use urcheck_reports::{CaseReport, EventKind};

struct Nobody;

impl Watcher for Nobody {
    fn started(&mut self, _: &Case) {}
    fn ended(&mut self, _: &CaseReport) {}
}

/// The last snapshot of a case on the reference module.
async fn snapshot(suite: &Suite, profile: &Profile, id: &str) -> Value {
    let selection = suite.select(&[id.to_owned()]).unwrap();
    let cases = vec![
        suite
            .case(&selection.entries[0], profile, &Default::default())
            .unwrap(),
    ];
    let session = Session {
        cases,
        policy: Policy::of(profile).unwrap(),
        pace: Pace::of(profile),
        smtp_engine: SmtpEngine::BuiltIn,
        keep_timelines: true,
    };
    let settings = urcheck_device::Settings::default();
    let stop = CancellationToken::new();
    let one = NonZeroUsize::MIN;
    let mut ran = embedded(Arc::new(session), settings, one, stop, &mut Nobody).await;
    let events = ran.reports.remove(0).timeline.events.into_iter().rev();
    events
        .map(|event| event.kind)
        .find_map(|kind| match kind {
            EventKind::Snapshot { state, .. } => Some(state),
            _ => None,
        })
        .unwrap()
}

#[tokio::test]
async fn lint_knows_what_checks_will_see() {
    let suite = Suite::load(Library::Embedded).unwrap();
    let profile = suite.profile("sim5360").unwrap();
    let sent = snapshot(&suite, &profile, "note/3.2-send").await;
    let deleted = snapshot(&suite, &profile, "pop3/delete-then-out").await;
    let peeked = snapshot(&suite, &profile, "note/4.3-peek").await;
    let sample = sample::state();
    alike(&sample["smtp"], &sent["smtp"], "smtp");
    alike(&sample["pop3"], &deleted["pop3"], "pop3");
    alike(&sample["pop3"], &peeked["pop3"], "pop3");
}

/// Tables have the same keys, lists elements of the same kind, as far as they have any.
fn alike(sample: &Value, real: &Value, path: &str) {
    match (sample, real) {
        (Value::Object(_), Value::Object(_)) if path.ends_with("headers") => {}
        (Value::Object(known), Value::Object(found)) if path.ends_with("mailboxes") => {
            alike(
                known.values().next().unwrap(),
                found.values().next().unwrap(),
                path,
            );
        }
        (Value::Object(known), Value::Object(found)) => {
            let keys = |map: &serde_json::Map<String, Value>| -> Vec<String> {
                map.keys().cloned().collect()
            };
            assert_eq!(keys(known), keys(found), "{path}");
            for (key, value) in known {
                alike(value, &found[key], &format!("{path}.{key}"));
            }
        }
        (Value::Array(known), Value::Array(found)) => {
            if let (Some(known), Some(found)) = (known.first(), found.first()) {
                alike(known, found, &format!("{path}[0]"));
            }
        }
        // What has no value yet can be anything.
        (_, Value::Null) => {}
        _ => {
            let kind = |value: &Value| std::mem::discriminant(value);
            assert_eq!(
                kind(sample),
                kind(real),
                "{path}: {sample} is not like {real}"
            );
        }
    }
}
