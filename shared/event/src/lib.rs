//! Bytes to events: the [CloudEvents 1.0](https://github.com/cloudevents/spec) envelope, parsed once into types.
//!
//! Guarantees: bytes become an [`Event`] or a [`NoEvent`] that says every problem and whose record is quarantined whole;
//! no input panics; nothing here knows a clock or a network.

#![warn(clippy::wildcard_enum_match_arm)]

mod envelope;
mod json;
mod position;
mod quarantine;
mod subject;
mod time;
mod words;

pub use envelope::{Event, LARGEST_EVENT, MOST_HOPS, readdressed, replayed};
pub use json::json_value;
pub use position::{Position, SequenceNumber, ShardId};
pub use quarantine::{NoEvent, QuarantineReason, UnknownQuarantineReason};
pub use subject::{CustomerId, Subject, SubjectError};
pub use time::{NotATime, Time};
pub use words::{EventId, EventType, Source, WordError};
