//! Inputs, triggers and customers out of short descriptions.

use std::collections::BTreeMap;

use blob::ContentHash;
use customer::{Customer, Evolved, Input, decide, document, evolve};
use decision::Decided;
use event::{CustomerId, Event, NoEvent, SequenceNumber, ShardId, Time};
use pattern::Json;
use serde::Deserialize;
use serde_json::{Value, json};
use trigger::{BundleEntry, Exposure, Mode, Rollout, TriggerSet, Version, from_definition};

pub const DEFAULT_TIME: &str = "2026-03-01T10:00:00Z";

/// An event and the arrival of its record; what is not said does not matter.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fact {
    pub id: Option<String>,
    pub source: Option<String>,
    #[serde(rename = "type")]
    pub kind: String,
    pub time: Option<String>,
    /// A second after `time`, where nothing is said.
    pub arrival: Option<String>,
    pub original_arrival: Option<String>,
    #[serde(default)]
    pub data: Value,
}

pub fn time(text: &str) -> Time {
    text.parse().unwrap()
}

impl Fact {
    pub fn of(kind: &str, data: Value) -> Self {
        Self { kind: kind.to_owned(), data, ..Self::default() }
    }

    /// The event's record, the `place`th of its shard.
    pub fn input(&self, place: usize) -> Result<Input, NoEvent> {
        self.input_for("c-1", place)
    }

    pub fn input_for(&self, customer: &str, place: usize) -> Result<Input, NoEvent> {
        let happened = self.time.as_deref().unwrap_or(DEFAULT_TIME);
        let mut envelope = json!({
            "specversion": "1.0",
            "id": self.id.clone().unwrap_or_else(|| format!("e{place}")),
            "source": self.source.as_deref().unwrap_or("/shop"),
            "type": self.kind,
            "time": happened,
            "subject": customer,
            "originalarrival": self.original_arrival,
        });
        if !self.data.is_null() {
            envelope["data"] = self.data.clone();
        }
        let arrival = self.arrival.as_deref().map_or_else(|| time(happened).plus(1_000), time);
        let event = Event::parse(envelope.to_string().as_bytes())?;
        let customer = CustomerId::parse(customer).unwrap();
        Input::new(customer, event, arrival, ShardId::new("shardId-000000000000"), SequenceNumber::new(&(place + 1).to_string()))
    }
}

/// A trigger of a generation: live for everybody, or as it says.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum Use {
    Live(String),
    As(Exposed),
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exposed {
    pub trigger: String,
    pub mode: Option<String>,
    pub rollout: Option<String>,
}

pub fn set(generation: u64, definitions: &BTreeMap<String, Value>, uses: &[Use]) -> TriggerSet {
    let entry = |used: &Use| {
        let (name, mode, rollout) = match used {
            Use::Live(name) => (name, None, None),
            Use::As(exposed) => (&exposed.trigger, exposed.mode.as_deref(), exposed.rollout.as_deref()),
        };
        let exposure = Exposure {
            mode: mode.map_or(Mode::Live, |mode| Mode::parse(mode).unwrap()),
            rollout: rollout.map_or(Rollout::ALL, |rollout| Rollout::parse(rollout).unwrap()),
        };
        let mut definition = definitions.get(name).unwrap_or_else(|| panic!("no trigger {name}")).clone();
        definition["trigger"] = json!(name);
        let trigger = from_definition(&definition.to_string()).unwrap();
        let templates = trigger.templates().into_iter().map(|name| (name.clone(), ContentHash::of(&[name.as_str().as_bytes()]))).collect();
        BundleEntry { trigger, version: Version::new(1).unwrap(), exposure, declared: exposure, templates }
    };
    TriggerSet::new(generation, uses.iter().map(entry).collect())
}

/// What is decided about the input, and the customer afterwards.
pub fn step(customer: &Customer, input: &Input, triggers: &TriggerSet) -> Result<(Decided, Customer), NoEvent> {
    let decided = decide(customer, input, triggers)?;
    let next = after(customer, input, &decided);
    Ok((decided, next))
}

pub fn after(customer: &Customer, input: &Input, decided: &Decided) -> Customer {
    match evolve(customer, input, decided) {
        Evolved::Unchanged => customer.clone(),
        Evolved::Changed(next) => next,
    }
}

/// What `when.customer` is matched against.
pub fn profile(customer: &Customer) -> Value {
    value(&document(customer))
}

fn value(json: &Json) -> Value {
    match json {
        Json::Null => Value::Null,
        Json::Bool(flag) => json!(flag),
        Json::Number(text) => serde_json::from_str(text).unwrap(),
        Json::String(text) => json!(text),
        Json::Array(elements) => elements.iter().map(value).collect(),
        Json::Object(members) => Value::Object(members.iter().map(|(name, member)| (name.clone(), value(member))).collect()),
    }
}
