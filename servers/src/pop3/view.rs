//! The state of the POP3 server as a JSON object, for the checks of a scenario.
//!
//! ```text
//! { "sessions":  [ { "id", "peer", "opened", "closed", "closed_by", "secure", "user", "mechanism",
//!                    "commands", "verbs", "replies", "omitted", "quit", "state",
//!                    "retrieved", "deleted", "lints": [ { "id", "message", "at" } ] } ],
//!   "mailbox":   [ { "uid", "size", "subject", "from" } ],
//!   "mailboxes": { user: [ … ] },
//!   "removed":   [ { "user", "uid", "subject", "session", "at" } ] }
//! ```
//!
//! * Times (`opened`, `closed`, `at`) are seconds since the server was made, with fractions.
//!   `closed` and `closed_by` are null while the session lasts; the names of `closed_by` are those
//!   of [`End::name`](crate::engine::End::name).
//! * `user` and `mechanism` (`"USER"`, `"APOP"`, `"PLAIN"`, `"LOGIN"`, `"CRAM-MD5"`) are null until
//!   the client is logged in, which it is when it was *told* so.
//! * `commands` holds every line as it was sent, without its line end, passwords and answers to
//!   challenges included; `verbs` the keywords of the commands among them, in upper case.
//! * `replies` holds what the client was really told: the greeting, then for each line the status
//!   line. A reply that a fault kept back is an empty string.
//! * `quit` says whether the client sent QUIT; `state` is `"authorization"`, `"transaction"` or
//!   `"update"`, the last one it was in.
//! * `retrieved` holds the message numbers that went out whole, in order, with repetitions;
//!   `deleted` those marked at the end of the session, ascending. Whether the messages are gone is
//!   in `removed` and `mailbox` alone.
//! * `mailbox` is what the first account (in the order of their names) has now.

use super::Shared;
use super::record::Record;
use crate::maildrop::Mail;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::PoisonError;

pub(super) fn view(shared: &Shared) -> Value {
    let sessions: Vec<Value> = shared
        .sessions()
        .iter()
        .map(|record| session(&record.lock().unwrap_or_else(PoisonError::into_inner)))
        .collect();
    let mailboxes: BTreeMap<&String, Vec<Value>> = shared
        .accounts
        .keys()
        .map(|user| (user, mailbox(&shared.drops.mails(user))))
        .collect();
    let removed: Vec<Value> = shared
        .drops
        .removed()
        .iter()
        .map(|removal| {
            json!({
                "user": removal.user,
                "uid": removal.uid,
                "subject": removal.subject,
                "session": removal.session,
                "at": removal.at.as_secs_f64(),
            })
        })
        .collect();
    json!({
        "sessions": sessions,
        "mailbox": mailboxes.values().next().cloned().unwrap_or_default(),
        "mailboxes": mailboxes,
        "removed": removed,
    })
}

fn session(record: &Record) -> Value {
    let lints: Vec<Value> = record.lints.iter().map(|(lint, message, at)| {
        json!({ "id": lint.id(), "message": message, "at": at.as_secs_f64() })
    }).collect();
    json!({
        "id": record.id,
        "peer": record.peer,
        "opened": record.opened.as_secs_f64(),
        "closed": record.closed.map(|at| at.as_secs_f64()),
        "closed_by": record.closed_by,
        "secure": record.secure,
        "user": record.user,
        "mechanism": record.mechanism,
        "commands": record.commands,
        "verbs": record.verbs,
        "replies": record.replies,
        "omitted": record.omitted,
        "quit": record.quit,
        "state": record.state,
        "retrieved": record.retrieved,
        "deleted": record.deleted,
        "lints": lints,
    })
}

fn mailbox(mails: &[Mail]) -> Vec<Value> {
    let entry = |mail: &Mail| {
        json!({
            "uid": mail.uid(),
            "size": mail.size(),
            "subject": mail.subject(),
            "from": mail.from(),
        })
    };
    mails.iter().map(entry).collect()
}
