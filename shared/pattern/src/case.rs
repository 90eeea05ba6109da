//! Cases of conformance: a pattern, an event, and what a matcher ought to say.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

use crate::{Json, Pattern};

/// One line of a file of cases.
///
/// `{"name": …, "pattern" | "pattern_text": …, "event" | "event_text": …, "match"?: bool, "error"?: bool}`: a pattern or an
/// event stands there as JSON, whose exact text counts, or as a string that holds its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// What the case is called.
    pub name: String,
    /// The text of the pattern.
    pub pattern: String,
    /// The text of the event.
    pub event: String,
    /// What the case says about itself, if anything.
    pub expected: Option<Expected>,
}

/// What a case says about itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// The event matches, or does not.
    Match(bool),
    /// The pattern is refused.
    Error,
}

/// What the matcher says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The event matches, or does not.
    Match(bool),
    /// The pattern is invalid: its problems, joined by semicolons.
    Invalid(String),
    /// The pattern is valid, and the event is no JSON object.
    NotAnEvent(String),
}

impl Verdict {
    /// Whether the verdict is the expected one. Any refusal is the expected error.
    pub fn meets(&self, expected: Expected) -> bool {
        match (self, expected) {
            (Verdict::Match(said), Expected::Match(known)) => *said == known,
            (Verdict::Invalid(_) | Verdict::NotAnEvent(_), Expected::Error) => true,
            (Verdict::Match(_), Expected::Error) | (Verdict::Invalid(_) | Verdict::NotAnEvent(_), Expected::Match(_)) => false,
        }
    }
}

/// A line that is not a case.
#[derive(Debug, thiserror::Error)]
pub enum CaseError {
    /// The line is not JSON of the right form.
    #[error("not a case")]
    Line(#[source] serde_json::Error),
    /// The case lacks a pattern or an event, or has two.
    #[error("a case has exactly one of \"{0}\" and \"{0}_text\"")]
    OneOf(&'static str),
}

#[derive(Deserialize)]
struct Line<'a> {
    name: String,
    #[serde(borrow, default, deserialize_with = "even_null")]
    pattern: Option<&'a RawValue>,
    pattern_text: Option<String>,
    #[serde(borrow, default, deserialize_with = "even_null")]
    event: Option<&'a RawValue>,
    event_text: Option<String>,
    r#match: Option<bool>,
    error: Option<bool>,
}

/// Keeps a value that is there, `null` included.
fn even_null<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

impl Case {
    /// Reads one line.
    ///
    /// Fails if it is not JSON, or lacks what a case needs. Whether pattern and event are valid is not looked at.
    pub fn parse(line: &str) -> Result<Case, CaseError> {
        let line: Line<'_> = serde_json::from_str(line).map_err(CaseError::Line)?;
        let expected = match (line.r#match, line.error) {
            (_, Some(true)) => Some(Expected::Error),
            (Some(matches), _) => Some(Expected::Match(matches)),
            (None, _) => None,
        };
        Ok(Case {
            name: line.name,
            pattern: one_of("pattern", line.pattern, line.pattern_text)?,
            event: one_of("event", line.event, line.event_text)?,
            expected,
        })
    }

    /// Asks the matcher.
    pub fn run(&self) -> Verdict {
        let pattern = match Pattern::parse(&self.pattern) {
            Ok(pattern) => pattern,
            Err(problems) => {
                let shown: Vec<String> = problems.iter().map(ToString::to_string).collect();
                return Verdict::Invalid(shown.join("; "));
            }
        };
        match Json::parse(&self.event) {
            Ok(event @ Json::Object(_)) => Verdict::Match(pattern.matches(&event)),
            Ok(Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) | Json::Array(_)) => {
                Verdict::NotAnEvent("an event is an object: put the fields into one".to_owned())
            }
            Err(error) => Verdict::NotAnEvent(format!("the event is not JSON: {error}")),
        }
    }
}

fn one_of(name: &'static str, json: Option<&RawValue>, text: Option<String>) -> Result<String, CaseError> {
    match (json, text) {
        (Some(json), None) => Ok(json.get().to_owned()),
        (None, Some(text)) => Ok(text),
        (None, None) | (Some(_), Some(_)) => Err(CaseError::OneOf(name)),
    }
}

#[derive(Serialize)]
struct Answer<'a> {
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    r#match: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// Answers one line with one line of JSON: `{"name":…,"match":true|false}`, or `{"name":…,"error":"…"}` for an invalid pattern
/// and for an event that is no JSON object. A line that is no case has the name `null`.
pub fn answer(line: &str) -> String {
    let case = Case::parse(line);
    let (name, verdict) = match &case {
        Ok(case) => (Some(case.name.as_str()), case.run()),
        Err(error @ CaseError::OneOf(_)) => (None, Verdict::Invalid(error.to_string())),
        Err(error @ CaseError::Line(cause)) => (None, Verdict::Invalid(format!("{error}: {cause}"))),
    };
    let (matches, error) = match verdict {
        Verdict::Match(matches) => (Some(matches), None),
        Verdict::Invalid(error) | Verdict::NotAnEvent(error) => (None, Some(error)),
    };
    let answer = Answer { name, r#match: matches, error };
    // Strings and a flag always serialize.
    serde_json::to_string(&answer).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_one_line_of_json() {
        let answered = |line: &str| answer(line);
        assert_eq!(answered(r#"{"name":"a","pattern":{"a":[1e400]},"event_text":"{\"a\":1e400}"}"#), r#"{"name":"a","match":true}"#);
        assert_eq!(
            answered(r#"{"name":"b\n","pattern":null,"event":{}}"#),
            r#"{"name":"b\n","error":"(pattern): a pattern is an object: put the fields into one"}"#
        );
        assert_eq!(
            answered(r#"{"name":"c","pattern":{"a":[1]},"event_text":"{"}"#),
            r#"{"name":"c","error":"the event is not JSON: EOF while parsing an object at line 1 column 1"}"#
        );
        assert_eq!(answered("{\"name\":\"d\"}"), r#"{"name":null,"error":"a case has exactly one of \"pattern\" and \"pattern_text\""}"#);
    }
}
