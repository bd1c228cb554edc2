//! What a scenario file *says*, line by line, with places, comments and empty lines.
//!
//! Nothing is resolved here: `${…}` and `{{…}}` are still text.

use super::case::{Mode, Target};
use crate::source::{SourceFile, Span, Text};
use std::sync::Arc;

/// A scenario file.
#[derive(Clone, Debug)]
pub struct Written {
    /// The file.
    pub file: Arc<SourceFile>,
    /// The text between the `+++` lines.
    pub front: Text,
    /// The lines after it.
    pub lines: Vec<Line>,
}

/// One line of the dialogue (a verbatim block counts as one).
#[derive(Clone, Debug)]
pub struct Line {
    /// Where it stands, without its line end.
    pub span: Span,
    /// What it says.
    pub kind: LineKind,
}

/// What a line says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LineKind {
    /// An empty line.
    Blank,
    /// `# text`, without the `#`.
    Comment(String),
    /// `== name [if cap]`.
    Section {
        /// The name.
        name: Text,
        /// The condition.
        gate: Option<Gate>,
    },
    /// `> text`.
    Send(Text),
    /// `>> text`, escapes not yet undone.
    SendRaw(Text),
    /// `<`, `|`, `?` and `!`.
    Expect {
        /// Which of the four.
        mode: Mode,
        /// The text between `[` and `]`.
        window: Option<Text>,
        /// The pattern.
        text: Text,
    },
    /// The lines between `<<<` and `<<<`.
    Block(Vec<String>),
    /// `~ text`.
    Pause(Text),
    /// `@target words`.
    Act {
        /// Whom to act on.
        target: Target,
        /// What to do.
        words: Vec<Text>,
    },
    /// `= expression`.
    Check(Text),
    /// `% key = expression` and `% reading dispute = expression`.
    Record {
        /// Whether the key is a dispute and the value a reading of it.
        reading: bool,
        /// The key.
        key: Text,
        /// The expression.
        expression: Text,
    },
}

/// `[if cap]` or `[if !cap]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gate {
    /// Whether there is a `!`.
    pub negated: bool,
    /// The capability.
    pub capability: Text,
}

impl Gate {
    /// As it is written: `cap` or `!cap`.
    pub fn word(&self) -> String {
        let not = if self.negated { "!" } else { "" };
        format!("{not}{}", self.capability.value)
    }

    /// Whether the section is part of the case on a device that has the capability, or lacks it.
    pub fn open(&self, has: bool) -> bool {
        has != self.negated
    }
}

impl Mode {
    /// The character that starts such a line.
    pub fn prefix(self) -> char {
        match self {
            Self::Ordered => '<',
            Self::AnyOrder => '|',
            Self::Optional => '?',
            Self::Forbidden => '!',
        }
    }
}

impl Target {
    /// What such a target can be told.
    pub fn verbs(self) -> &'static [&'static str] {
        match self {
            Self::Smtp | Self::Pop3 => &["pause", "resume", "drop", "reset", "await-fault"],
            Self::Device => &["reset"],
        }
    }

    /// All targets.
    pub const ALL: [Self; 3] = [Self::Smtp, Self::Pop3, Self::Device];
}
