//! The page that the parts of the report write on: lines, indents and colours.

use super::Style;
use crate::model::Verdict;
use anstyle::AnsiColor;

/// Text that grows line by line.
pub(super) struct Page {
    text: String,
    style: Style,
}

impl Page {
    pub(super) fn new(style: Style) -> Self {
        Self {
            text: String::new(),
            style,
        }
    }

    /// How many bytes it has.
    pub(super) fn len(&self) -> usize {
        self.text.len()
    }

    /// How many characters a line may have.
    pub(super) fn width(&self) -> usize {
        self.style.width
    }

    /// Adds a line.
    pub(super) fn line(&mut self, indent: usize, text: &str) {
        if !text.is_empty() {
            self.text.push_str(&" ".repeat(indent));
            self.text.push_str(text.trim_end());
        }
        self.text.push('\n');
    }

    /// Adds an empty line.
    pub(super) fn gap(&mut self) {
        self.text.push('\n');
    }

    /// The text in the colours of its role, or as it is.
    pub(super) fn paint(&self, role: Role, text: &str) -> String {
        let style = role.style();
        if self.style.color && !text.is_empty() && style != anstyle::Style::new() {
            format!("{style}{text}{style:#}")
        } else {
            text.to_owned()
        }
    }

    pub(super) fn into_text(self) -> String {
        self.text
    }
}

/// What a piece of text is to the reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Good,
    Warning,
    Bad,
    Unclear,
    Strong,
    Aside,
    /// Sent by the DTE.
    Dte,
    /// Sent by the device, on either side.
    Device,
    /// Sent by a server.
    Server,
}

impl Role {
    pub(super) fn of(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Pass => Self::Good,
            Verdict::Marginal | Verdict::KnownFail | Verdict::UnexpectedPass => Self::Warning,
            Verdict::Fail | Verdict::Error => Self::Bad,
            Verdict::Inconclusive => Self::Unclear,
            Verdict::Skipped => Self::Aside,
        }
    }

    fn style(self) -> anstyle::Style {
        match self {
            Self::Good => AnsiColor::Green.on_default(),
            Self::Warning => AnsiColor::Yellow.on_default(),
            Self::Bad => AnsiColor::Red.on_default().bold(),
            Self::Unclear => AnsiColor::Magenta.on_default().bold(),
            Self::Strong => anstyle::Style::new().bold(),
            Self::Aside => anstyle::Style::new().dimmed(),
            Self::Dte => AnsiColor::Cyan.on_default(),
            Self::Device => AnsiColor::Green.on_default(),
            Self::Server => AnsiColor::Blue.on_default(),
        }
    }
}
