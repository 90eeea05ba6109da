//! The events by which the stream learns what a provider said.

use aws::{LedgerRecord, OwnEvent, Put, hops_after};
use decision::{DeliveryId, FeedbackKind, Outcome};
use event::{CustomerId, Event, MOST_HOPS};
use serde_json::{Map, Value, json};
use trigger::Purpose;

use crate::Said;

/// An event for the stream. It is named by what it says, so that telling it twice is telling it once.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Telling {
    pub(crate) kind: String,
    /// Told even if no trigger names it.
    pub(crate) always: bool,
    id: String,
    data: Map<String, Value>,
}

/// What there is to tell of a delivery, whoever wants to hear it. `outcome` is how the delivery stands now.
pub(crate) fn tellings(said: &Said, delivery: DeliveryId, record: Option<&LedgerRecord>, outcome: Option<&Outcome>) -> Vec<Telling> {
    let (channel, at) = (said.channel, said.at.millis());
    let telling = |code: &str, suffix: String, always: bool, details: Map<String, Value>| {
        let mut data = about(delivery, record);
        data.extend(details);
        Telling { kind: format!("{channel}.{code}"), always, id: format!("{delivery}-{code}{suffix}"), data }
    };
    let suffix = match (said.kind, &said.link) {
        (FeedbackKind::Clicked, Some(link)) => format!("-{}", short_hash(&[link.as_bytes(), &at.to_be_bytes()])),
        // Somebody can unsubscribe, consent again, and unsubscribe by the same mail.
        (FeedbackKind::Unsubscribed, _) => format!("-{at}"),
        _ => String::new(),
    };
    let mut tellings = vec![telling(said.kind.code(), suffix, said.kind.is_always_reported(), said.details.clone())];
    if let (Some(Outcome::Failed { cause }), Some(said_cause)) = (outcome, said.cause)
        && cause == said_cause
    {
        // As a sender reports a failure: the same id, so that the customer's state hears of it once.
        let reason = Map::from_iter([("reason".to_owned(), json!(cause))]);
        tellings.push(telling("failed", String::new(), true, reason));
    }
    for purpose in &said.withdrawn {
        let mut data = about(delivery, record);
        data.insert("channels".to_owned(), json!([channel.as_str()]));
        if let Some(purpose) = purpose {
            data.insert("purpose".to_owned(), json!(purpose.as_str()));
        }
        let name = purpose.as_ref().map_or("*", Purpose::as_str);
        let id = format!("{delivery}-withdrawn-{name}-{at}");
        tellings.push(Telling { kind: "consent.withdrawn".to_owned(), always: true, id, data });
    }
    tellings
}

fn about(delivery: DeliveryId, record: Option<&LedgerRecord>) -> Map<String, Value> {
    let mut data = Map::from_iter([("delivery".to_owned(), json!(delivery.to_string()))]);
    if let Some(record) = record {
        data.insert("trigger".to_owned(), json!(record.trigger));
        data.insert("version".to_owned(), json!(record.version));
        data.insert("step".to_owned(), json!(record.step));
    }
    data
}

/// Sixteen hexadecimal digits that stand for these fields.
fn short_hash(fields: &[&[u8]]) -> String {
    blob::hash(fields).iter().take(8).fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

impl Telling {
    /// The record for the stream. `cause` is the event that the message answered.
    pub(crate) fn put(mut self, said: &Said, customer: &CustomerId, trigger: &str, cause: Option<&Event>) -> Put {
        let mut hops = hops_after(cause);
        if self.kind == "consent.withdrawn" {
            // A withdrawal is never put aside for how it came about.
            hops = hops.min(MOST_HOPS);
        }
        self.data.insert("trigger".to_owned(), json!(trigger));
        OwnEvent { id: self.id, kind: self.kind, time: said.at, customer, cause, hops, data: Value::Object(self.data) }.put()
    }
}
