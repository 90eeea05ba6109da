//! Decides for every event on the stream.
//!
//! Guarantees, under retries and redeliveries in any order: every record ends in the archive, in the quarantine, or put
//! again under its right key; every decision that is recorded has its effects; one customer's records take effect in
//! their order. The customer's state is written last and is the commit: all before it is harmless to repeat.

mod batch;
mod effects;
mod lane;
mod router;

pub use router::Router;
