//! What a client may use, as the reply to EHLO told it.

/// What a reply to EHLO offers.
#[derive(Default)]
pub(super) struct Offered {
    /// In capitals.
    pub(super) keywords: Vec<String>,
    /// In capitals.
    pub(super) mechanisms: Vec<String>,
}

impl Offered {
    /// Reads the reply as a client does: a fault may have put other keywords into it.
    pub(super) fn read(reply: &[u8]) -> Self {
        let text = String::from_utf8_lossy(reply).to_ascii_uppercase();
        let mut offered = Self::default();
        for line in text.lines().skip(1) {
            let words = line.get(4..).unwrap_or_default();
            let mut words = words.split([' ', '=']).filter(|word| !word.is_empty());
            let Some(keyword) = words.next() else {
                continue;
            };
            if keyword == "AUTH" {
                offered.mechanisms.extend(words.map(str::to_owned));
            }
            offered.keywords.push(keyword.to_owned());
        }
        offered
    }
}
