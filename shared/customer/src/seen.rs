//! What of the stream is already part of a customer's state.

use decision::EventKey;
use event::{SequenceNumber, ShardId, Time};

use crate::state::ShardMark;
use crate::{Customer, Input};

/// The last state-changing events that are remembered, to know a producer's repeat.
const MOST_RECENT: usize = 32;

/// A shard that brought nothing for longer than the stream keeps records is forgotten, and so are the oldest above this.
const MOST_SHARDS: usize = 16;
const SHARD_KEPT_MILLIS: i64 = 8 * 24 * 60 * 60 * 1000;

/// The clocks of two shards differ by less than this, and no stream is replaced so fast.
const CLOCKS_DIFFER_MILLIS: i64 = 1_000;

/// A sequence number may stand still while arrivals go on for this long before the stream is taken for a new one.
const REPLACED_AFTER_MILLIS: i64 = 10 * 60 * 1000;

/// What the state says of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// Not part of the state.
    New,
    /// Part of the state, with all its effects: skip it.
    Committed,
    /// The state went on to a younger shard, whose records come after all of this one's. If the archive has it, it was done
    /// in its turn and changed nothing then, or its mark was forgotten: it must change nothing now.
    Passed,
    /// Its sequence number went back while time went on: the stream was replaced. Not part of the state.
    StreamReplaced,
}

impl Customer {
    /// Whether the record at this place is part of the state.
    #[must_use]
    pub fn seen(&self, shard: &ShardId, sequence: &SequenceNumber, arrival: Time) -> Seen {
        match self.mark(shard) {
            Some(mark) if *sequence <= SequenceNumber::new(&mark.sequence) => {
                if arrival.since(Time::from_millis(mark.arrival)) > REPLACED_AFTER_MILLIS { Seen::StreamReplaced } else { Seen::Committed }
            }
            _ if self.is_past(shard, arrival) => Seen::Passed,
            _ => Seen::New,
        }
    }

    /// Whether a shard that is younger brought something later. A new stream counts its shards from 0 again, and what it
    /// brings arrives later than all that the state knows.
    fn is_past(&self, shard: &ShardId, arrival: Time) -> bool {
        self.shards
            .iter()
            .any(|mark| mark.shard.as_str() > shard.as_str() && arrival.since(Time::from_millis(mark.arrival)) <= CLOCKS_DIFFER_MILLIS)
    }

    /// Whether a delivery's cause, at this place, is committed: before that nobody may send it.
    #[must_use]
    pub fn is_committed(&self, shard: &ShardId, sequence: &SequenceNumber, arrival: Time) -> bool {
        self.seen(shard, sequence, arrival) == Seen::Committed
    }

    fn mark(&self, shard: &ShardId) -> Option<&ShardMark> {
        self.shards.iter().find(|mark| mark.shard == shard.as_str())
    }

    /// Whether one of the last state-changing events was this one.
    pub(crate) fn has_recent(&self, key: EventKey) -> bool {
        self.recent.contains(&key.get())
    }

    pub(crate) fn remember(&mut self, input: &Input) {
        let key = EventKey::new(input.event().source(), input.event().id()).get();
        if !self.recent.contains(&key) {
            self.recent.push(key);
        }
        let excess = self.recent.len().saturating_sub(MOST_RECENT);
        self.recent.drain(..excess);

        let mark = ShardMark {
            shard: input.shard().as_str().to_owned(),
            sequence: input.sequence().as_str().to_owned(),
            arrival: input.arrival().millis(),
            ..ShardMark::default()
        };
        let newest = input.arrival();
        self.shards.retain(|known| known.shard != mark.shard && newest.since(Time::from_millis(known.arrival)) <= SHARD_KEPT_MILLIS);
        if self.shards.len() >= MOST_SHARDS {
            // The new mark stays, however old its arrival is: without it no delivery of this input is ever committed.
            self.shards.sort_by_key(|known| known.arrival);
            let excess = self.shards.len() - (MOST_SHARDS - 1);
            self.shards.drain(..excess);
        }
        self.shards.push(mark);
    }
}
