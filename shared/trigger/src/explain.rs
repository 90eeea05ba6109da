//! A trigger in plain sentences, for whoever writes the messages.

use crate::action::{Action, CrmEntry, MessageAction};
use crate::choice::Channel;
use crate::choice::{Class, SendPolicy};
use crate::definition::{Condition, Step, Trigger};
use crate::history::{Claim, Fact, Span};
use crate::phrase::{listed, phrases};

/// A few plain sentences that say what the trigger does, one line each.
pub fn explain(trigger: &Trigger) -> String {
    let mut lines = vec![opening(trigger)];
    let several = trigger.steps().len() > 1;
    for (position, step) in trigger.steps().iter().enumerate() {
        let number = several.then_some(position + 1);
        lines.push(sentence(step, number));
    }
    lines.push(format!("An event that arrives more than {} after it happened starts nothing.", trigger.max_age()));
    lines.join("\n")
}

fn opening(trigger: &Trigger) -> String {
    let types: Vec<String> = trigger.on().iter().map(ToString::to_string).collect();
    let mut text = format!("On {}", listed(&types, "or"));
    let mut conditions = Vec::new();
    let sides = [("the event's ", &trigger.when_event), ("the customer's ", &trigger.when_customer)];
    for (owner, condition) in sides {
        if let Some(Condition { source, .. }) = condition {
            conditions.extend(phrases(source, owner));
        }
    }
    conditions.extend(trigger.when_history().iter().map(past));
    if !conditions.is_empty() {
        text.push_str(", when ");
        text.push_str(&conditions.join(", and "));
    }
    let steps = trigger.steps().len();
    if steps == 1 {
        text.push_str(", one step:");
    } else {
        text.push_str(&format!(", {steps} steps:"));
    }
    text
}

fn sentence(step: &Step, number: Option<usize>) -> String {
    let number = number.map(|number| format!("{number}. ")).unwrap_or_default();
    match step.action() {
        Action::Email(email) => format!("{number}The email {}", message(&email.message, Channel::Email)),
        Action::Sms(sms) => format!("{number}The text message {}", message(&sms.message, Channel::Sms)),
        Action::Crm(crm) => match crm.entry() {
            CrmEntry::Contact { .. } => {
                format!("{number}The customer's contact in the CRM is brought up to date, within {}.", crm.valid_for)
            }
            CrmEntry::Timeline { template, .. } => {
                format!("{number}The event {template} is put on the contact's timeline in the CRM, within {}.", crm.valid_for)
            }
        },
        Action::Webhook(webhook) => format!("{number}The endpoint {} is called, within {}.", webhook.endpoint(), webhook.valid_for),
    }
}

fn message(message: &MessageAction, channel: Channel) -> String {
    let audience = match (message.class, &message.purpose) {
        (Class::Marketing, Some(purpose)) => format!("only to a customer who consented to {purpose} by {channel}"),
        (Class::Marketing, None) => "only to a customer who consented".to_owned(),
        (Class::Transactional, _) => "to the customer whether or not there is a consent".to_owned(),
    };
    let validity = format!("It is sent within {} of the event's arrival or not at all.", message.valid_for);
    format!("{}, {audience}. {validity} {}", message.template, uncertainty(message.send))
}

fn past(fact: &Fact) -> String {
    let event = fact.event();
    match fact.claim() {
        Claim::Count { within, at_least, at_most } => {
            let count = match (at_least, at_most) {
                (Some(least), Some(most)) if least == most => format!("exactly {least} times"),
                (Some(least), Some(most)) => format!("{least} to {most} times"),
                (Some(least), None) => format!("at least {least} times"),
                (None, Some(0)) => "never".to_owned(),
                (None, most) => format!("at most {} times", most.unwrap_or_default()),
            };
            let within = within.map(|within| format!(" in the last {within}")).unwrap_or_default();
            format!("{event} happened {count}{within}")
        }
        Claim::SinceFirst(span) => format!("the first {event} was {} ago", length(span)),
        Claim::SinceLast(span) => format!("the last {event} was {} ago", length(span)),
    }
}

fn length(span: &Span) -> String {
    match (span.at_least, span.at_most) {
        (Some(least), Some(most)) => format!("{least} to {most}"),
        (Some(least), None) => format!("at least {least}"),
        (None, Some(most)) => format!("at most {most}"),
        (None, None) => "any time".to_owned(),
    }
}

fn uncertainty(send: SendPolicy) -> &'static str {
    match send {
        SendPolicy::AtMostOnce => "When it is unclear whether it went out, it is not sent again, so it never comes twice.",
        SendPolicy::AtLeastOnce => "When it is unclear whether it went out, it is sent again, so it is not lost.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_reads_as_a_sentence() {
        let trigger = crate::parse(
            "big-order.yaml",
            r#"
trigger: big-order
on: [order.completed, order.paid]
when:
  event:    { total: [{ numeric: [">=", 200, "<", 5000] }], coupon: [{ exists: false }] }
  customer: { traits: { country: [DE, FR, ES], plan: [{ anything-but: [trial] }] } }
then:
  - email: { template: big-order-thanks, class: marketing, valid_for: 6h }
"#,
        )
        .unwrap();
        insta::assert_snapshot!(explain(&trigger), @r#"
        On order.completed or order.paid, when the event's total is at least 200 and below 5000, and the event's coupon is not there, and the customer's traits.country is DE, FR or ES, and the customer's traits.plan is anything but trial, one step:
        The email big-order-thanks, only to a customer who consented to marketing by email. It is sent within 6h of the event's arrival or not at all. When it is unclear whether it went out, it is not sent again, so it never comes twice.
        An event that arrives more than 24h after it happened starts nothing.
        "#);
    }

    #[test]
    fn several_steps_are_numbered() {
        let trigger = crate::parse(
            "receipt.yaml",
            "{trigger: receipt, on: order.completed, then: [
              {email: {template: receipt, class: transactional}},
              {email: {template: tips, class: marketing, purpose: product_news}}]}",
        )
        .unwrap();
        insta::assert_snapshot!(explain(&trigger), @r#"
        On order.completed, 2 steps:
        1. The email receipt, to the customer whether or not there is a consent. It is sent within 24h of the event's arrival or not at all. When it is unclear whether it went out, it is sent again, so it is not lost.
        2. The email tips, only to a customer who consented to product_news by email. It is sent within 24h of the event's arrival or not at all. When it is unclear whether it went out, it is not sent again, so it never comes twice.
        An event that arrives more than 24h after it happened starts nothing.
        "#);
    }
}
