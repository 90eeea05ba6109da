//! The event by which the stream learns how a delivery ended.

use aws::{OwnEvent, Put, hops_after};
use decision::{Outcome, Recorded};
use delivery::Message;
use event::{Event, Time};
use serde_json::json;

/// An event such as `email.refused`, about the customer, named by the delivery and its outcome.
pub(crate) fn report(message: &Message, outcome: &Outcome, cause: Option<&Recorded>, now: Time) -> Put {
    let cause = cause.and_then(|recorded| Event::parse(&recorded.input).ok());
    let reason = match outcome {
        Outcome::Refused(reason) => Some(reason.code()),
        Outcome::Failed { cause } => Some(cause.as_str()),
        Outcome::Sent { .. } | Outcome::Expired | Outcome::Unknown => None,
    };
    let event = OwnEvent {
        id: format!("{}-{}", message.delivery, outcome.code()),
        kind: format!("{}.{}", message.channel, outcome.code()),
        time: now,
        customer: &message.customer,
        cause: cause.as_ref(),
        hops: hops_after(cause.as_ref()),
        data: json!({
            "delivery": message.delivery.to_string(),
            "trigger": message.trigger.as_str(),
            "version": message.version.get(),
            "step": message.step,
            "reason": reason,
        }),
    };
    event.put()
}
