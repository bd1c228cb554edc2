//! Why a check is false: its parts and their values.

use cel::common::ast::{Expr, LiteralValue, operators};
use cel::parser::Expression;
use cel::{Context, Value};

/// No value is shown longer than this.
const SHORT: usize = 120;

/// No check shows more parts than this.
const MOST: usize = 16;

/// The operands of comparisons and of logical operators with their values.
pub(super) fn values(expression: &Expression, context: &Context<'_, '_>) -> Vec<(String, String)> {
    let mut found = Vec::new();
    collect(expression, context, &mut found);
    found
}

fn collect(expression: &Expression, context: &Context<'_, '_>, to: &mut Vec<(String, String)>) {
    if let Expr::Call(call) = &expression.expr
        && (is_logical(&call.func_name) || is_comparison(&call.func_name))
    {
        for part in &call.args {
            collect(part, context, to);
        }
        return;
    }
    if matches!(expression.expr, Expr::Literal(_)) || to.len() >= MOST {
        return;
    }
    let text = show(expression);
    if to.iter().any(|(known, _)| *known == text) {
        return;
    }
    let value = match Value::resolve(expression, context) {
        Ok(value) => short(&value),
        Err(error) => format!("({error})"),
    };
    to.push((text, value));
    // Of a loop, and of a call on something, that something is worth seeing too.
    match &expression.expr {
        Expr::Comprehension(each) => collect(&each.iter_range, context, to),
        Expr::Call(call) if call.func_name != operators::INDEX => {
            for part in call.target.as_deref().into_iter().chain(&call.args) {
                if !matches!(part.expr, Expr::Literal(_)) {
                    collect(part, context, to);
                }
            }
        }
        _ => {}
    }
}

fn is_logical(name: &str) -> bool {
    matches!(
        name,
        operators::LOGICAL_AND | operators::LOGICAL_OR | operators::LOGICAL_NOT
    )
}

fn is_comparison(name: &str) -> bool {
    matches!(
        name,
        operators::EQUALS
            | operators::NOT_EQUALS
            | operators::LESS
            | operators::LESS_EQUALS
            | operators::GREATER
            | operators::GREATER_EQUALS
            | operators::IN
    )
}

/// An expression as a person would write it. Loops are shown by what they run over.
fn show(expression: &Expression) -> String {
    match &expression.expr {
        Expr::Unspecified => String::new(),
        Expr::Ident(name) => name.clone(),
        Expr::Literal(literal) => show_literal(literal),
        Expr::Select(select) if select.test => {
            format!("has({}.{})", show(&select.operand), select.field)
        }
        Expr::Select(select) => format!("{}.{}", show(&select.operand), select.field),
        Expr::List(list) => {
            let elements: Vec<String> = list.elements.iter().map(show).collect();
            format!("[{}]", elements.join(", "))
        }
        Expr::Comprehension(each) => {
            format!("{}.(for each {}: …)", show(&each.iter_range), each.iter_var)
        }
        Expr::Map(_) | Expr::Struct(_) => "{…}".to_owned(),
        Expr::Call(call) => {
            let args: Vec<String> = call.args.iter().map(show).collect();
            match (&call.target, call.func_name.as_str(), args.as_slice()) {
                (None, operators::INDEX, [list, index]) => format!("{list}[{index}]"),
                (None, operators::LOGICAL_NOT, [one]) => format!("!{one}"),
                (None, operators::NEGATE, [one]) => format!("-{one}"),
                (None, operators::CONDITIONAL, [if_, then, else_]) => {
                    format!("{if_} ? {then} : {else_}")
                }
                (None, name, [left, right]) if !name.starts_with(char::is_alphabetic) => {
                    let sign = name.trim_matches('_').trim_start_matches('@');
                    format!("{left} {sign} {right}")
                }
                (None, name, args) => format!("{name}({})", args.join(", ")),
                (Some(target), name, args) => {
                    format!("{}.{name}({})", show(target), args.join(", "))
                }
            }
        }
    }
}

fn show_literal(literal: &LiteralValue) -> String {
    match Value::try_from(literal.to_val().as_ref()) {
        Ok(value) => short(&value),
        Err(_) => "?".to_owned(),
    }
}

/// A value in a few characters.
pub(super) fn short(value: &Value) -> String {
    let mut text = String::new();
    write(value, &mut text, 0);
    if text.chars().count() > SHORT {
        text = text.chars().take(SHORT - 1).collect();
        text.push('…');
    }
    text
}

fn write(value: &Value, to: &mut String, depth: usize) {
    // What is longer is cut anyway.
    if to.len() > SHORT * 4 {
        return;
    }
    match value {
        Value::Null => to.push_str("null"),
        Value::Int(number) => to.push_str(&number.to_string()),
        Value::UInt(number) => to.push_str(&number.to_string()),
        Value::Float(number) => to.push_str(&number.to_string()),
        Value::Bool(flag) => to.push_str(&flag.to_string()),
        Value::String(text) => {
            let head: String = text.chars().take(SHORT).collect();
            to.push_str(&format!("{head:?}"));
        }
        Value::Bytes(bytes) => to.push_str(&format!("{} bytes", bytes.len())),
        Value::List(list) if depth > 2 => to.push_str(&format!("[{} elements]", list.len())),
        Value::List(list) => {
            to.push('[');
            for (at, one) in list.iter().enumerate() {
                to.push_str(if at == 0 { "" } else { ", " });
                write(one, to, depth + 1);
            }
            to.push(']');
        }
        Value::Map(map) if depth > 2 => to.push_str(&format!("{{{} keys}}", map.map.len())),
        Value::Map(map) => {
            let mut entries: Vec<_> = map.map.iter().collect();
            entries.sort_by(|a, b| a.0.cmp(b.0));
            to.push('{');
            for (at, (key, one)) in entries.into_iter().enumerate() {
                to.push_str(if at == 0 { "" } else { ", " });
                to.push_str(&format!("{key}: "));
                write(one, to, depth + 1);
            }
            to.push('}');
        }
        other => to.push_str(&format!("{other:?}")),
    }
}
