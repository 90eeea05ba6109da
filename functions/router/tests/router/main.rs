//! The router's `handle` over the stores, queue and stream of a local AWS: what it does when all goes well, when a
//! batch comes again, and when a part of its world fails.

#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "a helper that fails is a test that fails")]

#[path = "../../../../tests/tests/local/faults.rs"]
mod faults;
#[path = "../../../../tests/tests/local/mod.rs"]
mod local;

mod failures;
mod records;
mod redelivery;
mod world;
