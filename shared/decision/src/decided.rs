//! What `decide` says.

use event::Time;
use trigger::{Channel, TriggerName, Version};

use crate::{DeliveryId, Reason, RunId};

/// Everything that was decided about one input, and what it was decided with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decided {
    /// The time that conditions and validity were judged by.
    pub now: Time,
    /// The generation of the triggers that decided.
    pub generation: u64,
    /// The producer sent this event before: nothing is decided and nothing changes.
    pub repeat: bool,
    /// One decision for each trigger whose `on` and event pattern fit, and each of its steps.
    pub decisions: Vec<Decision>,
    /// What the customer's state is to remember of the event, because a trigger asks for its past.
    pub remember: Option<Remember>,
}

/// An event to be counted into the customer's history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Remember {
    /// How many of the last times a condition may ask for.
    pub depth: u32,
}

/// What one trigger, or one step of it, does about an input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    pub trigger: TriggerName,
    pub version: Version,
    pub run: RunId,
    /// The step's place: its id or position. A refusal of the trigger as a whole has none.
    pub step: Option<String>,
    pub verdict: Verdict,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    Deliver(Deliver),
    Refuse(Reason),
}

/// A delivery to enqueue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deliver {
    pub id: DeliveryId,
    pub channel: Channel,
    /// Not sent before this time; the beginning of 1970 for at once.
    pub not_before: Time,
    /// Not sent after this time, by any clock.
    pub not_after: Time,
}

impl Decided {
    /// The deliveries among the decisions.
    pub fn deliveries(&self) -> impl Iterator<Item = (&Decision, &Deliver)> {
        self.decisions.iter().filter_map(|decision| match &decision.verdict {
            Verdict::Deliver(deliver) => Some((decision, deliver)),
            Verdict::Refuse(_) => None,
        })
    }
}
