//! The sample events: one for each type, all of one customer, with which `check` renders the templates.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result};
use customer::{Customer, Evolved, Input, decide, evolve};
use event::{CustomerId, Event, EventType, SequenceNumber, ShardId, Subject};
use serde_json::Value;
use trigger::{Problem, Trigger, TriggerSet};

use crate::project::problem;

/// What templates are rendered with.
#[derive(Default)]
pub struct Samples {
    events: BTreeMap<EventType, Event>,
    customer: Value,
}

impl Samples {
    /// Reads a folder of samples; what is wrong with one of them is a problem.
    ///
    /// # Errors
    /// A folder that cannot be read.
    pub fn read(folder: &Path, problems: &mut Vec<Problem>) -> Result<Self> {
        if !folder.is_dir() {
            return Ok(Self::default());
        }
        let mut events = Vec::new();
        let list = std::fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))?;
        for entry in list {
            let path = entry.with_context(|| format!("cannot list {}", folder.display()))?.path();
            if path.extension().is_none_or(|extension| extension != "json") {
                continue;
            }
            let bytes = std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
            match Event::parse(&bytes) {
                Ok(event) => events.push((path, event)),
                Err(refusal) => problems.push(problem(&path.display().to_string(), None, format!("is no event: {refusal}"))),
            }
        }
        events.sort_by_key(|(_, event)| event.time());
        let mut state = Customer::default();
        let mut id = None;
        for (number, (path, event)) in events.iter().enumerate() {
            let Subject::Customer(customer) = event.subject() else { continue };
            id = Some(customer.clone());
            match folded(&state, customer, event, number) {
                Ok(next) => state = next,
                Err(refusal) => problems.push(problem(&path.display().to_string(), None, refusal.to_string())),
            }
        }
        let customer = id.map(|id| state.to_value(&id)).unwrap_or_default();
        Ok(Self { events: events.into_iter().map(|(_, event)| (event.kind().clone(), event)).collect(), customer })
    }

    /// The sample of an event type.
    pub fn event(&self, kind: &EventType) -> Option<&Event> {
        self.events.get(kind)
    }

    /// The sample customer, as all samples together leave them.
    pub fn customer(&self) -> &Value {
        &self.customer
    }
}

/// What a trigger's messages are rendered with before anything was sent.
pub fn context(trigger: &Trigger, event: &Event, customer: &Value) -> delivery::Context {
    delivery::Context {
        event: event.to_value(),
        customer: customer.clone(),
        trigger: trigger.name().as_str().to_owned(),
        delivery: "0".repeat(32),
        unsubscribe_url: Some("https://example.com/unsubscribe".to_owned()),
    }
}

/// The state after an event, with no trigger in force.
///
/// # Errors
/// A change of the profile that is refused.
pub fn folded(state: &Customer, id: &CustomerId, event: &Event, number: usize) -> Result<Customer, event::NoEvent> {
    let sequence = SequenceNumber::new(&number.to_string());
    let input = Input::new(id.clone(), event.clone(), event.time(), ShardId::new("samples"), sequence)?;
    let decided = decide(state, &input, &TriggerSet::default())?;
    Ok(match evolve(state, &input, &decided) {
        Evolved::Changed(next) => next,
        Evolved::Unchanged => state.clone(),
    })
}
