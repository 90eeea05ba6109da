//! The body of a message, to what it says.

use lambda::{LogsError, lines_of};
use serde_json::Value;
use thiserror::Error;

use crate::{Said, ses, text};

/// SES publishes this text when it is told of a topic, to see whether it may.
const GREETING: &str = "Successfully validated SNS topic";

/// What a message on the queue is.
#[derive(Debug, Clone, PartialEq)]
pub enum Payload {
    /// An event of a provider.
    Said(Box<Said>),
    /// Lines of a log that a function could not take, and that were put back by hand.
    Lines(Vec<String>),
    /// A text that says that the way is open.
    Greeting,
}

/// A body that this version cannot read. It is left to the queue, and ends among the dead letters. Nothing of what is in it
/// is said.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
pub enum Unreadable {
    #[error("the body is no JSON, as line {line} column {column} shows")]
    NotJson { line: usize, column: usize },
    #[error("the body is of a kind that this program does not know: no event of SES, no delivery status of a text message")]
    UnknownKind,
    #[error("an event of the kind {kind} has no valid {field}")]
    Field { kind: &'static str, field: &'static str },
    #[error(transparent)]
    Logs(#[from] LogsError),
}

impl Payload {
    /// Reads a body: as a provider wrote it, or in the envelope of SNS.
    ///
    /// # Errors
    /// See [`Unreadable`].
    pub fn parse(body: &str) -> Result<Self, Unreadable> {
        let Some(value) = json(body)? else { return Ok(Self::Greeting) };
        let field = |name: &str| value.get(name).and_then(Value::as_str);
        match (field("Type"), field("Message")) {
            (Some("Notification"), Some(message)) => json(message)?.map_or(Ok(Self::Greeting), |value| Self::of(&value)),
            _ => Self::of(&value),
        }
    }

    fn of(value: &Value) -> Result<Self, Unreadable> {
        // Where Lambda gave an invocation up, it keeps what the function was to be invoked with.
        if let Some(lines) = lines_of(value.get("requestPayload").unwrap_or(value))? {
            return Ok(Self::Lines(lines));
        }
        // The second name is that of an identity's own notifications, which are the same otherwise.
        let kind = value.get("eventType").or_else(|| value.get("notificationType")).and_then(Value::as_str);
        let said = match kind {
            Some(kind) if kind.starts_with("TEXT_") => text::of_end_user_messaging(value, kind)?,
            Some(kind) => ses::of(value, kind)?,
            None if value.get("notification").is_some() && value.get("delivery").is_some() => text::of_sns(value)?,
            None => return Err(Unreadable::UnknownKind),
        };
        Ok(Self::Said(Box::new(said)))
    }
}

/// The JSON that a text is; none where it is a greeting.
fn json(text: &str) -> Result<Option<Value>, Unreadable> {
    if text.trim_start().starts_with(GREETING) {
        return Ok(None);
    }
    event::json_value(text.as_bytes()).map(Some).map_err(|error| Unreadable::NotJson { line: error.line(), column: error.column() })
}
