//! Checks: the expressions of `=` lines.
//!
//! The Common Expression Language through the crate `cel`, with three helpers of our own. It has
//! no loops but those over lists that exist, and no side effects; nesting, length and size of
//! results are bounded here, so an expression cannot run for long.

mod functions;
mod json;
mod parts;
pub mod sample;

use json::{from_cel, to_cel};

use cel::common::ast::Expr;
use cel::parser::{Expression, PrattParser};
use cel::{Context, Env, ExecutionError};
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock};
use thiserror::Error;

pub use functions::NAMES as FUNCTIONS;

/// No expression is longer than this.
pub const MAX_BYTES: usize = 64 << 10;

/// Loops over lists may stand this deep in each other.
const MAX_LOOPS: usize = 3;

/// No expression has more parts than this.
const MAX_NODES: usize = 800;

/// No expression has more signs than this. Each level of depth needs one, and the parser counts
/// only some of them, so this keeps every expression within the stack.
const MAX_SIGNS: usize = 800;

/// Parts may stand this deep in each other.
const MAX_DEPTH: usize = 64;

/// An expression that has been read.
#[derive(Debug)]
pub struct Check {
    expression: Expression,
}

/// What came of a check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Whether it was true.
    pub ok: bool,
    /// If it was not: its parts, each with its value, printed short.
    pub parts: Vec<(String, String)>,
}

/// Why an expression has no value.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CheckError {
    /// It is no expression.
    #[error("{message}")]
    Syntax {
        /// Byte offset in the expression.
        offset: usize,
        /// What is wrong there.
        message: String,
    },
    /// It is too long, or its loops are too deep.
    #[error("this expression is too big: {0}")]
    TooBig(&'static str),
    /// It cannot be evaluated.
    #[error("{0}")]
    Evaluation(String),
    /// It is neither true nor false.
    #[error("this is {0}, neither true nor false")]
    NotBoolean(String),
}

impl Check {
    /// Reads an expression.
    ///
    /// # Errors
    /// If it is none, or is over the limits.
    pub fn compile(source: &str) -> Result<Self, CheckError> {
        if source.len() > MAX_BYTES {
            return Err(CheckError::TooBig("it is longer than 64 KiB"));
        }
        if source.bytes().filter(u8::is_ascii_punctuation).count() > MAX_SIGNS {
            return Err(CheckError::TooBig("it has more than 800 signs"));
        }
        let parser = PrattParser::new()
            .max_recursion_depth(48)
            .max_expression_node_count(MAX_NODES);
        let expression = parser
            .parse(source)
            .map_err(|errors| syntax(source, &errors))?;
        if depth(&expression) > MAX_DEPTH {
            return Err(CheckError::TooBig(
                "its parts stand more than 64 deep in each other",
            ));
        }
        if loops(&expression) > MAX_LOOPS {
            return Err(CheckError::TooBig(
                "its loops stand more than 3 deep in each other",
            ));
        }
        Ok(Self { expression })
    }

    /// Evaluates a check.
    ///
    /// `variables` are the names besides `smtp` and `pop3`, which are those of `state`
    /// (`{"smtp": …, "pop3": …}`).
    ///
    /// # Errors
    /// If something that it uses does not exist or has the wrong type, or if the result is
    /// neither true nor false.
    pub fn evaluate(
        &self,
        variables: &Map<String, Value>,
        state: &Value,
    ) -> Result<Outcome, CheckError> {
        let context = context(variables, state)?;
        match resolve(&self.expression, &context)? {
            cel::Value::Bool(true) => Ok(Outcome {
                ok: true,
                parts: Vec::new(),
            }),
            cel::Value::Bool(false) => Ok(Outcome {
                ok: false,
                parts: parts::values(&self.expression, &context),
            }),
            other => Err(CheckError::NotBoolean(parts::short(&other))),
        }
    }

    /// The value of an expression, as JSON.
    ///
    /// # Errors
    /// If something that it uses does not exist or has the wrong type, or if JSON has no such
    /// value.
    pub fn value(
        &self,
        variables: &Map<String, Value>,
        state: &Value,
    ) -> Result<Value, CheckError> {
        let context = context(variables, state)?;
        from_cel(&resolve(&self.expression, &context)?)
    }

    /// Evaluates an expression over numbers.
    ///
    /// # Errors
    /// What is wrong with it, as a phrase.
    pub fn integer(&self, variables: &Map<String, Value>) -> Result<i64, String> {
        let context = context(variables, &Value::Null).map_err(|error| error.to_string())?;
        match resolve(&self.expression, &context).map_err(|error| error.to_string())? {
            cel::Value::Int(number) => Ok(number),
            cel::Value::UInt(number) => {
                i64::try_from(number).map_err(|_| format!("{number} is too large"))
            }
            other => Err(format!("{} is no whole number", parts::short(&other))),
        }
    }

    /// The names that must come from outside, without those that its own loops define.
    pub fn variables(&self) -> BTreeSet<&str> {
        let mut names = BTreeSet::new();
        visit(
            &self.expression,
            &mut Vec::new(),
            &mut |expression, bound| {
                if let Expr::Ident(name) = expression
                    && !bound.contains(&name.as_str())
                    && !name.starts_with('@')
                {
                    names.insert(name.as_str());
                }
            },
        );
        names
    }

    /// The functions and methods that it calls, without operators.
    pub fn functions(&self) -> BTreeSet<&str> {
        let mut names = BTreeSet::new();
        visit(&self.expression, &mut Vec::new(), &mut |expression, _| {
            if let Expr::Call(call) = expression
                && call
                    .func_name
                    .starts_with(|c: char| c.is_ascii_alphabetic())
            {
                names.insert(call.func_name.as_str());
            }
        });
        names
    }
}

/// All words of a text that could be variables; for finding what depends on what before any of
/// it can be read.
pub fn identifiers(source: &str) -> impl Iterator<Item = String> {
    source
        .split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
        .filter(|word| word.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_'))
        .map(str::to_owned)
}

static ENVIRONMENT: LazyLock<Arc<Env>> = LazyLock::new(|| {
    let mut environment = Env::stdlib();
    // Fails only if an overload of the same name exists already; then the standard one stays.
    let _ = environment.add_extension(cel::extensions::strings);
    Arc::new(environment)
});

fn context<'v>(
    variables: &Map<String, Value>,
    state: &Value,
) -> Result<Context<'static, 'v>, CheckError> {
    let evaluation = |error: &dyn std::fmt::Display| CheckError::Evaluation(error.to_string());
    let mut context = Context::with_env(Arc::clone(&ENVIRONMENT));
    functions::add(&mut context).map_err(|error| evaluation(&error))?;
    let state = state.as_object();
    for (name, value) in variables.iter().chain(state.into_iter().flatten()) {
        context.add_variable_from_value(name.as_str(), to_cel(value));
    }
    Ok(context)
}

fn resolve(expression: &Expression, context: &Context<'_, '_>) -> Result<cel::Value, CheckError> {
    cel::Value::resolve(expression, context).map_err(|error| match error {
        ExecutionError::NoSuchKey(key) => CheckError::Evaluation(format!("there is no `{key}`")),
        ExecutionError::UndeclaredReference(name) => {
            CheckError::Evaluation(format!("there is no `{name}`"))
        }
        ExecutionError::IndexOutOfBounds(index) => {
            CheckError::Evaluation(format!("there is no element {}", parts::short(&index)))
        }
        other => CheckError::Evaluation(other.to_string()),
    })
}

/// The first error with its offset; the parser counts lines and columns from 1.
fn syntax(source: &str, errors: &cel::ParseErrors) -> CheckError {
    let Some(first) = errors.errors.first() else {
        return CheckError::Syntax {
            offset: 0,
            message: "this is no expression".to_owned(),
        };
    };
    let column = usize::try_from(first.pos.1).unwrap_or(1).saturating_sub(1);
    let offset = column.min(source.len());
    let rest = source.get(offset..).unwrap_or_default();
    let message = match rest.starts_with('=') && !rest.starts_with("==") {
        true => "one `=` does not compare; write `==`".to_owned(),
        false => first
            .msg
            .trim_start_matches("Syntax error: ")
            .replace("'<EOF>'", "the end")
            .replace("<EOF>", "the end"),
    };
    CheckError::Syntax { offset, message }
}

/// How deep parts stand in each other.
fn depth(expression: &Expression) -> usize {
    let inner = match &expression.expr {
        Expr::Comprehension(each) => depth(&each.iter_range).max(depth(&each.loop_step)),
        other => children(other).into_iter().map(depth).max().unwrap_or(0),
    };
    1 + inner
}

/// How deep loops stand in each other.
fn loops(expression: &Expression) -> usize {
    match &expression.expr {
        Expr::Comprehension(each) => {
            1 + loops(&each.iter_range)
                .max(loops(&each.loop_step))
                .max(loops(&each.result))
        }
        other => children(other).into_iter().map(loops).max().unwrap_or(0),
    }
}

/// Calls `see` for each part, with the names that loops around it define.
fn visit<'e>(
    expression: &'e Expression,
    bound: &mut Vec<&'e str>,
    see: &mut impl FnMut(&'e Expr, &[&'e str]),
) {
    see(&expression.expr, bound);
    let depth = bound.len();
    if let Expr::Comprehension(each) = &expression.expr {
        visit(&each.iter_range, bound, see);
        visit(&each.accu_init, bound, see);
        bound.push(&each.iter_var);
        bound.extend(each.iter_var2.as_deref());
        bound.push(&each.accu_var);
        visit(&each.loop_cond, bound, see);
        visit(&each.loop_step, bound, see);
        visit(&each.result, bound, see);
        bound.truncate(depth);
        return;
    }
    for child in children(&expression.expr) {
        visit(child, bound, see);
    }
}

/// The direct parts of an expression; those of a loop are its range only.
fn children(expression: &Expr) -> Vec<&Expression> {
    match expression {
        Expr::Call(call) => call
            .target
            .as_deref()
            .into_iter()
            .chain(&call.args)
            .collect(),
        Expr::Select(select) => vec![&select.operand],
        Expr::List(list) => list.elements.iter().collect(),
        Expr::Comprehension(each) => vec![&each.iter_range],
        Expr::Map(map) => map
            .entries
            .iter()
            .flat_map(|one| entry_parts(&one.expr))
            .collect(),
        Expr::Struct(made) => made
            .entries
            .iter()
            .flat_map(|one| entry_parts(&one.expr))
            .collect(),
        Expr::Unspecified | Expr::Ident(_) | Expr::Literal(_) => Vec::new(),
    }
}

fn entry_parts(entry: &cel::common::ast::EntryExpr) -> Vec<&Expression> {
    use cel::common::ast::EntryExpr;
    match entry {
        EntryExpr::StructField(field) => vec![&field.value],
        EntryExpr::MapEntry(entry) => vec![&entry.key, &entry.value],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    fn state() -> Value {
        json!({
            "smtp": {
                "sessions": [
                    {"user": "alice", "commands": ["EHLO module", "AUTH PLAIN", "QUIT"], "quit": true},
                ],
                "delivered": [
                    {"from": "a@b", "headers": [["Subject", "First"], ["To", "x"]], "size": 120},
                ],
            },
            "pop3": {"sessions": [], "mailbox": [1, 2]},
        })
    }

    fn evaluate(source: &str) -> Result<Outcome, CheckError> {
        let variables = json!({
            "count": 2, "name": "First", "limits": {"subject": 512}, "timers": {"smtp": 30.0},
            "files": {"C:/a.txt": {"size": 120}}, "first": "C:/a.txt",
        });
        Check::compile(source)?.evaluate(variables.as_object().unwrap(), &state())
    }

    #[rstest]
    #[case("smtp.sessions.size() == 1")]
    #[case("smtp.sessions[0].saw('ehlo')")]
    #[case("!smtp.sessions[0].saw('MAIL FROM')")]
    #[case("smtp.sessions.all(s, s.saw('QUIT') && s.quit)")]
    #[case("smtp.delivered[0].header('subject') == name")]
    #[case("smtp.delivered[0].header('X-None') == ''")]
    #[case("smtp.delivered[0].size == files[first].size")]
    #[case("name.matches('^F.r')")]
    #[case("fill(limits.subject).size() == 512")]
    #[case("count + 1 == pop3.mailbox.size() + 1")]
    #[case("timers.smtp > 29.0 && timers.smtp <= 30.0")]
    #[case("timers.smtp > 29")]
    #[case("' x '.trim().lowerAscii() in ['x']")]
    #[case("has(smtp.sessions[0].user) && !has(smtp.sessions[0].tls)")]
    fn true_checks(#[case] source: &str) {
        assert_eq!(
            evaluate(source),
            Ok(Outcome {
                ok: true,
                parts: Vec::new()
            })
        );
    }

    #[test]
    fn a_false_check_shows_the_values_of_its_parts() {
        let outcome = evaluate(
            "smtp.sessions.size() == count && (smtp.delivered[0].header('Subject') == 'Second' \
             || smtp.sessions.exists(s, s.user == 'bob'))",
        )
        .unwrap();
        assert!(!outcome.ok);
        let shown: Vec<String> = outcome
            .parts
            .iter()
            .map(|(part, value)| format!("{part} = {value}"))
            .collect();
        insta::assert_snapshot!(shown.join("\n"), @r#"
        smtp.sessions.size() = 1
        smtp.sessions = [{commands: ["EHLO module", "AUTH PLAIN", "QUIT"], quit: true, user: "alice"}]
        count = 2
        smtp.delivered[0].header("Subject") = "First"
        smtp.delivered[0] = {from: "a@b", headers: [["Subject", "First"], ["To", "x"]], size: 120}
        smtp.sessions.(for each s: …) = false
        "#);
    }

    #[rstest]
    #[case("smtp.sesions.size() == 1", "there is no `sesions`")]
    #[case("smtp.sessions[3].quit", "there is no element 3")]
    #[case("nothing == 1", "there is no `nothing`")]
    #[case("count", "this is 2, neither true nor false")]
    #[case("count == ", "")]
    fn checks_without_a_value(#[case] source: &str, #[case] message: &str) {
        let error = evaluate(source).unwrap_err().to_string();
        assert!(error.contains(message), "{error}");
    }

    #[test]
    fn a_syntax_error_has_its_offset() {
        let error = Check::compile("count == == 2").unwrap_err();
        assert!(
            matches!(error, CheckError::Syntax { offset: 9, .. }),
            "{error:?}"
        );
    }

    #[test]
    fn names_of_loops_do_not_come_from_outside() {
        let check = Check::compile("a.all(x, x == b && c.exists(y, y == x)) && y").unwrap();
        assert_eq!(
            check.variables().into_iter().collect::<Vec<_>>(),
            ["a", "b", "c", "y"]
        );
    }

    #[rstest]
    #[case("(", "1", ")")]
    #[case("[", "1", "]")]
    #[case("!", "a", "")]
    #[case("-", "a", "")]
    #[case("a ? ", "b", " : c")]
    #[case("a.f(", "b", ")")]
    #[case("", "a", ".b")]
    #[case("", "a", "[0]")]
    #[case("a && ", "b", "")]
    #[case("{1: ", "b", "}")]
    fn depth_does_not_end_the_program(
        #[case] open: &str,
        #[case] inner: &str,
        #[case] close: &str,
    ) {
        for times in [200, 400, 799, 20_000] {
            let deep = open.repeat(times) + inner + &close.repeat(times);
            let outcome =
                Check::compile(&deep).and_then(|check| check.evaluate(&Map::new(), &Value::Null));
            // What was not refused is without a value, because nothing is called so.
            assert!(outcome.is_err(), "{times}");
        }
    }

    #[test]
    fn deep_or_long_expressions_are_refused() {
        assert!(Check::compile(&"1+".repeat(40_000)).is_err());
        let nested = "a.all(b, a.all(c, a.all(d, a.all(e, true))))";
        assert_eq!(
            Check::compile(nested).map(|_| ()),
            Err(CheckError::TooBig(
                "its loops stand more than 3 deep in each other"
            ))
        );
    }
}
