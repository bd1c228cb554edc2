//! How the POP3 server is set up, as a scenario writes it.

use crate::fault::{Rule, Span};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::time::Duration;

/// How the POP3 server is set up. Every key may be left out.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Setup {
    /// Host name in the greeting and in the certificate.
    pub domain: String,
    /// Password by user. Without any there is one: `un` with the password `pwd`, as in section 4.1
    /// of the application note.
    pub accounts: BTreeMap<String, String>,
    /// Whether USER is answered `+OK` for every name, so that only PASS tells whether there is
    /// such an account. Without it an unknown user is refused at once.
    pub hide_users: bool,
    /// Whether the greeting has a timestamp, which offers APOP.
    pub apop: bool,
    /// Whether CAPA is known, and response codes with it.
    pub capa: bool,
    /// Whether TOP is known.
    pub top: bool,
    /// Whether UIDL is known.
    pub uidl: bool,
    /// Whether STLS is offered.
    pub stls: bool,
    /// Whether TLS starts with the connection, as on port 995.
    pub implicit_tls: bool,
    /// The mechanisms that AUTH offers. PLAIN, LOGIN and CRAM-MD5 work; any other name is shown in
    /// CAPA and refused when used.
    pub sasl: Vec<String>,
    /// How long the client may be silent before it is logged out without UPDATE. RFC 1939
    /// section 3 demands ten minutes at least; less is a fault to test with.
    pub autologout: Span,
    /// The messages that every account has at the start, octet for octet.
    #[serde(skip)]
    pub mail: Vec<Vec<u8>>,
    /// What goes wrong, and where.
    pub fault: Vec<Rule>,
}

impl Default for Setup {
    fn default() -> Setup {
        Setup {
            domain: "pop3.server.com".to_owned(),
            accounts: BTreeMap::new(),
            hide_users: false,
            apop: true,
            capa: true,
            top: true,
            uidl: true,
            stls: false,
            implicit_tls: false,
            sasl: Vec::new(),
            autologout: Span(Duration::from_secs(600)),
            mail: Vec::new(),
            fault: Vec::new(),
        }
    }
}

impl Setup {
    pub(super) fn effective_accounts(&self) -> BTreeMap<String, String> {
        if self.accounts.is_empty() {
            return [("un".to_owned(), "pwd".to_owned())].into();
        }
        self.accounts.clone()
    }

    /// The domain without anything that could break a status line or a timestamp.
    pub(super) fn printable_domain(&self) -> String {
        let fits = |c: &char| c.is_ascii_graphic() && !matches!(c, '<' | '>' | '@');
        self.domain.chars().filter(fits).take(200).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    #[test]
    fn a_setup_is_read_as_a_scenario_writes_it() {
        let setup: Setup = serde_json::from_value(json!({
            "accounts": { "alice": "correct horse" },
            "sasl": ["PLAIN"],
            "top": false,
            "autologout": "5s",
            "fault": [{ "when": "retr-body", "do": "truncate", "bytes": 10, "then": "rst" }],
        }))
        .unwrap();
        assert_eq!(setup.effective_accounts()["alice"], "correct horse");
        assert_eq!(setup.autologout, Span(Duration::from_secs(5)));
        assert!(!setup.top && setup.uidl && setup.apop && setup.capa && !setup.stls);
        assert_eq!(setup.fault.len(), 1);
    }

    #[rstest]
    #[case::unknown_key(json!({ "account": {} }), "unknown field `account`")]
    #[case::mail_comes_from_elsewhere(json!({ "mail": [] }), "unknown field `mail`")]
    #[case::wrong_type(json!({ "apop": "yes" }), "invalid type")]
    fn mistakes_are_named(#[case] setup: serde_json::Value, #[case] problem: &str) {
        let error = serde_json::from_value::<Setup>(setup)
            .unwrap_err()
            .to_string();
        assert!(error.contains(problem), "{error}");
    }

    #[test]
    fn no_accounts_means_the_account_of_the_note() {
        assert_eq!(Setup::default().effective_accounts()["un"], "pwd");
    }

    #[test]
    fn a_domain_cannot_break_the_greeting() {
        let domain = format!("a\r\n<b@c>{}", "x".repeat(500));
        let setup = Setup {
            domain,
            ..Setup::default()
        };
        assert!(setup.printable_domain().starts_with("abcxxx"));
        assert_eq!(setup.printable_domain().len(), 200);
    }
}
