//! How the fake SMTP server is set up.

use crate::fault::{Rule, Span};
use serde::Deserialize;
use std::collections::BTreeMap;

/// How the fake SMTP server is set up. Everything has a default.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Setup {
    /// The host name that the server gives itself.
    pub domain: String,
    /// The authentication mechanisms that EHLO offers. Without it: PLAIN, LOGIN and CRAM-MD5 if
    /// there are accounts, none otherwise. One that the server does not know is offered all the
    /// same, and refused with 504 when used.
    pub auth: Option<Vec<String>>,
    /// User names with their passwords.
    pub accounts: BTreeMap<String, String>,
    /// Whether MAIL before AUTH is refused with 530. Without it: if there are accounts.
    pub require_auth: Option<bool>,
    /// The largest message that is accepted, in octets.
    pub size: u64,
    /// The keywords that EHLO offers besides AUTH and STARTTLS. Those that the server does not
    /// know are only shown.
    pub extensions: Vec<String>,
    /// Whether STARTTLS is offered.
    pub starttls: bool,
    /// Whether TLS starts with the connection.
    pub implicit_tls: bool,
    /// Recipients (compared without case) that are refused, each with the reply that it gets.
    pub reject: BTreeMap<String, String>,
    /// What the server does wrong; the first rule that matches wins.
    pub fault: Vec<Rule>,
    /// How long a client may be silent; without it five minutes.
    pub idle: Option<Span>,
    /// How many connections may be open at a time; further ones get 421. Without it 200.
    pub connections: Option<usize>,
}

impl Default for Setup {
    fn default() -> Self {
        let extensions = ["SIZE", "8BITMIME", "PIPELINING", "ENHANCEDSTATUSCODES"];
        Self {
            domain: "mail.example.test".into(),
            auth: None,
            accounts: BTreeMap::new(),
            require_auth: None,
            size: 128 * 1024 * 1024,
            extensions: extensions.map(str::to_owned).to_vec(),
            starttls: false,
            implicit_tls: false,
            reject: BTreeMap::new(),
            fault: Vec::new(),
            idle: None,
            connections: None,
        }
    }
}

/// What the server offers when nobody says otherwise.
const MECHANISMS: [&str; 3] = ["PLAIN", "LOGIN", "CRAM-MD5"];

impl Setup {
    /// The mechanisms that EHLO offers.
    pub(super) fn mechanisms(&self) -> Vec<String> {
        match &self.auth {
            Some(offered) => offered.clone(),
            None if self.accounts.is_empty() => Vec::new(),
            None => MECHANISMS.map(str::to_owned).to_vec(),
        }
    }

    /// Whether mail is only taken from who has authenticated.
    pub(super) fn requires_auth(&self) -> bool {
        self.require_auth.unwrap_or(!self.accounts.is_empty())
    }

    /// Whether EHLO offers this keyword.
    pub(super) fn offers(&self, keyword: &str) -> bool {
        self.extensions
            .iter()
            .any(|offered| offered.eq_ignore_ascii_case(keyword))
    }

    /// The reply that a recipient is refused with, if it is.
    pub(super) fn refusal(&self, recipient: &str) -> Option<&str> {
        let mut refused = self.reject.iter();
        let (_, text) = refused.find(|(address, _)| address.eq_ignore_ascii_case(recipient))?;
        Some(text)
    }
}
