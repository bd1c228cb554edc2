//! The helpers that checks have besides those of the language.

use cel::extractors::This;
use cel::objects::Key;
use cel::{Context, ExecutionError, Value};
use std::sync::Arc;

/// Every function and method that a check may call.
pub const NAMES: [&str; 33] = [
    "all",
    "bool",
    "bytes",
    "charAt",
    "contains",
    "double",
    "dyn",
    "endsWith",
    "exists",
    "exists_one",
    "fill",
    "filter",
    "has",
    "header",
    "indexOf",
    "int",
    "join",
    "lastIndexOf",
    "lowerAscii",
    "map",
    "matches",
    "replace",
    "saw",
    "size",
    "split",
    "startsWith",
    "string",
    "substring",
    "trim",
    "type",
    "uint",
    "upperAscii",
    "quote",
];

/// Adds the helpers.
pub(super) fn add(context: &mut Context<'_, '_>) -> Result<(), cel::DeclarationError> {
    context.add_function("saw", saw)?;
    context.add_function("header", header)?;
    context.add_function("fill", fill)
}

/// Whether a command line of the session starts with the text, in any case.
fn saw(This(session): This<Value>, text: Arc<String>) -> Result<bool, ExecutionError> {
    let Some(Value::List(commands)) = member(&session, "commands") else {
        return Err(ExecutionError::function_error("saw", "this is no session"));
    };
    let wanted = text.as_bytes();
    Ok(commands.iter().filter_map(line).any(|line| {
        line.as_bytes()
            .get(..wanted.len())
            .is_some_and(|head| head.eq_ignore_ascii_case(wanted))
    }))
}

/// The text of one command: the command itself, or a table that has it as `line`.
fn line(command: &Value) -> Option<&str> {
    match command {
        Value::String(line) => Some(line),
        Value::Map(_) => match member(command, "line") {
            Some(Value::String(line)) => Some(line),
            _ => None,
        },
        _ => None,
    }
}

/// The value of the first header field of this name, empty if there is none. Header fields are a
/// list of pairs or a table.
fn header(This(message): This<Value>, name: Arc<String>) -> Result<Value, ExecutionError> {
    let same = |other: &str| other.eq_ignore_ascii_case(&name);
    let found = match member(&message, "headers") {
        Some(Value::List(fields)) => fields.iter().find_map(|field| match field {
            Value::List(pair) => match pair.as_slice() {
                [Value::String(field), Value::String(value)] if same(field) => Some(value),
                _ => None,
            },
            Value::Map(_) => match (member(field, "name"), member(field, "value")) {
                (Some(Value::String(field)), Some(Value::String(value))) if same(field) => {
                    Some(value)
                }
                _ => None,
            },
            _ => None,
        }),
        Some(Value::Map(fields)) => {
            fields
                .map
                .iter()
                .find_map(|(field, value)| match (field, value) {
                    (Key::String(field), Value::String(value)) if same(field) => Some(value),
                    _ => None,
                })
        }
        _ => {
            return Err(ExecutionError::function_error(
                "header",
                "this is no message",
            ));
        }
    };
    Ok(Value::String(found.map(Arc::clone).unwrap_or_default()))
}

/// The same text as `${fill(N)}` in a line.
fn fill(length: i64) -> Result<Value, ExecutionError> {
    crate::scenario::names::filler(length)
        .map(|text| Value::String(Arc::new(text)))
        .map_err(|reason| ExecutionError::function_error("fill", reason))
}

fn member<'v>(value: &'v Value, key: &str) -> Option<&'v Value> {
    match value {
        Value::Map(map) => map.get(&Key::from(key)),
        _ => None,
    }
}
