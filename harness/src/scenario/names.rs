//! What `${name}` stands for.
//!
//! Names come from the profile, the bench (addresses of the servers), the row of the matrix and
//! the `[let]` tables. Captures are names too, but have no value before the case runs.

use super::check::{self, Check};
use super::table;
use super::text::{Reader, Segment, SegmentKind};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::source::{SourceFile, Span, Text};
use serde_json::{Map, Value};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// No filler is longer than this.
pub const MAX_FILL: i64 = 1 << 20;

/// No substituted text is longer than this.
const MAX_TEXT: usize = 4 << 20;

/// Names that a scenario cannot give to its own variables and captures.
const RESERVED: [&str; 23] = [
    "capabilities",
    "captures",
    "closed",
    "disputes",
    "false",
    "files",
    "fill",
    "has",
    "in",
    "late",
    "limits",
    "lines",
    "long",
    "null",
    "pop3",
    "section_lines",
    "slow",
    "smtp",
    "storage",
    "timers",
    "true",
    "window",
    "within",
];

/// Whether a variable or capture may have this name.
///
/// # Errors
/// What is wrong with it.
pub fn check_name(name: &str) -> Result<(), &'static str> {
    let head = |c: char| c.is_ascii_alphabetic() || c == '_';
    if !name.starts_with(head) || !name.chars().all(|c| head(c) || c.is_ascii_digit()) {
        return Err("a name has letters, digits and `_`, and starts with a letter");
    }
    if RESERVED.contains(&name) {
        return Err("this name has a meaning of its own");
    }
    Ok(())
}

/// A variable before its value is known.
#[derive(Clone, Debug)]
pub struct Variable {
    /// Its name.
    pub name: Text,
    /// The file that it stands in.
    pub file: Arc<SourceFile>,
    /// Its value as written.
    pub value: table::Value,
}

/// All names with their values.
#[derive(Debug, Default)]
pub struct Names {
    values: Map<String, Value>,
    /// The scenario's own variables.
    own: BTreeSet<String>,
    used: RefCell<BTreeSet<String>>,
    /// Whether a file that the profile does not know is no mistake.
    any_file: bool,
}

/// What a name stands for.
#[derive(Clone, Debug, PartialEq)]
pub enum Meaning {
    /// This value.
    Value(Value),
    /// The capture of this name.
    Capture(String),
}

impl Names {
    /// The names of the profile and the bench, and the variables, whose values may use all names.
    /// The first variable of a name wins.
    pub fn new(
        outer: Map<String, Value>,
        variables: Vec<Variable>,
        found: &mut Diagnostics,
    ) -> Self {
        let mut names = Self {
            values: outer,
            ..Self::default()
        };
        let mut pending: BTreeMap<String, Variable> = BTreeMap::new();
        for variable in variables {
            names.own.insert(variable.name.value.clone());
            pending
                .entry(variable.name.value.clone())
                .or_insert(variable);
        }
        while let Some(name) = pending.keys().next().cloned() {
            names.define(&name, &mut pending, &mut Vec::new(), found);
        }
        names
    }

    /// Takes a file that the profile does not know for an empty text: the case is one that this
    /// device skips, perhaps for want of the file.
    pub fn allow_any_file(&mut self) {
        self.any_file = true;
    }

    /// Finds the value of a variable, after those of the variables that it uses.
    fn define(
        &mut self,
        name: &str,
        pending: &mut BTreeMap<String, Variable>,
        open: &mut Vec<String>,
        found: &mut Diagnostics,
    ) {
        let Some(variable) = pending.remove(name) else {
            return;
        };
        open.push(name.to_owned());
        for used in roots(&variable) {
            if open.contains(&used) {
                let message = format!("`{name}` is defined by itself");
                found.push(Diagnostic::error("cycle", message).at(
                    &variable.file,
                    variable.name.span,
                    "",
                ));
                self.values.insert(name.to_owned(), Value::Null);
                open.pop();
                return;
            }
            self.define(&used, pending, open, found);
        }
        let value = table::json(&variable.value, &mut |text, span| {
            self.value(&variable.file, &Text::new(span, text.to_owned()), found)
        });
        self.values
            .insert(name.to_owned(), value.unwrap_or(Value::Null));
        open.pop();
    }

    /// The value of a path of keys.
    ///
    /// # Errors
    /// The key that does not exist, and those that do at its place.
    pub fn get(&self, keys: &[String]) -> Result<&Value, (String, Vec<&str>)> {
        let mut level = &self.values;
        let mut rest = keys.iter();
        let Some(root) = rest.next() else {
            return Err((String::new(), Vec::new()));
        };
        let mut value = level
            .get(root)
            .ok_or_else(|| (root.clone(), level.keys().map(String::as_str).collect()))?;
        self.used.borrow_mut().insert(root.clone());
        for key in rest {
            match value {
                Value::Object(map) => level = map,
                _ => return Err((key.clone(), Vec::new())),
            }
            value = level
                .get(key)
                .ok_or_else(|| (key.clone(), level.keys().map(String::as_str).collect()))?;
        }
        Ok(value)
    }

    /// Notes that a check or an expression uses a name.
    pub fn mark(&self, name: &str) {
        self.used.borrow_mut().insert(name.to_owned());
    }

    /// The scenario's own variables that nothing has used so far.
    pub fn unused(&self) -> impl Iterator<Item = &str> {
        let used = self.used.borrow();
        let unused: Vec<&str> = self
            .own
            .iter()
            .filter(|name| !used.contains(*name))
            .map(String::as_str)
            .collect();
        unused.into_iter()
    }

    /// What checks can see: the scenario's variables and those of the profile, times in seconds.
    pub fn variables(&self) -> Map<String, Value> {
        let mut variables = Map::new();
        for (name, value) in &self.values {
            let value = match name.as_str() {
                "smtp" | "pop3" | "closed" | "window" | "within" | "late" | "slow" => continue,
                "timers" => seconds(value),
                _ => value.clone(),
            };
            variables.insert(name.clone(), value);
        }
        variables
    }

    /// What a part of a text that is no hole stands for; nothing if that is a mistake.
    pub fn meaning(
        &self,
        file: &Arc<SourceFile>,
        segment: &Segment,
        captures: &BTreeSet<String>,
        found: &mut Diagnostics,
    ) -> Option<Meaning> {
        let mistake =
            |code, message: String| Diagnostic::error(code, message).at(file, segment.span, "");
        match &segment.kind {
            SegmentKind::Literal(text) => Some(Meaning::Value(text.clone().into())),
            SegmentKind::Hole(_) => None,
            SegmentKind::Fill(count) => match self.fill(count) {
                Ok(text) => Some(Meaning::Value(text.into())),
                Err(reason) => {
                    found.push(mistake("bad-fill", format!("`fill({count})`: {reason}")));
                    None
                }
            },
            SegmentKind::Name(keys) => {
                if let [only] = keys.as_slice()
                    && captures.contains(only)
                {
                    return Some(Meaning::Capture(only.clone()));
                }
                match self.get(keys) {
                    Ok(value) => Some(Meaning::Value(value.clone())),
                    Err(_) if self.any_file && keys.first().is_some_and(|key| key == "files") => {
                        Some(Meaning::Value(Value::String(String::new())))
                    }
                    Err((key, known)) => {
                        let message = format!("unknown name `{}`", keys.join("."));
                        // Whole names, as they would have to be written.
                        let at = keys.iter().position(|one| *one == key).unwrap_or_default();
                        let parents = keys.get(..at).unwrap_or_default();
                        let whole = |last: &str| [parents, &[last.to_owned()]].concat().join(".");
                        let captured = captures.iter().filter(|_| parents.is_empty());
                        let near: Vec<_> = known
                            .into_iter()
                            .map(whole)
                            .chain(captured.cloned())
                            .collect();
                        let near = near.iter().map(String::as_str);
                        found.push(mistake("unknown-name", message).suggest(&whole(&key), near));
                        None
                    }
                }
            }
        }
    }

    /// A string of the front matter: the value itself where it is nothing but `${name}`.
    pub fn value(
        &self,
        file: &Arc<SourceFile>,
        text: &Text,
        found: &mut Diagnostics,
    ) -> Option<Value> {
        let segments = Reader {
            file,
            found,
            exact: false,
        }
        .template(text);
        if let [only] = segments.as_slice() {
            return match self.meaning(file, only, &BTreeSet::new(), found)? {
                Meaning::Value(value) => Some(value),
                Meaning::Capture(_) => None,
            };
        }
        self.joined(file, &segments, found).map(Value::String)
    }

    /// A text without captures.
    pub fn text(
        &self,
        file: &Arc<SourceFile>,
        text: &Text,
        exact: bool,
        found: &mut Diagnostics,
    ) -> Option<String> {
        let segments = Reader { file, found, exact }.template(text);
        self.joined(file, &segments, found)
    }

    fn joined(
        &self,
        file: &Arc<SourceFile>,
        segments: &[Segment],
        found: &mut Diagnostics,
    ) -> Option<String> {
        let mut out = String::new();
        for segment in segments {
            let Meaning::Value(value) = self.meaning(file, segment, &BTreeSet::new(), found)?
            else {
                continue;
            };
            out.push_str(&plain(file, segment.span, &value, found)?);
            if out.len() > MAX_TEXT {
                let message = format!("this text becomes longer than {MAX_TEXT} bytes");
                found.push(Diagnostic::error("too-long", message).at(file, segment.span, ""));
                return None;
            }
        }
        Some(out)
    }

    fn fill(&self, count: &str) -> Result<String, String> {
        let check = Check::compile(count).map_err(|error| error.to_string())?;
        for name in check.variables() {
            self.mark(name);
        }
        filler(check.integer(&self.variables())?)
    }
}

/// A value as it stands in a text; a mistake if it is a list or a table.
pub fn plain(
    file: &Arc<SourceFile>,
    span: Span,
    value: &Value,
    found: &mut Diagnostics,
) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        // The mistake that made it so has been reported where it was made.
        Value::Null => None,
        Value::Array(_) | Value::Object(_) => {
            let what = if value.is_array() {
                "a list"
            } else {
                "a table"
            };
            let mut one =
                Diagnostic::error("no-text", format!("this is {what}, not a text or number"))
                    .at(file, span, "");
            if let Value::Object(map) = value {
                let keys: Vec<&str> = map.keys().take(12).map(String::as_str).collect();
                one = one.help(format!("it has: {}", keys.join(", ")));
            }
            found.push(one);
            None
        }
    }
}

/// Printable ASCII without quotes and backslashes, of exactly this length, always the same.
///
/// # Errors
/// If the length is negative or over [`MAX_FILL`].
pub fn filler(length: i64) -> Result<String, String> {
    // Every 10th character counts the tens, so that a cut or doubled part can be seen.
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    match usize::try_from(length) {
        Ok(length) if i64::try_from(length).is_ok_and(|length| length <= MAX_FILL) => Ok((0
            ..length)
            .map(|at| match at % 10 {
                9 => ALPHABET
                    .get(at / 10 % ALPHABET.len())
                    .copied()
                    .unwrap_or(b'A'),
                digit => b"123456789".get(digit).copied().unwrap_or(b'0'),
            })
            .map(char::from)
            .collect()),
        _ => Err(format!("{length} is not between 0 and {MAX_FILL}")),
    }
}

/// Durations as numbers of seconds.
fn seconds(timers: &Value) -> Value {
    let number = |text: &Value| {
        let time = super::duration::duration(text.as_str().unwrap_or_default());
        time.map_or(Value::Null, |time| time.as_secs_f64().into())
    };
    match timers {
        Value::Object(map) => map
            .iter()
            .map(|(key, text)| (key.clone(), number(text)))
            .collect(),
        _ => Value::Null,
    }
}

/// The first keys of all names that a variable's value uses.
fn roots(variable: &Variable) -> BTreeSet<String> {
    let mut roots = BTreeSet::new();
    let mut ignored = Diagnostics::new();
    table::json(&variable.value, &mut |text, span| {
        let mut reader = Reader {
            file: &variable.file,
            found: &mut ignored,
            exact: false,
        };
        for segment in reader.template(&Text::new(span, text.to_owned())) {
            match segment.kind {
                SegmentKind::Name(keys) => roots.extend(keys.into_iter().next()),
                SegmentKind::Fill(count) => roots.extend(check::identifiers(&count)),
                _ => {}
            }
        }
        Some(Value::Null)
    });
    roots
}
