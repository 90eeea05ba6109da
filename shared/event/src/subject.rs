//! Whom an event is about.

use std::fmt;

use thiserror::Error;

const LONGEST: usize = 256;

/// What programs write where they do not know the customer.
const PLACEHOLDERS: [&str; 13] = [
    "null",
    "undefined",
    "guest",
    "0",
    "none",
    "nil",
    "nan",
    "anonymous",
    "unknown",
    "(null)",
    "(none)",
    "[object object]",
    "00000000-0000-0000-0000-000000000000",
];

/// The opaque id of a customer: 1 to 256 bytes, compared as bytes; no placeholder, email address or phone number.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CustomerId(String);

impl CustomerId {
    /// A customer that was stored or sent by this system.
    ///
    /// # Errors
    /// As [`Subject::parse`], and for a subject that is no customer.
    pub fn parse(text: &str) -> Result<Self, SubjectError> {
        match Subject::parse(text)? {
            Subject::Customer(customer) => Ok(customer),
            Subject::Entity { .. } => Err(SubjectError::NotACustomer),
        }
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for CustomerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A customer, or something else that customers have to do with (`product:4711`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    Customer(CustomerId),
    Entity { kind: String, subject: String },
}

/// Why a text names nobody.
#[derive(Debug, Error, Clone, Copy, PartialEq, Eq)]
pub enum SubjectError {
    #[error("subject is empty; it must be the customer's id")]
    Empty,
    #[error("subject is longer than {LONGEST} bytes")]
    TooLong,
    #[error("subject has a control character")]
    ControlCharacter,
    #[error("subject is a placeholder such as null, undefined or guest; leave the event out or send the customer's id")]
    Placeholder,
    #[error("subject is shaped like an email address; send an opaque id, and the address as data.customer.email")]
    EmailAddress,
    #[error("subject is shaped like a phone number; send an opaque id, and the number as data.customer.phone")]
    PhoneNumber,
    #[error("subject names another kind of thing than a customer")]
    NotACustomer,
}

impl Subject {
    /// # Errors
    /// A subject that is empty, too long, a placeholder, or shaped like an address: see [`SubjectError`].
    pub fn parse(text: &str) -> Result<Self, SubjectError> {
        let trimmed = text.trim();
        if trimmed.is_empty() {
            return Err(SubjectError::Empty);
        }
        if text.len() > LONGEST {
            return Err(SubjectError::TooLong);
        }
        if text.chars().any(char::is_control) {
            return Err(SubjectError::ControlCharacter);
        }
        if PLACEHOLDERS.iter().any(|placeholder| trimmed.eq_ignore_ascii_case(placeholder)) {
            return Err(SubjectError::Placeholder);
        }
        if is_email_shaped(text) {
            return Err(SubjectError::EmailAddress);
        }
        if is_phone_shaped(trimmed) {
            return Err(SubjectError::PhoneNumber);
        }
        match text.split_once(':') {
            Some((kind, id)) if is_kind(kind) && !id.is_empty() && kind != "customer" => {
                Ok(Self::Entity { kind: kind.to_owned(), subject: text.to_owned() })
            }
            _ => Ok(Self::Customer(CustomerId(text.to_owned()))),
        }
    }

    /// The text as it stood in the envelope: the partition key of the stream.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Customer(customer) => customer.as_str(),
            Self::Entity { subject, .. } => subject,
        }
    }
}

/// An `@` between characters that are not blank.
fn is_email_shaped(text: &str) -> bool {
    text.match_indices('@').any(|(at, _)| {
        let before = text.get(..at).and_then(|part| part.chars().next_back());
        let after = text.get(at + 1..).and_then(|part| part.chars().next());
        before.is_some_and(|c| !c.is_whitespace()) && after.is_some_and(|c| !c.is_whitespace())
    })
}

/// `+` and 8 to 15 digits.
fn is_phone_shaped(text: &str) -> bool {
    text.strip_prefix('+').is_some_and(|digits| (8..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit()))
}

fn is_kind(text: &str) -> bool {
    let mut bytes = text.bytes();
    bytes.next().is_some_and(|byte| byte.is_ascii_lowercase())
        && bytes.all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opaque_ids_are_customers() {
        for id in ["c-1001", "42", "auth0|5f7c", "Ünïcode", "0001", "+49", "@handle", "urn", "a b", "customer:7", "+123456789012345678"] {
            assert!(matches!(Subject::parse(id), Ok(Subject::Customer(customer)) if customer.as_str() == id), "{id}");
        }
    }

    #[test]
    fn other_kinds_are_no_customers() {
        assert_eq!(Subject::parse("product:4711"), Ok(Subject::Entity { kind: "product".into(), subject: "product:4711".into() }));
        assert_eq!(CustomerId::parse("product:4711"), Err(SubjectError::NotACustomer));
    }

    #[test]
    fn what_names_nobody_is_refused() {
        for (text, error) in [
            ("", SubjectError::Empty),
            ("  ", SubjectError::Empty),
            ("null", SubjectError::Placeholder),
            ("Undefined", SubjectError::Placeholder),
            (" guest ", SubjectError::Placeholder),
            ("0", SubjectError::Placeholder),
            ("ana@example.com", SubjectError::EmailAddress),
            ("Ana <ana@example.com>", SubjectError::EmailAddress),
            ("+4915112345678", SubjectError::PhoneNumber),
            ("a\nb", SubjectError::ControlCharacter),
        ] {
            assert_eq!(Subject::parse(text), Err(error), "{text:?}");
        }
        assert_eq!(Subject::parse(&"x".repeat(257)), Err(SubjectError::TooLong));
    }
}
