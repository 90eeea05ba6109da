//! A message of which only its delivery matters.

#![expect(clippy::unwrap_used, reason = "a helper of a test may fail the test")]

use decision::{DeliveryId, RunId};
use delivery::Message;
use event::{CustomerId, Position, SequenceNumber, ShardId, Time};
use trigger::{Channel, TriggerName, Version};

pub fn delivery(number: u128) -> DeliveryId {
    DeliveryId::from_bytes(&number.to_be_bytes()).unwrap()
}

pub fn message(number: u128) -> Message {
    let sequence = SequenceNumber::new("1");
    Message {
        delivery: delivery(number),
        customer: CustomerId::parse("c-1").unwrap(),
        position: Position::new(Time::default(), &sequence),
        shard: ShardId::new("shardId-000000000000"),
        sequence,
        trigger: TriggerName::parse("welcome").unwrap(),
        version: Version::FIRST,
        run: RunId::from_bytes(&[7; 16]).unwrap(),
        step: "0".to_owned(),
        channel: Channel::Email,
        not_before: Time::default(),
        not_after: Time::from_millis(i64::MAX),
        waits: 0,
    }
}
