//! The vocabulary of what was decided: ids that are named by content, decisions, reasons, outcomes, and the form in
//! which all of it is stored.
//!
//! Guarantee: the same customer, trigger, beginning event, step and channel give the same [`DeliveryId`], whatever the
//! trigger's version, the attempt, or the program that computes it.

#![warn(clippy::wildcard_enum_match_arm)]

mod decided;
mod feedback;
mod ids;
mod outcome;
mod reason;
mod recorded;

pub use decided::{Decided, Decision, Deliver, Remember, Verdict};
pub use feedback::FeedbackKind;
pub use ids::{DeliveryId, EventKey, RunId};
pub use outcome::Outcome;
pub use reason::{Reason, UnknownReason};
pub use recorded::{ENGINE, Recorded, RecordedError};
