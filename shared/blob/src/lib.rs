//! The format of every stored blob: a header that says how to read it, then a record of numbered fields.
//!
//! Guarantees: what one version wrote, every later version reads; a field that this version does not know is kept and
//! written back; the bytes carry room for encryption under a person's key without a change of format.

#![warn(clippy::wildcard_enum_match_arm)]

mod fields;
mod header;
mod ids;

pub use fields::{Bytes, Fields, Record, Unknown};
pub use header::{OpenError, open, seal};
pub use ids::{ContentHash, IdError, hash};

/// What the `record!` macro needs of the codec; not part of the interface.
#[doc(hidden)]
pub use minicbor;
