//! The short texts of an envelope.

use std::fmt;

use thiserror::Error;

/// Why a text cannot be an id, a source or a type.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum WordError {
    #[error("is empty")]
    Empty,
    #[error("is longer than {0} bytes")]
    TooLong(usize),
    #[error("has a control character")]
    ControlCharacter,
}

fn check(text: &str, longest: usize) -> Result<(), WordError> {
    if text.is_empty() {
        Err(WordError::Empty)
    } else if text.len() > longest {
        Err(WordError::TooLong(longest))
    } else if text.chars().any(char::is_control) {
        Err(WordError::ControlCharacter)
    } else {
        Ok(())
    }
}

macro_rules! word {
    ($(#[$meta:meta])* $name:ident, $longest:literal) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// # Errors
            /// An empty text, one that is too long, one with control characters.
            pub fn parse(text: &str) -> Result<Self, WordError> {
                check(text, $longest)?;
                Ok(Self(text.to_owned()))
            }

            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

word!(
    /// The producer's id of an event, unique within its source; up to 1,024 bytes.
    EventId,
    1024
);
word!(
    /// Who produced an event, a URI reference such as `/shop/checkout`; up to 1,024 bytes.
    Source,
    1024
);
word!(
    /// What happened, in the past tense, such as `cart.updated`; up to 128 bytes.
    EventType,
    128
);
