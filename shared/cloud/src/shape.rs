//! Reading the parameters of a call.

use serde_json::Value;

use crate::answer::Refusal;

/// A parameter that must be a text.
pub(crate) fn text<'a>(input: &'a Value, name: &str) -> Result<&'a str, Refusal> {
    optional_text(input, name).ok_or_else(|| Refusal::sender("ValidationException", format!("{name} is missing")))
}

pub(crate) fn optional_text<'a>(input: &'a Value, name: &str) -> Option<&'a str> {
    input.get(name).and_then(Value::as_str)
}

pub(crate) fn integer(input: &Value, name: &str) -> Option<i64> {
    input.get(name).and_then(Value::as_i64)
}

/// A parameter that is a list, empty where it is absent.
pub(crate) fn list<'a>(input: &'a Value, name: &str) -> &'a [Value] {
    input.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// Refuses a parameter that would change what the call means and is not done here.
pub(crate) fn without(input: &Value, names: &[&str]) -> Result<(), Refusal> {
    match names.iter().find(|name| input.get(**name).is_some_and(|value| !value.is_null())) {
        Some(name) => Err(Refusal::unknown(&format!("the parameter {name}"))),
        None => Ok(()),
    }
}
