//! Values of expressions from JSON and back.

use super::{CheckError, parts};
use serde_json::{Map, Value};
use std::sync::Arc;

/// JSON as the expressions see it: all whole numbers are signed, so that they can be calculated
/// with.
pub(super) fn to_cel(value: &Value) -> cel::Value {
    match value {
        Value::Null => cel::Value::Null,
        Value::Bool(flag) => cel::Value::Bool(*flag),
        Value::Number(number) => match number.as_i64() {
            Some(number) => cel::Value::Int(number),
            None => cel::Value::Float(number.as_f64().unwrap_or_default()),
        },
        Value::String(text) => cel::Value::String(Arc::new(text.clone())),
        Value::Array(items) => cel::Value::List(Arc::new(items.iter().map(to_cel).collect())),
        Value::Object(map) => {
            let map = map
                .iter()
                .map(|(key, value)| (key.as_str().into(), to_cel(value)))
                .collect();
            cel::Value::Map(cel::objects::Map { map: Arc::new(map) })
        }
    }
}

/// The way back.
pub(super) fn from_cel(value: &cel::Value) -> Result<Value, CheckError> {
    Ok(match value {
        cel::Value::Null => Value::Null,
        cel::Value::Bool(flag) => (*flag).into(),
        cel::Value::Int(number) => (*number).into(),
        cel::Value::UInt(number) => (*number).into(),
        cel::Value::Float(number) => (*number).into(),
        cel::Value::String(text) => text.as_str().into(),
        cel::Value::List(items) => {
            let items: Result<Vec<_>, _> = items.iter().map(from_cel).collect();
            items?.into()
        }
        cel::Value::Map(map) => {
            let mut object = Map::new();
            for (key, value) in map.map.iter() {
                object.insert(key.to_string(), from_cel(value)?);
            }
            object.into()
        }
        other => {
            let message = format!("{} cannot be recorded", parts::short(other));
            return Err(CheckError::Evaluation(message));
        }
    })
}
