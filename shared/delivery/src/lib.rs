//! What stands between a decision and a message: the queue's message, the gate before a send, and rendering.
//!
//! Guarantees: nothing here does I/O; the gate denies unless a newer consent allows; an error of a template names no value
//! of its customer.

#![warn(clippy::wildcard_enum_match_arm)]

mod bounds;
mod filters;
mod gate;
mod message;
mod payload;
mod recipients;
mod render;
mod template;

pub use gate::{Circumstances, Gate, Suppression, SuppressionKind, WaitCause, back_off, gate};
pub use message::{Message, MessageError};
pub use payload::Payload;
pub use recipients::{Recipient, Recipients};
pub use render::{Context, RenderError, Rendered};
pub use template::{Part, Sources, Template, TemplateProblem};
