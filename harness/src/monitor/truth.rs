//! What the device reports is what happened.

use super::account::Account;
use super::{Basis, Found, Monitor};
use urcheck_reports::{Grade, Protocol};

pub(super) const MONITORS: &[Monitor] = &[Monitor {
    id: "truth.success",
    about: "reports `+SMTP: SUCCESS` only for a message that the server accepted",
    basis: Basis::Clause("smtp.urc.success"),
    watch: false_success,
}];

fn false_success(account: &Account<'_>) -> Vec<Found> {
    let smtp = &account.servers.smtp;
    if smtp.delivered_omitted > 0 {
        return Vec::new();
    }
    let mut found = Vec::new();
    for sending in account.sendings() {
        let Some(exchange) = account.exchanges.get(sending.exchange) else {
            continue;
        };
        let span = exchange.event..sending.until;
        let mut numbers = account
            .connections_to(Protocol::Smtp)
            .filter(|connection| span.contains(&connection.event))
            .map(|connection| connection.number);
        let accepted = numbers.any(|number| smtp.delivered.iter().any(|m| m.session == number));
        let success = sending
            .reports
            .iter()
            .find(|line| account.is_report(**line, "SUCCESS"));
        if let Some(line) = success
            .filter(|_| !accepted)
            .and_then(|at| account.lines.get(*at))
        {
            let message = "`+SMTP: SUCCESS` was reported, but the server accepted no message";
            found.push(Found::new(line.event, message).graded(Grade::FalseSuccess));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use crate::monitor::story::Story;
    use serde_json::json;

    fn sent() -> Story {
        Story::new()
            .send("AT+SMTPSEND")
            .connected_smtp(1)
            .says("+SMTP: OK")
            .says("OK")
            .says("+SMTP: SUCCESS")
    }

    #[test]
    fn a_success_without_a_delivery_is_a_false_success() {
        let state = json!({"smtp": {"delivered": []}});
        let found = sent().state(state).found("truth.success");
        assert_eq!(
            found,
            ["`+SMTP: SUCCESS` was reported, but the server accepted no message"]
        );
    }

    #[test]
    fn a_success_with_a_delivery_is_none() {
        let state = json!({"smtp": {"delivered": [{"session": 1}]}});
        assert!(sent().state(state).found("truth.success").is_empty());
    }
}
