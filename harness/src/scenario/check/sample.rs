//! A state as the servers would show it, on which lint tries every check.
//!
//! A check that cannot be evaluated counts against the device, because what it looks for may be
//! missing through the device's fault. So a check that no state could give a value to (a mistyped
//! key, a number compared with text, a broken regular expression) must be found before it runs.

use super::{Check, context, parts};
use cel::common::ast::Expr;
use cel::parser::Expression;
use cel::{ExecutionError, Value};
use serde_json::{Map, json};

/// A state in which every list has elements and every key a value.
pub fn state() -> serde_json::Value {
    let smtp_session = json!({
        "id": 1, "peer": "192.0.2.1:4000", "opened": 0.1, "closed": 0.4, "closed_by": "client",
        "secure": false, "helo": "module", "extended": true, "user": "un", "mechanism": "PLAIN",
        "commands": ["EHLO module", "QUIT"], "verbs": ["EHLO", "QUIT"], "replies": ["220 x"],
        "quit": true, "omitted": 0, "lints": [{ "id": "smtp.x", "message": "x" }],
    });
    let delivered = json!({
        "session": 1, "from": "a@b", "recipients": ["c@d"], "at": 0.3, "size": 100,
        "sha256": "00", "headers": { "subject": "x" }, "header_lines": ["Subject: x"],
        "body": "x", "raw": "Subject: x\r\n\r\nx\r\n",
        "attachments": [{ "name": "a.txt", "type": "text/plain", "size": 1, "sha256": "00" }],
    });
    let pop3_session = json!({
        "id": 1, "peer": "192.0.2.1:4001", "opened": 0.1, "closed": 0.4, "closed_by": "client",
        "secure": false, "user": "un", "mechanism": "USER", "state": "update",
        "commands": ["USER un", "QUIT"], "verbs": ["USER", "QUIT"], "replies": ["+OK"],
        "quit": true, "omitted": 0, "retrieved": [1], "deleted": [1],
        "lints": [{ "id": "pop3.x", "message": "x", "at": 0.2 }],
    });
    let mail = json!({ "uid": "1", "size": 100, "subject": "x", "from": "a@b" });
    let removed = json!({ "user": "un", "uid": "1", "subject": "x", "session": 1, "at": 0.4 });
    // Several of each, so that the second and third exist too.
    let some = |one: &serde_json::Value| serde_json::Value::from(vec![one.clone(); 4]);
    json!({
        "smtp": {
            "sessions": some(&smtp_session), "sessions_omitted": 0,
            "delivered": some(&delivered), "delivered_omitted": 0,
        },
        "pop3": {
            "sessions": some(&pop3_session), "mailbox": some(&mail),
            "mailboxes": { "un": some(&mail) }, "removed": some(&removed),
        },
    })
}

impl Check {
    /// What would keep this check from having a value in any state, if anything does.
    pub fn trial(&self, variables: &Map<String, serde_json::Value>) -> Option<String> {
        match self.tried(variables) {
            Ok(None | Some(Value::Bool(_))) => None,
            Ok(Some(other)) => Some(format!(
                "this is a value such as {}, neither true nor false",
                parts::short(&other)
            )),
            Err(reason) => Some(reason),
        }
    }

    /// The same for an expression that may have any value.
    pub fn trial_value(&self, variables: &Map<String, serde_json::Value>) -> Option<String> {
        self.tried(variables).err()
    }

    /// The same for an expression that must be one of these texts, or an empty one.
    pub fn trial_text(
        &self,
        variables: &Map<String, serde_json::Value>,
        known: &[String],
    ) -> Option<String> {
        let wanted = |what: &str| {
            let known = known.join("\", \"");
            format!("this is {what}; a reading is \"{known}\", or \"\" where nothing is decided")
        };
        match self.tried(variables) {
            Ok(None) => None,
            Ok(Some(Value::String(text))) if text.is_empty() || known.contains(&text) => None,
            Ok(Some(other)) => Some(wanted(&format!("a value such as {}", parts::short(&other)))),
            Err(reason) => Some(reason),
        }
    }

    /// The value in the sample state; none if it depends on what a state has.
    fn tried(&self, variables: &Map<String, serde_json::Value>) -> Result<Option<Value>, String> {
        let Ok(context) = context(variables, &state()) else {
            return Ok(None);
        };
        if let Some(reason) = first_mistake(&self.expression, &context) {
            return Err(reason);
        }
        Ok(Value::resolve(&self.expression, &context).ok())
    }
}

/// The mistake of the smallest part that has one. Each part is tried by itself, because `&&` and
/// `||` look at their second operand only when they must.
fn first_mistake(expression: &Expression, context: &cel::Context<'_, '_>) -> Option<String> {
    let inner = super::children(&expression.expr);
    if let Some(reason) = inner
        .into_iter()
        .find_map(|part| first_mistake(part, context))
    {
        return Some(reason);
    }
    let error = Value::resolve(expression, context).err()?;
    match error {
        // The keys of these come from mails, profiles and accounts.
        ExecutionError::NoSuchKey(_) if open_ended(expression) => None,
        ExecutionError::NoSuchKey(key) => Some(format!("there is no `{key}`")),
        ExecutionError::NoSuchOverload(_)
        | ExecutionError::UnexpectedType { .. }
        | ExecutionError::UnsupportedBinaryOperator(..)
        | ExecutionError::UnsupportedTargetType { .. }
        | ExecutionError::NotSupportedAsMethod { .. }
        | ExecutionError::ValuesNotComparable(..)
        | ExecutionError::UnsupportedIndex(..)
        | ExecutionError::InvalidArgumentCount { .. }
        | ExecutionError::MissingArgumentOrTarget => Some(error.to_string()),
        ExecutionError::FunctionError { function, message }
            if matches!(function.as_str(), "matches" | "saw" | "header") =>
        {
            let message = message.lines().last().unwrap_or_default();
            Some(format!(
                "`{function}`: {}",
                message.trim_start_matches("error: ")
            ))
        }
        // The rest depends on values: an index, a division, a text that is no number.
        _ => None,
    }
}

/// Whether something in it has keys that nobody can know beforehand.
fn open_ended(expression: &Expression) -> bool {
    let mut open = false;
    super::visit(expression, &mut Vec::new(), &mut |part, _| {
        open |= match part {
            Expr::Ident(name) => name == "files",
            Expr::Select(select) => matches!(select.field.as_str(), "headers" | "mailboxes"),
            _ => false,
        };
    });
    open
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("smtp.sessions[0].quit && smtp.sessions[1].closed_by == 'client'", "")]
    #[case("smtp.delivered[9].size == 1", "")]
    #[case("smtp.delivered[0].headers['x-none'] == 'x'", "")]
    #[case("pop3.mailboxes.alice.size() == 1", "")]
    #[case("files['C:/none'].size == 1", "")]
    #[case("smtp.delivered.all(m, files['C:/' + m.body].size == m.size)", "")]
    #[case("smtp.sesions.size() == 1", "there is no `sesions`")]
    #[case(
        "false && pop3.sessions[0].retreived.size() == 1",
        "there is no `retreived`"
    )]
    #[case("smtp.sessions.all(s, s.qiut)", "there is no `qiut`")]
    #[case(
        "smtp.sessions[0].closed",
        "this is a value such as 0.4, neither true nor false"
    )]
    #[case("smtp.delivered[0].body.matches('(')", "`matches`: ")]
    #[case("smtp.delivered.saw('MAIL')", "`saw`: this is no session")]
    #[case("smtp.sessions[0].user > 1", "found no matching overload for ")]
    fn trials(#[case] source: &str, #[case] reason: &str) {
        let variables = json!({ "files": {} });
        let found = Check::compile(source)
            .unwrap()
            .trial(variables.as_object().unwrap());
        let found = found.unwrap_or_default();
        assert!(
            found.starts_with(reason) && found.is_empty() == reason.is_empty(),
            "{found}"
        );
    }
}
