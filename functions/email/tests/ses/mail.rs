//! A mail to be sent, as the gate lets it through.

use customer::{Customer, Evolved, Input, evolve};
use decision::{Decided, DeliveryId, Outcome, RunId};
use delivery::{Context, Message, Sources, Template};
use email::{Mail, Ses};
use event::{CustomerId, Event, EventId, SequenceNumber, ShardId, Source, Time};
use sender::{Dispatch, Provider};
use serde_json::{Value, json};
use trigger::{Channel, TriggerName, Version};

pub const TRANSACTIONAL: &str = "trigger: thanks\non: order.completed\nthen:\n  - email: { template: thanks, class: transactional }\n";
pub const MARKETING: &str = "trigger: thanks\non: order.completed\nthen:\n  - email: { template: thanks, class: marketing }\n";

fn names() -> (CustomerId, TriggerName, RunId) {
    let trigger = TriggerName::parse("thanks").expect("a name");
    let run = RunId::new(&trigger, &Source::parse("/shop").expect("a source"), &EventId::parse("e1").expect("an id"));
    (CustomerId::parse("c-1").expect("a customer's id"), trigger, run)
}

pub fn delivery() -> DeliveryId {
    let (customer, trigger, run) = names();
    DeliveryId::new(&customer, &trigger, run, "0", Channel::Email)
}

/// The input of an event that brought this profile.
fn input(customer: &CustomerId, profile: &Value) -> Input {
    let event = json!({ "specversion": "1.0", "id": "e1", "source": "/shop", "type": "order.completed", "time": "2026-03-01T10:00:00Z",
        "subject": "c-1", "data": { "order": "<7>", "customer": profile } });
    let event = Event::parse(event.to_string().as_bytes()).expect("an event");
    Input::new(customer.clone(), event, Time::from_millis(1_772_359_200_000), ShardId::new("shard"), SequenceNumber::new("7"))
        .expect("an input")
}

/// The mail of a definition to a customer who is known.
pub fn build(ses: &Ses, definition: &str, unsubscribe_url: Option<&str>) -> Result<Mail, Outcome> {
    build_for(ses, definition, unsubscribe_url, &json!({ "email": "ana@example.com", "traits": { "name": "Zoë" } }))
}

pub fn build_for(ses: &Ses, definition: &str, unsubscribe_url: Option<&str>, profile: &Value) -> Result<Mail, Outcome> {
    let (customer, trigger, run) = names();
    let input = input(&customer, profile);
    let decided = Decided { now: input.arrival(), generation: 1, repeat: false, decisions: Vec::new(), remember: None };
    let Evolved::Changed(state) = evolve(&Customer::default(), &input, &decided) else { unreachable!("the event changes the profile") };
    let message = Message {
        delivery: delivery(),
        customer: customer.clone(),
        position: input.position(),
        shard: input.shard().clone(),
        sequence: input.sequence().clone(),
        trigger: trigger.clone(),
        version: Version::FIRST,
        run,
        step: "0".to_owned(),
        channel: Channel::Email,
        not_before: input.arrival(),
        not_after: input.arrival(),
        waits: 0,
    };
    let sources = Sources {
        subject: Some("Danke, {{ customer.traits.name }}"),
        text: Some("Order 7 & more"),
        html: Some("<p>Order {{ event.data.order }}</p>"),
        ..Sources::default()
    };
    let definition = trigger::parse("thanks.yaml", definition).expect("a valid trigger");
    let context = Context {
        event: input.event().to_value(),
        customer: state.to_value(&customer),
        trigger: trigger.as_str().to_owned(),
        delivery: message.delivery.to_string(),
        unsubscribe_url: unsubscribe_url.map(str::to_owned),
    };
    let action = definition.steps().first().expect("a step").action();
    let template = Template::parse(&sources).expect("a valid template");
    ses.build(&Dispatch { message: &message, action, customer: &state, template: Some(&template), context: &context })
}
