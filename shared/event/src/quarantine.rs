//! Why a record is put aside.

use std::fmt;

use thiserror::Error;

/// The cause for which a record goes whole into the quarantine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum QuarantineReason {
    /// Larger than [`crate::LARGEST_EVENT`].
    TooLarge,
    /// Written by the Kinesis Producer Library in its aggregated form.
    Aggregated,
    /// No JSON object.
    NotJson,
    /// An attribute that the envelope must have is absent.
    MissingField,
    /// An attribute has the wrong type or value.
    InvalidField,
    /// `time` is no RFC 3339 time.
    InvalidTime,
    /// `subject` is empty, a placeholder, or shaped like an address.
    InvalidSubject,
    /// The change of the profile that the event carries is malformed.
    InvalidProfile,
    /// Forwarded more than [`crate::MOST_HOPS`] times.
    TooManyHops,
    /// The customer's state would grow beyond its bounds.
    StateBounds,
    /// The record made the program panic.
    Panic,
    /// The record alone kept failing for 15 minutes.
    Stuck,
}

/// A code that stands for no reason.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
#[error("there is no such reason; there are: {}", QuarantineReason::ALL.map(QuarantineReason::code).join(", "))]
pub struct UnknownQuarantineReason;

impl QuarantineReason {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::TooLarge,
        Self::Aggregated,
        Self::NotJson,
        Self::MissingField,
        Self::InvalidField,
        Self::InvalidTime,
        Self::InvalidSubject,
        Self::InvalidProfile,
        Self::TooManyHops,
        Self::StateBounds,
        Self::Panic,
        Self::Stuck,
    ];

    /// The reason that a code stands for.
    ///
    /// # Errors
    /// No reason has this code.
    pub fn parse(code: &str) -> Result<Self, UnknownQuarantineReason> {
        Self::ALL.into_iter().find(|reason| reason.code() == code).ok_or(UnknownQuarantineReason)
    }

    /// The code in objects, logs and metrics.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::TooLarge => "too_large",
            Self::Aggregated => "aggregated",
            Self::NotJson => "not_json",
            Self::MissingField => "missing_field",
            Self::InvalidField => "invalid_field",
            Self::InvalidTime => "invalid_time",
            Self::InvalidSubject => "invalid_subject",
            Self::InvalidProfile => "invalid_profile",
            Self::TooManyHops => "too_many_hops",
            Self::StateBounds => "state_bounds",
            Self::Panic => "panic",
            Self::Stuck => "stuck",
        }
    }
}

impl fmt::Display for QuarantineReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// Why bytes are no event: the cause, and every problem in words. The words name fields, never their values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoEvent {
    pub reason: QuarantineReason,
    pub problems: Vec<String>,
}

impl NoEvent {
    #[must_use]
    pub fn new(reason: QuarantineReason, problem: impl Into<String>) -> Self {
        Self { reason, problems: vec![problem.into()] }
    }
}

impl fmt::Display for NoEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.reason, self.problems.join("; "))
    }
}
