//! Trigger definitions, checked.
//!
//! Text goes in, a [`Trigger`] or every problem of the text comes out. A trigger that exists is valid.
//! No I/O, no clock, no panic, whatever the text.

#![warn(clippy::wildcard_enum_match_arm)]

mod action;
mod canonical;
mod choice;
mod definition;
mod explain;
mod fields;
mod history;
mod mailbox;
mod manifest;
mod names;
mod parse;
mod phrase;
mod problem;
mod quantity;
mod scalar;
mod steps;
mod systems;
mod yaml;

pub use action::{Action, ContactKey, CrmAction, CrmEntry, EmailAction, MessageAction, SmsAction, WebhookAction};
pub use choice::{Channel, ChoiceError, Class, Mode, SendPolicy};
pub use definition::{Step, Trigger};
pub use explain::explain;
pub use history::{Claim, Fact, MOST_COUNTED, Span};
pub use mailbox::{Mailbox, MailboxError};
pub use manifest::{Entry, Manifest};
pub use names::{EndpointName, NameError, Purpose, SenderId, SenderIdError, StepId, TemplateName, TriggerName, Version, VersionError};
pub use parse::{from_definition, parse};
pub use problem::Problem;
pub use quantity::{Duration, DurationError, Priority, PriorityError, Rollout, RolloutError};

// What is stored of checked triggers, and what a router judges with.
mod bundle;
mod generation;
mod set;

pub use bundle::{Bundle, BundleEntry, BundleError, Exposure, Published};
pub use generation::{Generation, Head};
pub use set::TriggerSet;
