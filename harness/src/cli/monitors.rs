//! `urcheck monitors`: the rules that every case is held to.

use crate::monitor;

/// What `--help` says at its end.
pub(super) const HELP: &str = "\
Each line is the id as it stands in a finding, what the rule rests on (a clause of
`urcheck coverage`, or a document with its section), and what a device does that keeps it.

Examples:
  urcheck monitors
  urcheck monitors | grep '^report'";

/// One line for each monitor: id, what it rests on, and what a device has to do.
pub fn monitors() -> String {
    let id_width = monitor::all().map(|one| one.id.len()).max().unwrap_or(0);
    let bases = monitor::all().map(|one| one.basis.to_string().chars().count());
    let basis_width = bases.max().unwrap_or(0);
    let mut text = String::new();
    for one in monitor::all() {
        let (id, basis, about) = (one.id, one.basis, one.about);
        text.push_str(&format!("{id:id_width$}  {basis:basis_width$}  {about}\n"));
    }
    text.push_str(
        "\nBehind every case the runner also asks `AT`: a device that does not answer has a finding\n\
         `health`.\n",
    );
    text
}
