//! What can go wrong with a store, named by what to do next.

use aws_smithy_types::error::display::DisplayErrorContext;
use thiserror::Error;

/// An error of a store.
#[derive(Debug, Error)]
pub enum StoreError {
    /// Trying again can help.
    #[error(transparent)]
    Passing(#[from] Passing),
    /// Somebody else wrote first: what was read is old, read again.
    #[error("{what} was written by somebody else in the meantime")]
    Conflict { what: &'static str },
    /// What is stored cannot be read by this version.
    #[error("{what} cannot be read: {problem}")]
    Unreadable { what: &'static str, problem: String },
}

/// A call that failed and may succeed later: throttled, unreachable, timed out, refused by a service in trouble.
#[derive(Debug, Clone, Error)]
#[error("{what} failed: {cause}")]
pub struct Passing {
    what: &'static str,
    cause: String,
}

impl Passing {
    pub(crate) fn new(what: &'static str, error: &impl std::error::Error) -> Self {
        Self { what, cause: DisplayErrorContext(error).to_string() }
    }

    pub(crate) fn because(what: &'static str, cause: impl Into<String>) -> Self {
        Self { what, cause: cause.into() }
    }
}

impl StoreError {
    pub(crate) fn passing(what: &'static str, error: &impl std::error::Error) -> Self {
        Self::Passing(Passing::new(what, error))
    }

    pub(crate) fn unreadable(what: &'static str, problem: &impl ToString) -> Self {
        Self::Unreadable { what, problem: problem.to_string() }
    }
}
