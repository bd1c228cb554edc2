//! Fault rules: where in a dialogue the server shall do something wrong, and what.

mod book;
mod position;
mod rule;

pub use book::{Book, Kinds, Visit};
pub use position::Position;
pub(crate) use rule::mutate;
pub use rule::{Action, Ending, Place, Rule, RuleError, Span};
