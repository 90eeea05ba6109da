//! A JSON text as it stands: numbers keep their text, objects keep their order and repeated keys.
//!
//! The grammar is `serde_json`'s: what it refuses is refused here, and what it accepts is accepted, numbers
//! too large for a double included. Nesting is bounded, so that no text can exhaust the stack.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

/// Nesting at which a text is refused.
pub(crate) const MAX_DEPTH: usize = 128;

/// A JSON value that has lost nothing of its text but white space and escapes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Json {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number as it was written: `300`, `300.0` and `3e2` stay apart.
    Number(String),
    /// A string, unescaped.
    String(String),
    /// An array.
    Array(Vec<Json>),
    /// The members in their order; a key may stand more than once.
    Object(Vec<(String, Json)>),
}

impl Json {
    /// Reads a whole text.
    ///
    /// Fails where the text is not JSON or nests 128 levels or deeper; never panics.
    pub fn parse(text: &str) -> Result<Json, JsonError> {
        let raw: &RawValue = serde_json::from_str(text).map_err(|error| JsonError::new(text, text, &error))?;
        read(text, raw.get(), 0)
    }
}

/// Reads one value whose outline is known to be JSON. `text` is the whole text, for the position of an error.
fn read(text: &str, value: &str, depth: usize) -> Result<Json, JsonError> {
    let failed = |error: serde_json::Error| JsonError::new(text, value, &error);
    let nested = depth + 1;
    match value.as_bytes().first() {
        Some(b'{' | b'[') if nested >= MAX_DEPTH => Err(JsonError::too_deep(text, value)),
        Some(b'{') => {
            let Members(members) = serde_json::from_str(value).map_err(failed)?;
            let members =
                members.into_iter().map(|(key, member)| Ok((key, read(text, member.get(), nested)?))).collect::<Result<_, _>>()?;
            Ok(Json::Object(members))
        }
        Some(b'[') => {
            let elements: Vec<&RawValue> = serde_json::from_str(value).map_err(failed)?;
            let elements = elements.into_iter().map(|element| read(text, element.get(), nested)).collect::<Result<_, _>>()?;
            Ok(Json::Array(elements))
        }
        Some(b'"') => serde_json::from_str(value).map(Json::String).map_err(failed),
        Some(b'n') => Ok(Json::Null),
        Some(b't') => Ok(Json::Bool(true)),
        Some(b'f') => Ok(Json::Bool(false)),
        Some(_) | None => Ok(Json::Number(value.to_owned())),
    }
}

/// The members of an object, none of them dropped.
struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;

        impl<'de> Visitor<'de> for Collect {
            type Value = Members<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(Collect)
    }
}

impl From<&Value> for Json {
    /// Takes over a parsed document. What the parser lost (number texts, repeated keys) stays lost.
    fn from(value: &Value) -> Json {
        match value {
            Value::Null => Json::Null,
            Value::Bool(flag) => Json::Bool(*flag),
            Value::Number(number) => Json::Number(number.to_string()),
            Value::String(text) => Json::String(text.clone()),
            Value::Array(elements) => Json::Array(elements.iter().map(Json::from).collect()),
            Value::Object(members) => Json::Object(members.iter().map(|(key, member)| (key.clone(), Json::from(member))).collect()),
        }
    }
}

/// Why a text is not JSON, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason} at line {line} column {column}")]
pub struct JsonError {
    reason: String,
    line: usize,
    column: usize,
}

impl JsonError {
    fn new(text: &str, part: &str, error: &serde_json::Error) -> JsonError {
        let (line, column) = position(text, part);
        let shown = error.to_string();
        let reason = shown.rsplit_once(" at line ").map_or(shown.as_str(), |(reason, _)| reason);
        JsonError {
            reason: reason.to_owned(),
            line: line + error.line().saturating_sub(1),
            // Columns count from the start of a line: only on the first line of the part do they add up.
            column: if error.line() <= 1 { column + error.column() } else { error.column() },
        }
    }

    fn too_deep(text: &str, part: &str) -> JsonError {
        let (line, column) = position(text, part);
        JsonError { reason: format!("nested too deep: fewer than {MAX_DEPTH} levels are allowed"), line, column: column + 1 }
    }
}

/// The line (from 1) of the start of a part of the text, and the bytes before it on that line.
fn position(text: &str, part: &str) -> (usize, usize) {
    let offset = (part.as_ptr() as usize).saturating_sub(text.as_ptr() as usize);
    let before = text.get(..offset).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().map_or(0, str::len);
    (line, column)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn number_texts_and_repeated_keys_survive() {
        let json = Json::parse(r#" {"a":3.0e2,"a":1e400} "#).unwrap();
        let number = |text: &str| Json::Number(text.to_owned());
        assert_eq!(json, Json::Object(vec![("a".to_owned(), number("3.0e2")), ("a".to_owned(), number("1e400")),]));
    }

    #[test]
    fn an_error_names_its_line_and_column() {
        let shown = |text: &str| Json::parse(text).unwrap_err().to_string();
        assert_eq!(shown("{\"a\":\n [1,]}"), "expected value at line 2 column 5");
        assert_eq!(shown("{\"a\":\n [\"\\ud83d\"]}"), "unexpected end of hex escape at line 2 column 10");
    }

    #[test]
    fn hostile_nesting_is_an_error() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(Json::parse(&nested(127)).is_ok());
        for depth in [128, 10_000] {
            let error = Json::parse(&nested(depth)).unwrap_err().to_string();
            assert!(error.starts_with("nested too deep"), "{error}");
        }
    }
}
