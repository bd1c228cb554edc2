//! What profiles may speak of: capabilities and disputes.

use super::{Suite, source};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::dispute::Disputes;
use crate::profile::Profile;
use crate::scenario::table::{Table, document};
use crate::source::{SourceFile, Span};
use std::collections::BTreeSet;
use std::sync::Arc;

impl Suite {
    /// The capabilities of `capabilities.toml`, or of the profiles where there is no such file.
    /// Reports what the profiles of the suite, and the one in use, say that is not declared.
    pub(super) fn declared(&self, used: &Profile, found: &mut Diagnostics) -> BTreeSet<String> {
        let mut known = BTreeSet::new();
        let listed = self.listed("capabilities.toml", found);
        if let Some(file) = &listed {
            let span = Span::new(0, file.text.len());
            let table = document(file, span, found);
            let mut table = Table::new(file, span, "the list of capabilities", table);
            known.extend(table.rest().into_iter().map(|(name, _)| name.value));
        }
        let disputes = self.disputes();
        for name in self.profiles() {
            let profile = match self.profile(name) {
                Ok(profile) => profile,
                Err(mistakes) => {
                    found.append(mistakes);
                    continue;
                }
            };
            if listed.is_none() {
                known.extend(profile.capabilities);
            } else if let Ok(file) = source(&self.library, &format!("profiles/{name}.toml")) {
                undeclared(&profile, Some(&file), &known, disputes, found);
                self.unasked(&profile, Some(&file), found);
            }
        }
        self.unasked(used, None, found);
        if listed.is_some() {
            undeclared(used, None, &known, disputes, found);
        } else {
            known.extend(used.capabilities.iter().cloned());
        }
        known
    }

    /// Reports what a profile wants asked for that nothing asks for.
    fn unasked(&self, profile: &Profile, file: Option<&Arc<SourceFile>>, found: &mut Diagnostics) {
        for name in &profile.probe {
            if self.probes.contains_key(name) {
                continue;
            }
            let message = format!("there is no probe for a capability `{name}`");
            let known = self.probes.keys().map(String::as_str);
            let one = Diagnostic::error("unknown-probe", message).suggest(name, known);
            told(one, name, file, found);
        }
    }

    fn listed(&self, path: &str, found: &mut Diagnostics) -> Option<Arc<SourceFile>> {
        if !self.paths.iter().any(|known| known == path) {
            return None;
        }
        match source(&self.library, path) {
            Ok(file) => Some(file),
            Err(one) => {
                found.push(*one);
                None
            }
        }
    }
}

/// Reports capabilities, disputes and readings that are not declared: in the profile's own file,
/// or, without one, those that came from elsewhere.
fn undeclared(
    profile: &Profile,
    file: Option<&Arc<SourceFile>>,
    capabilities: &BTreeSet<String>,
    disputes: &Disputes,
    found: &mut Diagnostics,
) {
    let mut report = |code, what: &str, name: &str, known: Vec<&str>| {
        let one = Diagnostic::error(code, format!("unknown {what} `{name}`")).suggest(name, known);
        told(one, name, file, found);
    };
    for capability in &profile.capabilities {
        if !capabilities.contains(capability) {
            let known = capabilities.iter().map(String::as_str).collect();
            report("unknown-capability", "capability", capability, known);
        }
    }
    for (id, reading) in &profile.disputes {
        match disputes.get(id) {
            None => {
                let known = disputes.iter().map(|one| one.id.as_str()).collect();
                report("unknown-dispute", "dispute", id, known);
            }
            Some(dispute) => {
                let known: Vec<_> = dispute.readings.iter().map(|one| one.id.as_str()).collect();
                if !known.contains(&reading.as_str()) {
                    report("unknown-reading", "reading", reading, known);
                }
            }
        }
    }
}

/// Reports a mistake about a name where that stands in the profile's file. One that is inherited is
/// reported in the profile that it comes from.
fn told(one: Diagnostic, name: &str, file: Option<&Arc<SourceFile>>, found: &mut Diagnostics) {
    match file {
        None if found.iter().any(|known| known.message == one.message) => {}
        None => found.push(one),
        Some(file) => {
            let quoted = format!("\"{name}\"");
            if let Some(at) = file.text.find(&quoted) {
                found.push(one.at(file, at..at + quoted.len(), ""));
            }
        }
    }
}
