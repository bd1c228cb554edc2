//! TOML with places: reads tables key by key and reports every mistake in them.
//!
//! serde stops at the first error and, where it flattens or guesses, forgets places; so files
//! that people write are read through this, and serde only gets what belongs to another room.

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::source::{SourceFile, Span, Spanned, Text};
use std::sync::Arc;
use toml::Spanned as TomlSpanned;
use toml::de::{DeArray, DeTable, DeValue};

/// A TOML value with its place.
pub type Value = Spanned<Kind>;

/// What a TOML value is.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// Text.
    String(String),
    /// A whole number in decimal digits.
    Integer(String),
    /// A number as it was written.
    Float(String),
    /// True or false.
    Boolean(bool),
    /// A date or time.
    Datetime(toml::value::Datetime),
    /// A list.
    Array(Vec<Value>),
    /// A table, in the order of the file.
    Table(Vec<(Text, Value)>),
}

impl Kind {
    /// What messages call it.
    fn name(&self) -> &'static str {
        match self {
            Self::String(_) => "text",
            Self::Integer(_) => "a whole number",
            Self::Float(_) => "a number",
            Self::Boolean(_) => "true or false",
            Self::Datetime(_) => "a date",
            Self::Array(_) => "a list",
            Self::Table(_) => "a table",
        }
    }
}

/// Reads a whole TOML document that stands at `span` of a file; places are those in the file.
pub fn document(file: &Arc<SourceFile>, span: Span, found: &mut Diagnostics) -> Vec<(Text, Value)> {
    // Blanks in front move every place to where the text really stands.
    let text = format!("{:width$}{}", "", file.slice(span), width = span.start);
    let (table, errors) = DeTable::parse_recoverable(&text);
    for error in errors {
        let at = error.span().map_or(span, Span::from);
        let message = error.message().trim().replace('\n', ", ");
        let code = match message.contains("duplicate key") {
            true => "duplicate-key",
            false => "bad-toml",
        };
        found.push(Diagnostic::error(code, message).at(file, at, ""));
    }
    entries(table.get_ref())
}

fn entries(table: &DeTable<'_>) -> Vec<(Text, Value)> {
    let mut entries: Vec<(Text, Value)> = table
        .iter()
        .map(|(key, value)| {
            (
                Text::new(key.span(), key.get_ref().to_string()),
                read(value),
            )
        })
        .collect();
    entries.sort_by_key(|(key, _)| key.span.start);
    entries
}

fn read(value: &TomlSpanned<DeValue<'_>>) -> Value {
    let kind = match value.get_ref() {
        DeValue::String(text) => Kind::String(text.to_string()),
        DeValue::Integer(number) => {
            let decimal = i128::from_str_radix(number.as_str(), number.radix());
            Kind::Integer(decimal.map_or_else(|_| number.to_string(), |number| number.to_string()))
        }
        DeValue::Float(number) => Kind::Float(number.to_string()),
        DeValue::Boolean(flag) => Kind::Boolean(*flag),
        DeValue::Datetime(date) => Kind::Datetime(*date),
        DeValue::Array(array) => Kind::Array(array.iter().map(read).collect()),
        DeValue::Table(table) => Kind::Table(entries(table)),
    };
    Value::new(value.span(), kind)
}

/// The value as serde reads it, with its places.
pub fn for_serde(value: &Value) -> TomlSpanned<DeValue<'_>> {
    let inner = match &value.value {
        Kind::String(text) => DeValue::String(text.as_str().into()),
        Kind::Integer(text) | Kind::Float(text) => match DeValue::parse(text) {
            Ok(number) => number.into_inner(),
            // Not a number after all: let serde complain about the text.
            Err(_) => DeValue::String(text.as_str().into()),
        },
        Kind::Boolean(flag) => DeValue::Boolean(*flag),
        Kind::Datetime(date) => DeValue::Datetime(*date),
        Kind::Array(items) => {
            let mut array = DeArray::new();
            items.iter().for_each(|item| array.push(for_serde(item)));
            DeValue::Array(array)
        }
        Kind::Table(entries) => {
            let mut table = DeTable::new();
            for (key, item) in entries {
                let key = TomlSpanned::new(key.span.range(), key.value.as_str().into());
                table.insert(key, for_serde(item));
            }
            DeValue::Table(table)
        }
    };
    TomlSpanned::new(value.span.range(), inner)
}

/// A table being read. Each key is taken once; what is left in the end is unknown.
pub struct Table<'a> {
    file: &'a Arc<SourceFile>,
    span: Span,
    name: &'static str,
    entries: Vec<(Text, Value)>,
    known: Vec<&'static str>,
}

impl<'a> Table<'a> {
    /// Starts to read. `name` is how messages call it, such as `[smtp]`.
    pub fn new(
        file: &'a Arc<SourceFile>,
        span: Span,
        name: &'static str,
        entries: Vec<(Text, Value)>,
    ) -> Self {
        Self {
            file,
            span,
            name,
            entries,
            known: Vec::new(),
        }
    }

    /// Where the table stands.
    pub fn span(&self) -> Span {
        self.span
    }

    /// The value of a key.
    pub fn take(&mut self, key: &'static str) -> Option<Value> {
        self.known.push(key);
        let at = self
            .entries
            .iter()
            .position(|(name, _)| name.value == key)?;
        Some(self.entries.remove(at).1)
    }

    /// The value of a key that is text.
    pub fn text(&mut self, key: &'static str, found: &mut Diagnostics) -> Option<Text> {
        let value = self.take(key)?;
        text(self.file, &value, found)
    }

    /// The value of a key that is a list of texts.
    pub fn texts(&mut self, key: &'static str, found: &mut Diagnostics) -> Vec<Text> {
        let Some(value) = self.take(key) else {
            return Vec::new();
        };
        list(self.file, value, found)
            .iter()
            .filter_map(|one| text(self.file, one, found))
            .collect()
    }

    /// The value of a key that is true or false.
    pub fn flag(&mut self, key: &'static str, found: &mut Diagnostics) -> Option<bool> {
        let value = self.take(key)?;
        match value.value {
            Kind::Boolean(flag) => Some(flag),
            _ => {
                mismatch(self.file, &value, "true or false", found);
                None
            }
        }
    }

    /// The value of a key that is a whole number, not negative.
    pub fn number(&mut self, key: &'static str, found: &mut Diagnostics) -> Option<u64> {
        let value = self.take(key)?;
        let number = match &value.value {
            Kind::Integer(number) => number.parse().ok(),
            _ => None,
        };
        if number.is_none() {
            mismatch(self.file, &value, "a number that is not negative", found);
        }
        number
    }

    /// The value of a key that is a table.
    pub fn table(
        &mut self,
        key: &'static str,
        name: &'static str,
        found: &mut Diagnostics,
    ) -> Option<Table<'a>> {
        let value = self.take(key)?;
        as_table(self.file, value, name, found)
    }

    /// The value of a key that is a list of tables.
    pub fn tables(
        &mut self,
        key: &'static str,
        name: &'static str,
        found: &mut Diagnostics,
    ) -> Vec<Table<'a>> {
        let Some(value) = self.take(key) else {
            return Vec::new();
        };
        list(self.file, value, found)
            .into_iter()
            .filter_map(|one| as_table(self.file, one, name, found))
            .collect()
    }

    /// All keys that were not taken, in the order in which they stand, as the author's own.
    pub fn rest(&mut self) -> Vec<(Text, Value)> {
        std::mem::take(&mut self.entries)
    }

    /// Reports the keys that nobody took.
    pub fn finish(self, found: &mut Diagnostics) {
        for (key, _) in &self.entries {
            let message = format!("unknown key `{}` in {}", key.value, self.name);
            let one = Diagnostic::error("unknown-key", message).at(self.file, key.span, "");
            found.push(one.suggest(&key.value, self.known.iter().copied()));
        }
    }
}

/// The elements of a list; a mistake if it is none.
pub fn list(file: &Arc<SourceFile>, value: Value, found: &mut Diagnostics) -> Vec<Value> {
    match value.value {
        Kind::Array(items) => items,
        _ => {
            mismatch(file, &value, "a list", found);
            Vec::new()
        }
    }
}

/// The value as a table to read; a mistake if it is none.
pub fn as_table<'a>(
    file: &'a Arc<SourceFile>,
    value: Value,
    name: &'static str,
    found: &mut Diagnostics,
) -> Option<Table<'a>> {
    match value.value {
        Kind::Table(entries) => Some(Table::new(file, value.span, name, entries)),
        _ => {
            mismatch(file, &value, "a table", found);
            None
        }
    }
}

/// The value as text; a mistake if it is none.
pub fn text(file: &Arc<SourceFile>, value: &Value, found: &mut Diagnostics) -> Option<Text> {
    match &value.value {
        Kind::String(text) => Some(Text::new(value.span, text.clone())),
        _ => {
            mismatch(file, value, "text in quotes", found);
            None
        }
    }
}

/// Reports a value of the wrong type.
pub fn mismatch(file: &Arc<SourceFile>, value: &Value, wanted: &str, found: &mut Diagnostics) {
    let message = format!("this must be {wanted}, not {}", value.value.name());
    found.push(Diagnostic::error("wrong-type", message).at(file, value.span, ""));
}

/// A TOML value as JSON. `text` turns each string into what it stands for.
pub fn json(
    value: &Value,
    text: &mut impl FnMut(&str, Span) -> Option<serde_json::Value>,
) -> Option<serde_json::Value> {
    Some(match &value.value {
        Kind::String(string) => return text(string, value.span),
        Kind::Integer(number) => number.parse::<i64>().ok()?.into(),
        Kind::Float(number) => number.parse::<f64>().ok()?.into(),
        Kind::Boolean(flag) => (*flag).into(),
        Kind::Datetime(date) => date.to_string().into(),
        Kind::Array(items) => serde_json::Value::Array(
            items
                .iter()
                .map(|one| json(one, text))
                .collect::<Option<_>>()?,
        ),
        Kind::Table(entries) => serde_json::Value::Object(
            entries
                .iter()
                .map(|(key, one)| Some((key.value.clone(), json(one, text)?)))
                .collect::<Option<_>>()?,
        ),
    })
}

/// Replaces each string with `${…}` by what it stands for, and keeps all places.
pub fn replace(value: &mut Value, text: &mut impl FnMut(&str, Span) -> Option<serde_json::Value>) {
    let span = value.span;
    match &mut value.value {
        Kind::String(string) => {
            if string.contains("${")
                && let Some(new) = text(string, span)
                && let Some(new) = from_json(&new, span)
            {
                *value = new;
            }
        }
        Kind::Array(items) => items.iter_mut().for_each(|one| replace(one, text)),
        Kind::Table(entries) => entries.iter_mut().for_each(|(_, one)| replace(one, text)),
        _ => {}
    }
}

/// A JSON value as TOML, all of it at one place.
fn from_json(value: &serde_json::Value, span: Span) -> Option<Value> {
    use serde_json::Value as Json;
    let kind = match value {
        Json::Null => return None,
        Json::Bool(flag) => Kind::Boolean(*flag),
        Json::String(text) => Kind::String(text.clone()),
        Json::Number(number) if number.is_f64() => Kind::Float(number.to_string()),
        Json::Number(number) => Kind::Integer(number.to_string()),
        Json::Array(items) => Kind::Array(
            items
                .iter()
                .map(|item| from_json(item, span))
                .collect::<Option<_>>()?,
        ),
        Json::Object(map) => Kind::Table(
            map.iter()
                .map(|(key, item)| Some((Text::new(span, key.clone()), from_json(item, span)?)))
                .collect::<Option<_>>()?,
        ),
    };
    Some(Value::new(span, kind))
}
