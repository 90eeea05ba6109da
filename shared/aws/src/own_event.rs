//! Events that this system itself puts onto the stream, about what became of its deliveries.

use event::{CustomerId, Event, Time};
use serde_json::{Value, json};

use crate::Put;

/// Who says so.
const SOURCE: &str = "customer-triggers";

/// An event of this system. Its id is named by what it says, so that telling it twice is telling it once.
#[derive(Debug)]
pub struct OwnEvent<'a> {
    pub id: String,
    pub kind: String,
    pub time: Time,
    pub customer: &'a CustomerId,
    /// The event that led to it, where that is known.
    pub cause: Option<&'a Event>,
    /// As a rule [`hops_after`] its cause.
    pub hops: u8,
    pub data: Value,
}

/// One hop more than the cause has, so that events that cause each other in a circle come to an end.
#[must_use]
pub fn hops_after(cause: Option<&Event>) -> u8 {
    cause.map_or(0, Event::hops).saturating_add(1)
}

impl OwnEvent<'_> {
    /// The record, under its customer's key.
    #[must_use]
    pub fn put(self) -> Put {
        let mut event = json!({
            "specversion": "1.0",
            "id": self.id,
            "source": SOURCE,
            "type": self.kind,
            "time": self.time.to_string(),
            "subject": self.customer.as_str(),
            "hops": self.hops,
            "data": self.data,
        });
        if let (Some(cause), Some(fields)) = (self.cause, event.as_object_mut()) {
            fields.insert("cause".to_owned(), json!(cause.id().as_str()));
        }
        Put { partition_key: self.customer.as_str().to_owned(), data: event.to_string().into_bytes() }
    }
}
