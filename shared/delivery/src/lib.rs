//! What stands between a decision and a message: the queue's message, the gate before a send, the breaker before a
//! provider, how long to wait, and rendering.
//!
//! Guarantees: nothing here does I/O; the gate denies unless a newer consent allows; an error of a template names no value
//! of its customer.

#![warn(clippy::wildcard_enum_match_arm)]

mod bounds;
mod breaker;
mod filters;
mod gate;
mod message;
mod payload;
mod recipients;
mod render;
mod tags;
mod template;
mod wait;

pub use breaker::{Admission, Breaker, Change, Held, Permit, Sign};
pub use gate::{Circumstances, Gate, Suppression, SuppressionKind, gate};
pub use message::{Message, MessageError};
pub use payload::Payload;
pub use recipients::{Recipient, Recipients};
pub use render::{Context, RenderError, Rendered};
pub use tags::Tags;
pub use template::{Part, Sources, Template, TemplateProblem};
pub use wait::{Jitter, WaitCause, as_asked, back_off, bounded_wait};
