//! Every `+SMTP:` and `+POP3:` text, in one place (note chapter 1, tables of URCs).

use crate::mail::HeaderFields;
use crate::pop3::{DropListing, Failure, ScanListing};
use crate::smtp::Outcome;

/// `+SMTP: …`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Smtp<'a> {
    /// The session is there, and sending starts.
    Connected,
    /// Sending has ended.
    Ended(&'a Outcome),
    /// Another e-mail is being sent.
    Ongoing,
    /// A mandatory parameter is missing.
    ParameterError,
    /// There is no socket context, so no network.
    NoNetwork,
    /// The attachments are too large together (SIM5320 manual, `AT+SMTPFILE`).
    Oversize,
}

impl Smtp<'_> {
    /// The line.
    pub(crate) fn line(self) -> String {
        let text = match self {
            Self::Connected => "OK",
            Self::Ended(outcome) => return format!("+SMTP: {outcome}"),
            Self::Ongoing => "ONGOING",
            Self::ParameterError => "PARAM ERROR",
            Self::NoNetwork => "NETWORK ERROR",
            Self::Oversize => "OVERSIZE",
        };
        format!("+SMTP: {text}")
    }
}

/// `+POP3: SUCCESS`
pub(crate) const POP3_SUCCESS: &str = "+POP3: SUCCESS";

/// A request failed.
pub(crate) fn pop3_failure(failure: Failure) -> String {
    format!("+POP3: {failure}")
}

/// The answer of `AT+POP3NUM` (note 4.2; the other listings of the note leave the comma out).
pub(crate) fn pop3_number(listing: DropListing) -> String {
    format!("+POP3: {}, {}", listing.count, listing.size)
}

/// The answer of `AT+POP3LIST=n` (note 4.3).
pub(crate) fn pop3_listing(listing: ScanListing) -> String {
    format!("+POP3: {}, {}", listing.number, listing.size)
}

/// The answer of `AT+POP3LIST`, as the SIM5320 manual prints it: a head, then lines without comma.
pub(crate) fn pop3_listings(listings: &[ScanListing]) -> Vec<String> {
    if listings.is_empty() {
        return vec!["+POP3: EMPTY".to_owned()];
    }
    let lines = listings
        .iter()
        .map(|listing| format!("{} {}", listing.number, listing.size));
    std::iter::once("+POP3: ".to_owned()).chain(lines).collect()
}

/// The answer of `AT+POP3HDR` (note 4.3): the fields that the mail has, in this order.
pub(crate) fn pop3_header(fields: &HeaderFields) -> Vec<Vec<u8>> {
    [
        ("From", &fields.from),
        ("Date", &fields.date),
        ("Subject", &fields.subject),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some([name.as_bytes(), b": ", value.as_ref()?.as_slice()].concat()))
    .collect()
}

/// The lines that tell where a mail was stored (note 4.4): the result, and on the next line
/// directly directory and file.
pub(crate) fn pop3_stored(directory: &str, file: &str) -> [String; 2] {
    [POP3_SUCCESS.to_owned(), format!("{directory}, {file}")]
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(Outcome::Success, "+SMTP: SUCCESS")]
    #[case(Outcome::NetworkError, "+SMTP: NETWORK ERROR")]
    #[case(Outcome::ServerError, "+SMTP: SERVER ERROR")]
    #[case(Outcome::AuthRequired, "+SMTP: AUTH REQUIRED")]
    #[case(Outcome::AuthError, "+SMTP: AUTH ERROR")]
    #[case(Outcome::BadRecipient(vec!["a@b".into()]), "+SMTP: BAD RCPT a@b")]
    fn every_ending_has_the_words_of_the_note(#[case] outcome: Outcome, #[case] expected: &str) {
        assert_eq!(Smtp::Ended(&outcome).line(), expected);
    }

    #[rstest]
    #[case(Failure::Failure, "+POP3: FAILURE")]
    #[case(Failure::NetworkError, "+POP3: NETWORK ERROR")]
    #[case(Failure::ServerError, "+POP3: SERVER ERROR")]
    #[case(Failure::InvalidUser, "+POP3: INVALID UN")]
    #[case(Failure::InvalidUserOrPassword, "+POP3: INVALID UN/PWD")]
    #[case(Failure::FileSystemError, "+POP3: FILE SYSTEM ERROR")]
    fn every_failure_has_the_words_of_the_note(#[case] failure: Failure, #[case] expected: &str) {
        assert_eq!(pop3_failure(failure), expected);
    }
}
