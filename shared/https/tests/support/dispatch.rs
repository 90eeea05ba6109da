//! A delivery to a system of the company, as the gate lets it through.

use customer::{Customer, Evolved, Input, evolve};
use decision::{Decided, DeliveryId, Outcome, RunId};
use delivery::{Context, Message};
use event::{CustomerId, Event, SequenceNumber, ShardId, Time};
use sender::{Dispatch, Provider};
use serde_json::{Value, json};
use trigger::{TriggerName, Version};

/// The event that began it, with this profile.
pub fn event(profile: &Value) -> Value {
    json!({ "specversion": "1.0", "id": "e1", "source": "/shop", "type": "order.completed", "time": "2026-03-01T10:00:00.000Z",
        "subject": "c-1", "data": { "order": "o-7", "total": 80.5, "customer": profile } })
}

/// What the provider makes of the one step of a definition, and the delivery's id.
pub fn build<P: Provider>(provider: &P, step: &str, profile: &Value) -> (Result<P::Content, Outcome>, String) {
    let customer = CustomerId::parse("c-1").expect("a customer's id");
    let event = Event::parse(event(profile).to_string().as_bytes()).expect("an event");
    let arrival = Time::from_millis(1_772_359_200_000);
    let input = Input::new(customer.clone(), event, arrival, ShardId::new("shard"), SequenceNumber::new("7")).expect("an input");
    let decided = Decided { now: arrival, generation: 1, repeat: false, decisions: Vec::new(), remember: None };
    let Evolved::Changed(state) = evolve(&Customer::default(), &input, &decided) else { unreachable!("the event changes the profile") };

    let definition = format!("trigger: synchronise\non: order.completed\nthen:\n  - {step}\n");
    let definition = trigger::parse("synchronise.yaml", &definition).expect("a valid trigger");
    let action = definition.steps().first().expect("a step").action();
    let name = TriggerName::parse("synchronise").expect("a name");
    let run = RunId::new(&name, input.event().source(), input.event().id());
    let delivery = DeliveryId::new(&customer, &name, run, "0", action.channel());
    let message = Message {
        delivery,
        customer: customer.clone(),
        position: input.position(),
        shard: input.shard().clone(),
        sequence: input.sequence().clone(),
        trigger: name,
        version: Version::FIRST,
        run,
        step: "0".to_owned(),
        channel: action.channel(),
        not_before: arrival,
        not_after: arrival,
        waits: 0,
    };
    let context = Context {
        event: input.event().to_value(),
        customer: state.to_value(&customer),
        trigger: message.trigger.as_str().to_owned(),
        delivery: delivery.to_string(),
        unsubscribe_url: None,
    };
    let content = provider.build(&Dispatch { message: &message, action, customer: &state, template: None, context: &context });
    (content, delivery.to_string())
}
