//! The adapters against a local AWS that has the template deployed.

#[path = "../local/deployed.rs"]
mod deployed;
#[path = "../local/mod.rs"]
mod local;
#[path = "../local/server.rs"]
mod server;

mod archive;
mod customers;
mod flows;
mod inspection;
mod ledger;
mod partial;
mod reads;
mod triggers;

use customer::{Customer, Evolved, Input, evolve};
use decision::{Decided, Decision, Deliver, DeliveryId, RunId, Verdict};
use delivery::Message;
use event::{CustomerId, Event, EventId, Position, SequenceNumber, ShardId, Source, Time};
use serde_json::{Value, json};
use trigger::{Channel, TriggerName, Version};

fn customer_id() -> CustomerId {
    CustomerId::parse(&local::unique("c")).expect("a customer's id")
}

fn event(customer: &CustomerId, kind: &str, time: Time, data: &Value) -> Vec<u8> {
    let event = json!({ "specversion": "1.0", "id": "e1", "source": "/shop", "type": kind, "time": time.to_string(), "subject": customer.as_str(), "data": data });
    event.to_string().into_bytes()
}

/// The customer after a first event, which brought what `data` says of the profile.
fn known(customer: &CustomerId, data: &Value) -> Customer {
    let now = local::now();
    let event = Event::parse(&event(customer, "customer.updated", now, data)).expect("an event");
    let input = Input::new(customer.clone(), event, now, ShardId::new("shard"), SequenceNumber::new("1")).expect("an input");
    let decided = Decided { now, generation: 1, repeat: false, decisions: Vec::new(), remember: None };
    match evolve(&Customer::default(), &input, &decided) {
        Evolved::Changed(customer) => customer,
        Evolved::Unchanged => unreachable!("the event changes the profile"),
    }
}

/// A message about a delivery that no other test has.
fn message() -> Message {
    let customer = customer_id();
    let trigger = TriggerName::parse("welcome").expect("a name");
    let run = RunId::new(&trigger, &Source::parse("/shop").expect("a source"), &EventId::parse("e1").expect("an id"));
    Message {
        delivery: DeliveryId::new(&customer, &trigger, run, "0", Channel::Email),
        position: Position::new(local::now(), &SequenceNumber::new("1")),
        customer,
        shard: ShardId::new("shard"),
        sequence: SequenceNumber::new("1"),
        trigger,
        version: Version::FIRST,
        run,
        step: "0".to_owned(),
        channel: Channel::Email,
        not_before: local::now(),
        not_after: local::now().plus(60_000),
        waits: 0,
    }
}

/// What was decided where that message was to be sent.
fn decided(message: &Message) -> Decided {
    let Message { delivery: id, channel, not_before, not_after, .. } = *message;
    let verdict = Verdict::Deliver(Deliver { id, channel, not_before, not_after });
    let decision = Decision {
        trigger: message.trigger.clone(),
        version: message.version,
        run: message.run,
        step: Some(message.step.clone()),
        verdict,
    };
    Decided { now: local::now(), generation: 1, repeat: false, decisions: vec![decision], remember: None }
}
