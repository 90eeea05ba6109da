//! What stands on a queue: ids and times only, no personal data.

use std::collections::BTreeMap;

use decision::{DeliveryId, RunId};
use event::{CustomerId, Position, SequenceNumber, ShardId, Time};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use thiserror::Error;
use trigger::{Channel, TriggerName, Version};

const FORMAT: u32 = 1;

/// A delivery to be made, as the router enqueues it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    pub delivery: DeliveryId,
    pub customer: CustomerId,
    /// Where in the archive its cause stands.
    pub position: Position,
    /// Where on the stream its cause stood: sent only once that is part of the customer's state.
    pub shard: ShardId,
    pub sequence: SequenceNumber,
    pub trigger: TriggerName,
    pub version: Version,
    pub run: RunId,
    pub step: String,
    pub channel: Channel,
    pub not_before: Time,
    pub not_after: Time,
    /// How often it was put back to wait.
    pub waits: u32,
}

/// A message that this version cannot read. It is left to the queue, and ends among the dead letters.
#[derive(Debug, Error)]
pub enum MessageError {
    /// The parser's own words can quote the message, so they are not taken over.
    #[error("the message is no JSON of a delivery")]
    NotADelivery,
    #[error("the message has format {0}, this program reads {FORMAT}; deploy the newer program first")]
    Format(u32),
    #[error("the message has no valid {0}")]
    Field(&'static str),
}

#[derive(Serialize, Deserialize)]
struct Wire {
    format: u32,
    delivery: String,
    customer: String,
    position: Position,
    shard: ShardId,
    sequence: SequenceNumber,
    trigger: String,
    version: u32,
    run: String,
    step: String,
    channel: String,
    not_before: Time,
    not_after: Time,
    #[serde(default, skip_serializing_if = "is_zero")]
    waits: u32,
}

fn is_zero(number: &u32) -> bool {
    *number == 0
}

impl Message {
    /// # Errors
    /// A text that is no message of this format.
    pub fn parse(text: &str) -> Result<Self, MessageError> {
        let wire: Wire = serde_json::from_str(text).map_err(|_| MessageError::NotADelivery)?;
        if wire.format != FORMAT {
            return Err(MessageError::Format(wire.format));
        }
        let field = MessageError::Field;
        Ok(Self {
            delivery: wire.delivery.parse().map_err(|_| field("delivery"))?,
            customer: CustomerId::parse(&wire.customer).map_err(|_| field("customer"))?,
            position: wire.position,
            shard: wire.shard,
            sequence: wire.sequence,
            trigger: TriggerName::parse(&wire.trigger).map_err(|_| field("trigger"))?,
            version: Version::new(wire.version).map_err(|_| field("version"))?,
            run: wire.run.parse().map_err(|_| field("run"))?,
            step: wire.step,
            channel: Channel::parse(&wire.channel).map_err(|_| field("channel"))?,
            not_before: wire.not_before,
            not_after: wire.not_after,
            waits: wire.waits,
        })
    }

    /// The text for the queue.
    #[must_use]
    pub fn to_text(&self) -> String {
        let wire = Wire {
            format: FORMAT,
            delivery: self.delivery.to_string(),
            customer: self.customer.as_str().to_owned(),
            position: self.position.clone(),
            shard: self.shard.clone(),
            sequence: self.sequence.clone(),
            trigger: self.trigger.as_str().to_owned(),
            version: self.version.get(),
            run: self.run.to_string(),
            step: self.step.clone(),
            channel: self.channel.as_str().to_owned(),
            not_before: self.not_before,
            not_after: self.not_after,
            waits: self.waits,
        };
        // A struct of texts and numbers always has a JSON form.
        serde_json::to_string(&wire).unwrap_or_default()
    }

    /// The same message, put back once more.
    #[must_use]
    pub fn waiting(&self) -> Self {
        Self { waits: self.waits.saturating_add(1), ..self.clone() }
    }

    /// The text of a dead letter to be enqueued again: as if it had never waited, so that its next wait is a short one. All
    /// else stays as it was written, fields of a newer program too; a text that is no message is not touched.
    #[must_use]
    pub fn redriven(text: &str) -> String {
        let Ok(mut fields) = serde_json::from_str::<BTreeMap<String, Box<RawValue>>>(text) else { return text.to_owned() };
        match fields.remove("waits") {
            Some(_) => serde_json::to_string(&fields).unwrap_or_else(|_| text.to_owned()),
            None => text.to_owned(),
        }
    }
}
