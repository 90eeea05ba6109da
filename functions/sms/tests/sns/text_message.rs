//! A text message to be sent, as the gate lets it through.

use customer::{Customer, Evolved, Input, evolve};
use decision::{Decided, Outcome};
use delivery::{Context, Message, Sources, Template};
use event::{Event, SequenceNumber, ShardId, Time};
use sender::{Dispatch, Provider};
use serde_json::{Value, json};
use sms::{Sns, TextMessage};

pub const DELIVERY: &str = "0123456789abcdef0123456789abcdef";

/// The message of a definition with one step to a customer who is known.
pub fn build(sns: &Sns, step: &str, text: &str) -> TextMessage {
    let profile = json!({ "phone": "+491511234567", "traits": { "name": "Zoë" } });
    build_for(sns, step, text, &profile).expect("a message")
}

pub fn build_for(sns: &Sns, step: &str, text: &str, profile: &Value) -> Result<TextMessage, Outcome> {
    let arrival = Time::from_millis(1_772_359_200_000);
    let event = json!({
        "specversion": "1.0", "id": "e1", "source": "/shop", "type": "order.completed", "time": arrival.to_string(), "subject": "c-1",
        "data": { "order": 7, "customer": profile },
    });
    let event = Event::parse(event.to_string().as_bytes()).expect("an event");
    let message = json!({
        "format": 1, "delivery": DELIVERY, "customer": "c-1", "position": "001772359200000#7", "shard": "shard", "sequence": "7",
        "trigger": "thanks", "version": 1, "run": "00000000000000000000000000000001", "step": "0", "channel": "sms",
        "not_before": arrival, "not_after": arrival,
    });
    let message = Message::parse(&message.to_string()).expect("a message of the queue");
    let input = Input::new(message.customer.clone(), event, arrival, ShardId::new("shard"), SequenceNumber::new("7")).expect("an input");
    let decided = Decided { now: arrival, generation: 1, repeat: false, decisions: Vec::new(), remember: None };
    let Evolved::Changed(customer) = evolve(&Customer::default(), &input, &decided) else { unreachable!("the event changes the profile") };
    let definition = format!("trigger: thanks\non: order.completed\nthen:\n  - {step}\n");
    let definition = trigger::parse("thanks.yaml", &definition).expect("a valid trigger");
    let context = Context {
        event: input.event().to_value(),
        customer: customer.to_value(&message.customer),
        trigger: "thanks".to_owned(),
        delivery: DELIVERY.to_owned(),
        unsubscribe_url: None,
    };
    let template = Template::parse(&Sources { sms: Some(text), ..Sources::default() }).expect("a valid template");
    let action = definition.steps().first().expect("a step").action();
    sns.build(&Dispatch { message: &message, action, customer: &customer, template: Some(&template), context: &context })
}
