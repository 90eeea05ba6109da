//! What is promised of a customer's state, seen from outside.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a helper of a test may fail the test")]

mod decide;
mod history;
mod laws;
mod profile;
mod seen;
mod support;
