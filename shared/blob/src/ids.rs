//! Ids that are named by content.

use sha2::{Digest, Sha256};
use thiserror::Error;

/// SHA-256 over the fields, each behind its length in 8 bytes, big endian; so no two lists of fields give the same text.
#[must_use]
pub fn hash(fields: &[&[u8]]) -> [u8; 32] {
    let mut digest = Sha256::new();
    for field in fields {
        digest.update((field.len() as u64).to_be_bytes());
        digest.update(field);
    }
    digest.finalize().into()
}

/// A text that is no id of 32 lower-case hexadecimal digits.
#[derive(Debug, Error, Clone, Copy, PartialEq, Eq)]
#[error("no id of 32 lower-case hexadecimal digits")]
pub struct IdError;

/// Declares an id of 16 bytes that prints and parses as 32 lower-case hexadecimal digits.
#[macro_export]
macro_rules! id {
    ($(#[$meta:meta])* $name:ident) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; 16]);

        impl $name {
            /// The first half of a digest.
            #[must_use]
            pub fn from_digest(digest: [u8; 32]) -> Self {
                let mut first = [0; 16];
                first.copy_from_slice(digest.split_at(16).0);
                Self(first)
            }

            /// The id's bytes, for a stored record.
            #[must_use]
            pub fn bytes(self) -> [u8; 16] {
                self.0
            }

            /// An id that was stored.
            ///
            /// # Errors
            /// Bytes that are not 16.
            pub fn from_bytes(bytes: &[u8]) -> Result<Self, $crate::IdError> {
                bytes.try_into().map(Self).map_err(|_| $crate::IdError)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::IdError;

            fn from_str(text: &str) -> Result<Self, $crate::IdError> {
                let digits = text.as_bytes();
                if digits.len() != 32 || !digits.iter().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f')) {
                    return Err($crate::IdError);
                }
                u128::from_str_radix(text, 16).map(|number| Self(number.to_be_bytes())).map_err(|_| $crate::IdError)
            }
        }
    };
}

id!(
    /// Names an immutable item by what it holds: a template, a definition, a bundle.
    ContentHash
);

impl ContentHash {
    #[must_use]
    pub fn of(fields: &[&[u8]]) -> Self {
        Self::from_digest(hash(fields))
    }
}
