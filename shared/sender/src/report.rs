//! The event by which the stream learns how a delivery ended.

use aws::Put;
use decision::{Outcome, Recorded};
use delivery::Message;
use event::{Event, Time};
use serde_json::json;

/// Who says so.
const SOURCE: &str = "customer-triggers";

/// An event such as `email.refused`, about the customer, named by the delivery and its outcome: telling it twice is
/// telling it once.
pub(crate) fn report(message: &Message, outcome: &Outcome, cause: Option<&Recorded>, now: Time) -> Put {
    let cause = cause.and_then(|recorded| Event::parse(&recorded.input).ok());
    let reason = match outcome {
        Outcome::Refused(reason) => Some(reason.code()),
        Outcome::Failed { cause } => Some(cause.as_str()),
        Outcome::Sent { .. } | Outcome::Expired | Outcome::Unknown => None,
    };
    let mut event = json!({
        "specversion": "1.0",
        "id": format!("{}-{}", message.delivery, outcome.code()),
        "source": SOURCE,
        "type": format!("{}.{}", message.channel, outcome.code()),
        "time": now.to_string(),
        "subject": message.customer.as_str(),
        "hops": cause.as_ref().map_or(0, Event::hops).saturating_add(1),
        "data": {
            "delivery": message.delivery.to_string(),
            "trigger": message.trigger.as_str(),
            "version": message.version.get(),
            "step": message.step,
            "reason": reason,
        },
    });
    if let (Some(cause), Some(fields)) = (cause, event.as_object_mut()) {
        fields.insert("cause".to_owned(), json!(cause.id().as_str()));
    }
    Put { partition_key: message.customer.as_str().to_owned(), data: event.to_string().into_bytes() }
}
