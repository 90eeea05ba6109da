//! The sender's `handle` over the stores, queue and stream of a local AWS, with a provider that answers as it is told.

#![expect(clippy::expect_used, reason = "a helper that fails is a test that fails")]

#[path = "../../../../tests/tests/local/faults.rs"]
mod faults;
#[path = "../../../../tests/tests/local/mod.rs"]
mod local;

mod attempts;
mod gate;
mod outage;
mod profile;
mod provider;
mod virtual_queue;
mod world;
