//! What a decision is about.

use event::{CustomerId, Event, NoEvent, Position, SequenceNumber, ShardId, Time};

use crate::{Backfill, ProfileChange};

/// A producer's clock may run ahead by this much before its times count as the arrival.
const MOST_AHEAD_MILLIS: i64 = 5 * 60 * 1000;

/// An event of a customer, with the record that brought it.
#[derive(Debug, Clone, PartialEq)]
pub struct Input {
    customer: CustomerId,
    event: Event,
    change: Option<ProfileChange>,
    backfill: Option<Backfill>,
    arrival: Time,
    shard: ShardId,
    sequence: SequenceNumber,
}

impl Input {
    /// # Errors
    /// A malformed change of the profile: the record goes whole into the quarantine.
    pub fn new(customer: CustomerId, event: Event, arrival: Time, shard: ShardId, sequence: SequenceNumber) -> Result<Self, NoEvent> {
        let change = ProfileChange::of(&event)?;
        let backfill = Backfill::of(&event)?;
        Ok(Self { customer, event, change, backfill, arrival, shard, sequence })
    }

    #[must_use]
    pub fn customer(&self) -> &CustomerId {
        &self.customer
    }

    #[must_use]
    pub fn event(&self) -> &Event {
        &self.event
    }

    pub(crate) fn change(&self) -> Option<&ProfileChange> {
        self.change.as_ref()
    }

    pub(crate) fn backfill(&self) -> Option<&Backfill> {
        self.backfill.as_ref()
    }

    /// Whether the event changes the customer's state, whatever the triggers say.
    #[must_use]
    pub fn changes_state(&self) -> bool {
        self.change.is_some() || self.backfill.is_some()
    }

    /// When the record arrived on the stream.
    #[must_use]
    pub fn arrival(&self) -> Time {
        self.arrival
    }

    /// When the event first arrived, where this record is a second one; never later than the record itself.
    #[must_use]
    pub fn original_arrival(&self) -> Time {
        self.event.original_arrival().map_or(self.arrival, |original| original.min(self.arrival))
    }

    /// When it happened: by the producer's clock, unless that runs ahead of ours.
    #[must_use]
    pub fn event_time(&self) -> Time {
        let (time, arrival) = (self.event.time(), self.original_arrival());
        if time.since(arrival) > MOST_AHEAD_MILLIS { arrival } else { time }
    }

    #[must_use]
    pub fn shard(&self) -> &ShardId {
        &self.shard
    }

    #[must_use]
    pub fn sequence(&self) -> &SequenceNumber {
        &self.sequence
    }

    #[must_use]
    pub fn position(&self) -> Position {
        Position::new(self.arrival, &self.sequence)
    }
}
